"""A new version of an agent is tried by the scorers that watch it live, and judged by the gate."""

import pytest

from agentops_graph.detection.text_scorers import relevance
from agentops_graph.domain.component import Component
from agentops_graph.domain.gate import judge
from agentops_graph.domain.outputs import Exchange
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.jobs.answers import digest_of, trial_of_answers

BOT = Component.model_validate({"name": "bot", "kind": "agent", "task": "agent"})
QUESTIONS = [Exchange(f"Where is parcel {n}?", "", expected=f"parcel {n}") for n in range(200)]
GOOD = [f"Parcel {n} is on its way" for n in range(200)]
WORSE = [*GOOD[:150], *["The weather is fine"] * 50]


def verdict(candidate, incumbent=GOOD, baseline=1.0, component=BOT):
    trial = trial_of_answers(
        component, QUESTIONS, candidate, incumbent, baseline=baseline, candidate_version="2"
    )
    return judge(
        trial, component.metric, holdout_sha256=digest_of(QUESTIONS), min_positives=200
    ), trial


def test_a_version_that_answers_as_well_passes():
    report, trial = verdict(GOOD)
    assert report.verdict == "passed"
    assert (trial.metric, trial.candidate, trial.holdout_rows) == ("relevance", 1.0, 200)


def test_few_questions_near_the_line_are_a_persons_to_decide():
    _, trial = verdict(GOOD)
    report = judge(trial, BOT.metric, holdout_sha256=trial.holdout_sha256, min_positives=2000)
    assert report.verdict == "inconclusive"


def test_a_version_that_answers_beside_the_point_fails():
    report, trial = verdict(WORSE)
    assert report.verdict == "failed"
    assert trial.candidate == pytest.approx(0.75)


def test_the_gate_and_the_live_sample_give_the_same_score():
    _, trial = verdict(WORSE)
    live = [relevance(Exchange(q.request, a)) for q, a in zip(QUESTIONS, WORSE, strict=True)]
    assert trial.candidate == pytest.approx(sum(live) / len(live))


def test_an_answer_that_failed_counts_as_nothing():
    report, trial = verdict([*GOOD[:100], *[None] * 100])
    assert (report.verdict, trial.candidate) == ("failed", 0.5)


def test_other_questions_are_not_the_approved_ones():
    trial = trial_of_answers(
        BOT, QUESTIONS[:-1], GOOD[:-1], GOOD[:-1], baseline=1.0, candidate_version="2"
    )
    report = judge(trial, BOT.metric, holdout_sha256=digest_of(QUESTIONS), min_positives=0)
    assert report.verdict == "failed"


@pytest.mark.parametrize(
    ("component", "questions", "error"),
    [
        (BOT, QUESTIONS[:3], InputError),
        (Component(name="fraud"), QUESTIONS, InputError),
        (BOT, [Exchange("?", "")] * 200, NotEnoughDataError),
    ],
)
def test_what_cannot_be_tried_is_refused(component, questions, error):
    with pytest.raises(error):
        trial_of_answers(component, questions, GOOD, GOOD, baseline=1.0, candidate_version="2")
