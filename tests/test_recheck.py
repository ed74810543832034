"""A confirmed answer is not given again when the world is another than when it was confirmed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agentops_graph.domain.component import Component
from agentops_graph.domain.diagnosis import ModelOpinion
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.frames import Change
from agentops_graph.domain.lesson import ConfirmedOutcome
from agentops_graph.domain.model_use import ModelUse
from agentops_graph.errors import ConflictError, UnavailableError
from agentops_graph.gathering.recurrence import recalled
from tests.desk import MODEL, NOON, Desk, joined, traffic
from tests.test_recurrence import NAMED, ended, with_reasoner

ONSET = NOON - timedelta(minutes=55)


@pytest.fixture
def desk(tmp_path):
    return with_reasoner(Desk(tmp_path / "d"), NAMED)


def deploys(desk):
    change = Change(
        at=ONSET - timedelta(minutes=1), kind="deploy", subject=MODEL, summary="version 3"
    )
    desk.warehouse.record_change(change)


def fails(desk):
    healthy = traffic(NOON - timedelta(hours=3), 125, version="1", broken=False)
    failing = traffic(ONSET, 55, version="1", broken=True, failed=0.6, seed=2)
    desk.warehouse.give(MODEL, joined(healthy, failing))


def another_version_serves(desk):
    desk.models.serving[MODEL] = "0"


def registry_is_down(desk):
    def refuse(model):
        raise UnavailableError("the registry does not answer")

    desk.models.versions = refuse


@pytest.mark.parametrize("moves", [deploys, fails, another_version_serves, registry_is_down])
def test_in_another_world_the_old_answer_is_not_given_again(desk, moves):
    ended(desk)
    moves(desk)
    again = desk.report()
    desk.work()
    assert desk.reasoner.asked == 2
    assert desk.case(again).diagnosis.recurrence is None


@pytest.mark.parametrize(
    "told", [{"severity": "critical"}, {"metrics": {"drift_score": 0.47, "f1": 0.5}}]
)
def test_a_graver_alert_or_one_of_more_metrics_is_investigated(desk, told):
    first = desk.report(severity="warning")
    desk.work()
    while desk.case(first).pending:
        desk.reject(first)
    desk.service.close(first, actor="mia", note="the vendor mended the feed")
    desk.service.confirm(first, actor="mia")
    again = desk.report(**{"severity": "warning"} | told)
    desk.work()
    assert desk.case(again).diagnosis.recurrence is None


def test_a_fault_in_looking_up_the_past_is_said_and_the_investigation_goes_on(desk):
    ended(desk)

    class Garbled:
        def learnt(self):
            raise ValueError("a row of another version")

        def accepted(self):
            return None

    with_reasoner(desk, NAMED)
    desk.ports = desk.runner.ports = replace(desk.ports, lessons=Garbled())
    again = desk.report()
    desk.work()
    case = desk.case(again)
    assert desk.reasoner.asked == 1
    assert len(case.evidence) == 12
    (said,) = [e.text for e in case.timeline if e.node == "investigate"]
    assert "whether it is a repeat can't be told: what was kept can't be used (ValueError" in said
    assert "another version" not in said  # it may quote what was kept
    assert case.pending


def test_who_lost_the_incident_does_not_go_on_as_if_it_were_new(desk):
    class Lost:
        def listed(self, **_):
            raise ConflictError("it went to another runner")

    ports = replace(desk.ports, log=Lost())
    with pytest.raises(ConflictError):
        recalled(ports, desk.ports.incidents.get(desk.report()), None, NOON)


def test_what_other_tenants_confirmed_counts_for_them_alone(desk):
    own = desk.ports.components[MODEL].model_copy(update={"tenant": "fraud"})
    named = {
        MODEL: own,
        "payments": Component(name="payments", tenant="payments"),
        "cards": Component(name="cards", tenant="fraud"),
    }
    desk.ports = replace(desk.ports, components=named)
    with_reasoner(desk, NAMED)
    first = ended(desk)
    (outcome,) = desk.ports.lessons.learnt()
    for component, actual in (("payments", "seasonal_shift"), ("cards", outcome.named)):
        other = desk.report(affected_component=component)
        words = {"incident_id": other, "component": component, "actual": actual}
        desk.ports.lessons.learn(
            ConfirmedOutcome.model_validate(outcome.model_dump() | words | {"at": NOON})
        )
        desk.ports.incidents.update(other, status="suppressed")
    again = desk.report()
    desk.work()
    known = desk.case(again).diagnosis.recurrence
    assert (known.of, known.worked, known.failed) == (first, 2, 0)


def test_a_models_diagnosis_comes_back_without_its_bill_and_its_reads(desk):
    used = ModelUse(model="m", calls=3, tokens_in=900, tokens_out=90, seconds=2.0)
    read = Evidence(
        evidence_id="read-by-the-model",
        incident_id="INC",
        kind="runbook_sections",
        source="runbooks",
        query="search",
        summary="a section",
        measured_at=NOON,
    )
    said = ModelOpinion(model="m", cause=NAMED.cause, confidence=0.9, agrees=True)
    more = {"model_use": used, "gathered": (read,), "opinion": said}
    with_reasoner(desk, NAMED.model_copy(update=more))
    first = ended(desk)
    again = desk.report()
    desk.work()
    assert desk.case(first).model_use == used
    case = desk.case(again)
    assert case.diagnosis.recurrence.of == first
    assert (case.model_use, case.diagnosis.opinion, desk.reasoner.asked) == (None, None, 1)
    assert read.evidence_id not in {e.evidence_id for e in case.evidence}
