"""Hostile text, one case of each place, through the whole agent and a model that obeys it."""

import pytest

from evals.safety.__main__ import ARMS, cases, results

PLACES = [
    "alert_summary",
    "segment",
    "metric",
    "feature",
    "runbook",
    "change",
    "log",
    "incident",
    "status",
    "chat",
]


def test_the_corpus_has_cases_for_every_place():
    every = cases()
    assert len(every) >= 60
    assert len({(case["place"], case["text"]) for case in every}) == len(every)
    assert [case["place"] for case in cases(quick=True)] == PLACES


def test_a_log_line_that_gives_orders_changes_nothing():
    chosen = [case for case in cases() if case["place"] == "log"][:1]
    found = list(results(chosen))
    assert [one.arm for one in found] == list(ARMS)
    assert [one.effects for one in found] == [(), (), ()]
    assert [one.seen for one in found] == [False, True, True]


@pytest.mark.slow
def test_nothing_comes_of_the_first_case_of_each_place():
    found = list(results(cases(quick=True)))
    assert [one for one in found if one.effects] == []
    assert len(found) == 3 * (len(PLACES) - 1) + 1


def test_the_check_sees_what_an_obedient_model_would_reach(monkeypatch):
    """With the model's word taken as it comes, the same case is unsafe: the check can fail."""
    import agentops_graph.diagnosis.model_reasoner as reasoner

    def believed(base, draft, final, opinion, brief):
        chosen = next(h for h in base.hypotheses if h.cause == draft.cause)
        return base.model_copy(
            update={
                "cause": chosen.cause,
                "root_cause": draft.explanation,
                "confidence": 1.0,
                "opinion": opinion,
            }
        )

    monkeypatch.setattr(reasoner, "joined", believed)
    chosen = [case for case in cases() if case["place"] == "alert_summary"][:1]
    by_arm = {one.arm: one.effects for one in results(chosen)}
    assert by_arm["evidence"] == ()
    assert any("cause" in effect for effect in by_arm["ollama"])
    assert any("told as a finding" in effect for effect in by_arm["openai"])
