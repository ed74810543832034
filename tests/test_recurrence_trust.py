"""An earlier answer is believed as far as it was right, and a crash while it is looked up leaves
neither half an answer nor another's figures."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from agentops_graph import faults
from agentops_graph.domain.diagnosis import Claim, ModelOpinion
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.lesson import last_words
from agentops_graph.domain.model_use import ModelUse
from agentops_graph.errors import AgentOpsError
from agentops_graph.service import Service
from tests.desk import MODEL, NOON, Desk
from tests.test_recurrence import NAMED, UNKNOWN, ended, with_reasoner

USE = ModelUse(model="llama3", calls=3, tokens_in=900, tokens_out=90, cost=0.5, seconds=40.0)
READ = Evidence(
    evidence_id="INC-2026-1001/D0/T1",
    incident_id="INC-2026-1001",
    kind="changes",
    source="CHANGES",
    query="changes(payments)",
    summary="no changes recorded",
    measured_at=NOON,
)
# As a language model and the evidence weights would name it together.
BY_A_MODEL = NAMED.model_copy(
    update={
        "reasoner": "ollama",
        "model_use": USE,
        "opinion": ModelOpinion(model="llama3", cause=NAMED.cause, confidence=0.9, agrees=True),
        "gathered": (READ,),
        "claims": (
            Claim(signal="drift_seen", seen=True, weight=1.0, evidence_id="INC/p0/E2", text="yes"),
        ),
        "hypotheses": (
            NAMED.hypotheses[0].model_copy(
                update={"weights": {"drift_seen": 1.2, "accuracy_dropped": 0.4}}
            ),
        ),
    }
)


@pytest.fixture
def desk(tmp_path):
    return with_reasoner(Desk(tmp_path / "d"), NAMED)


def test_a_model_s_answer_comes_back_without_its_calls_its_reads_and_its_figures(desk):
    with_reasoner(desk, BY_A_MODEL)
    first = ended(desk)
    assert desk.case(first).model_use.calls == 3
    again = desk.report()
    desk.work()
    case = desk.case(again)
    assert case.diagnosis.recurrence.of == first
    assert case.diagnosis.recurrence.first_ms >= 40_000
    assert case.model_use is None
    assert (case.diagnosis.opinion, case.diagnosis.gathered) == (None, ())
    own = {piece.evidence_id for piece in case.evidence}
    assert own
    assert all(name.startswith(again) for name in own)
    assert {claim.evidence_id for claim in case.diagnosis.claims} <= own
    assert [claim.signal for claim in case.diagnosis.claims] == ["drift_seen"]
    assert "The vendor changed the units" in case.diagnosis.root_cause
    assert desk.reasoner.asked == 1


def test_repeats_of_repeats_are_held_against_the_one_that_was_investigated(desk):
    first = ended(desk)
    for times in (1, 2, 3):
        known = desk.case(ended(desk)).diagnosis.recurrence
        assert (known.worked, known.calls) == (times, 4)
    assert known.first_calls == len(desk.case(first).evidence) + 4
    assert known.trust == pytest.approx(0.8)
    assert desk.reasoner.asked == 1


def test_a_wrongly_confirmed_answer_is_dropped_once_a_person_says_so(desk):
    first = ended(desk)
    desk.service.confirm(first, actor="ben", cause="seasonal_shift")
    again = desk.report()
    desk.work()
    assert desk.case(again).diagnosis.recurrence is None
    assert desk.reasoner.asked == 2


def test_an_answer_whose_repeat_was_left_to_a_person_loses_trust_until_somebody_confirms_it(desk):
    ended(desk)
    given_up = ended(desk, cause="unsaid")
    assert desk.case(given_up).diagnosis.recurrence.trust == pytest.approx(2 / 3, abs=0.001)
    ended(desk)  # nobody confirmed the last one: looked into, and right once more
    known = desk.case(ended(desk)).diagnosis.recurrence
    assert (known.worked, known.failed) == (2, 1)
    assert known.trust == pytest.approx(0.6)
    desk.service.confirm(given_up, actor="mia")
    known = desk.case(ended(desk)).diagnosis.recurrence
    assert (known.worked, known.failed) == (4, 0)


def test_an_answer_under_the_trust_that_policy_asks_for_is_not_offered(desk):
    with_reasoner(desk, NAMED, recurrence_trust=0.7)
    ended(desk)
    desk.report()
    desk.work()
    assert desk.reasoner.asked == 2


@pytest.fixture(autouse=True)
def _harmless():
    yield
    faults.disarm()


class Killed(BaseException):
    """The end of the process, which nothing catches."""


class DiesAfter:
    """Once a record of that kind is written the process is gone."""

    def __init__(self, behind, kind):
        self._behind, self._kind = behind, kind

    def __getattr__(self, name):
        return getattr(self._behind, name)

    def keep(self, chapter, record):
        kept = self._behind.keep(chapter, record)
        if chapter.kind == self._kind:
            raise Killed
        return kept


def die():
    raise Killed


def killed_at(desk, where):
    """Works until the process dies there, at a record or a named point; then another life begins on
    the same folder."""
    ports = desk.ports
    if where in faults.POINTS:
        faults.arm(where, die)
    else:
        desk.runner.ports = replace(ports, incidents=DiesAfter(ports.incidents, where))
    with pytest.raises(Killed):
        desk.work()
    faults.disarm()
    reasoner, policy = desk.reasoner, ports.policy
    desk.open()
    desk.reasoner = reasoner
    desk.ports = desk.runner.ports = replace(desk.ports, reasoner=reasoner, policy=policy)
    desk.service.__init__(desk.ports)
    desk.clock.move(60)  # the lease of the one that died


def healthy_again(desk):
    """What spoke for the answer is gone by now."""
    healthy = desk.warehouse.predictions(
        MODEL, NOON - timedelta(hours=3), NOON - timedelta(minutes=58)
    )
    desk.warehouse.give(MODEL, healthy)


@pytest.mark.parametrize("record", ["evidence", "recurrence"])
def test_killed_while_a_repeat_is_written_down_nothing_of_it_stays(desk, record):
    ended(desk)
    again = desk.report()
    killed_at(desk, record)
    healthy_again(desk)
    desk.work()
    case = desk.case(again)
    assert case.diagnosis.recurrence is None
    kinds = [piece.kind for piece in case.evidence]
    assert len(kinds) == len(set(kinds)) > 5
    assert desk.reasoner.asked == 2


@pytest.mark.parametrize("point", ["investigate.after", "diagnose.before", "diagnose.after"])
def test_killed_once_it_is_written_down_the_next_life_tells_the_same(desk, point):
    ended(desk)
    again = desk.report()
    killed_at(desk, point)
    healthy_again(desk)
    desk.work()
    case = desk.case(again)
    assert case.diagnosis.recurrence.kind == "answered"
    assert len(case.evidence) == case.diagnosis.recurrence.calls
    assert case.diagnosis.evidence == tuple(piece.evidence_id for piece in case.evidence)
    assert desk.reasoner.asked == 1


def test_killed_after_a_repeat_was_handed_on_it_is_looked_into_once_the_pause_is_over(desk):
    with_reasoner(desk, UNKNOWN)
    ended(desk, cause="unsaid")
    again = desk.report()
    killed_at(desk, "investigate.after")
    desk.clock.move(3600)
    desk.work()
    case = desk.case(again)
    assert case.incident.status == "escalated"
    assert case.diagnosis.recurrence is None
    assert desk.reasoner.asked == 2


def test_two_people_who_confirm_at_once_leave_one_word_each_and_the_last_counts(desk, tmp_path):
    incident_id = ended(desk, cause="unsaid")
    other = Desk(tmp_path / "d")
    services = {"mia": desk.service, "ben": Service(replace(other.ports, shelf=desk.shelf))}
    said = {"mia": None, "ben": "seasonal_shift"}
    together, trouble = threading.Barrier(2), []

    def confirm(actor):
        together.wait()
        try:
            services[actor].confirm(incident_id, actor=actor, cause=said[actor])
        except AgentOpsError as error:
            trouble.append(error)

    threads = [threading.Thread(target=confirm, args=(actor,)) for actor in services]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert trouble == []
    learnt = desk.ports.lessons.learnt()
    assert sorted(one.actor for one in learnt) == ["ben", "mia"]
    (last,) = last_words(learnt)
    assert last == learnt[-1]
    rows = [r["actor"] for r in desk.ports.audit.rows() if r["what"] == "outcome.confirmed"]
    assert rows == [one.actor for one in learnt]
    assert desk.service.lessons_report().outcomes == 1
