"""What comes back is answered from before for a tenth of the cost, or goes to a person."""

import json
from datetime import timedelta

import pytest

from agentops_graph.adapters.memory.outside import ScriptedReasoner
from agentops_graph.domain.diagnosis import Hypothesis, ModelOpinion
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.model_use import ModelUse
from agentops_graph.domain.policy import Policy
from tests.desk import MODEL, NOON, Desk, diagnosis

NAMED = diagnosis().model_copy(
    update={
        "hypotheses": (
            Hypothesis(
                cause="upstream_schema_change",
                title="The vendor changed the units",
                reference="model_drift.md#section-3-2",
                probability=0.9,
                signals_for=("few_features_drifted", "accuracy_dropped", "drift_seen"),
            ),
        )
    }
)
UNKNOWN = diagnosis(()).model_copy(
    update={"cause": "unknown", "confidence": None, "root_cause": "Unknown: nothing fits"}
)


class Counting(ScriptedReasoner):
    """Counts how often it is asked."""

    asked = 0

    def diagnose(self, brief):
        self.asked += 1
        return super().diagnose(brief)


@pytest.fixture
def desk(tmp_path):
    return with_reasoner(Desk(tmp_path / "d"), NAMED)


def with_reasoner(desk, named, **policy):
    from dataclasses import replace

    desk.reasoner = Counting(named)
    changed = replace(desk.ports, reasoner=desk.reasoner, policy=Policy(**policy))
    desk.ports = desk.runner.ports = changed
    desk.service.__init__(changed)
    return desk


def ended(desk, cause=None):
    """An incident that a person closed and whose report they confirmed."""
    incident_id = desk.report()
    desk.work()
    while desk.case(incident_id).pending:
        desk.reject(incident_id)
    desk.service.close(incident_id, actor="mia", note="the vendor mended the feed")
    if cause != "unsaid":
        desk.service.confirm(incident_id, actor="mia", cause=cause)
    return incident_id


def test_a_repeat_offers_the_confirmed_answer_and_asks_no_reasoner(desk):
    first = ended(desk)
    calls = len(desk.case(first).evidence) + 4  # causes, two searches and the reasoner
    again = desk.report()
    desk.work()
    case = desk.case(again)
    assert case.diagnosis.cause == "upstream_schema_change"
    assert case.diagnosis.reasoner == "recurrence"
    assert case.diagnosis.similar_incidents == (first,)
    known = case.diagnosis.recurrence
    assert (known.of, known.worked, known.failed) == (first, 1, 0)
    assert case.diagnosis.confidence == pytest.approx(2 / 3, abs=0.001)
    # One of the first sixteen calls for the answer, and three that would tell of another cause.
    assert (known.calls, known.first_calls) == (len(case.evidence), calls) == (4, 16)
    assert {"changes", "model_versions", "service_health"} <= {e.kind for e in case.evidence}
    assert desk.reasoner.asked == 1
    assert case.pending  # a person is asked, as ever


def test_an_answer_that_the_evidence_does_not_bear_out_is_not_offered(desk):
    ended(desk)
    desk.warehouse.give(
        MODEL,
        desk.warehouse.predictions(MODEL, NOON - timedelta(hours=3), NOON - timedelta(minutes=58)),
    )
    desk.report()
    desk.work()
    assert desk.reasoner.asked == 2


def test_an_answer_nobody_confirmed_is_not_offered(desk):
    ended(desk, cause="unsaid")
    desk.report()
    desk.work()
    assert desk.reasoner.asked == 2


def test_an_answer_that_was_corrected_is_not_offered(desk):
    ended(desk, cause="seasonal_shift")
    desk.report()
    desk.work()
    assert desk.reasoner.asked == 2


def test_an_answer_outside_the_window_is_not_offered(desk):
    ended(desk)
    with_reasoner(desk, NAMED, recurrence_window_s=0)
    desk.clock.move(60)
    desk.report()
    desk.work()
    assert desk.reasoner.asked == 1  # of the new reasoner


def test_trust_falls_when_the_answer_was_wrong_again(desk):
    first = ended(desk)
    wrong = ended(desk, cause="seasonal_shift")
    assert desk.case(wrong).diagnosis.recurrence.of == first
    right = ended(desk)
    third = desk.report()
    desk.work()
    # One of three was wrong: (1 + 2) / (2 + 3) is just enough.
    assert desk.case(third).diagnosis.recurrence.trust == pytest.approx(0.6)
    assert desk.case(third).diagnosis.recurrence.of == right


def test_who_asks_anew_gets_fresh_eyes(desk):
    ended(desk)
    again = desk.report()
    desk.work()
    while desk.case(again).pending:
        desk.reject(again)
    desk.service.retry(again, actor="mia")
    desk.work()
    assert desk.reasoner.asked == 2
    assert desk.case(again).diagnosis.recurrence is None


def test_a_repeat_of_what_nobody_could_settle_goes_to_a_person_and_not_round_again(desk):
    with_reasoner(desk, UNKNOWN)
    first = ended(desk, cause="unsaid")
    for _ in range(3):
        again = desk.report()
        desk.work()
        case = desk.case(again)
        assert case.incident.status == "escalated"
        assert case.diagnosis.recurrence.kind == "unanswered"
        assert case.diagnosis.recurrence.of == first
        assert case.evidence == ()
        desk.service.close(again, actor="mia", note="seen")
    assert desk.reasoner.asked == 1


def test_the_pause_ends_and_doubles(desk):
    with_reasoner(desk, UNKNOWN)
    ended(desk, cause="unsaid")
    desk.clock.move(901)
    ended(desk, cause="unsaid")
    assert desk.reasoner.asked == 2
    desk.clock.move(901)
    ended(desk, cause="unsaid")
    assert desk.reasoner.asked == 2
    desk.clock.move(900)
    ended(desk, cause="unsaid")
    assert desk.reasoner.asked == 3


def test_the_report_of_an_incident_closed_by_hand_tells_everything(desk):
    text = desk.service.postmortem(ended(desk))
    for heading in ("Timeline", "Root cause", "Evidence", "What would have caught it earlier"):
        assert f". {heading}\n" in text
    assert "It began 55 min before the alert." in text
    assert "Confidence at the time: 90%" in text


def test_a_confirmed_outcome_stands_in_the_ledger_with_its_audit(desk):
    incident_id = ended(desk, cause="seasonal_shift")
    (learnt,) = desk.ports.lessons.learnt()
    assert (learnt.named, learnt.actual) == ("upstream_schema_change", "seasonal_shift")
    rows = [
        json.loads(str(r["fields"]))
        for r in desk.ports.audit.rows()
        if r["what"] == "outcome.confirmed"
    ]
    assert rows[0]["actual"] == "seasonal_shift"
    assert "root_cause: seasonal_shift" in desk.shelf.incidents[incident_id]


def test_a_repeat_carries_no_opinion_reads_or_cost_of_the_earlier_ones_model(tmp_path):
    read = Evidence(
        evidence_id="D0/T1",
        incident_id="earlier",
        kind="metric_history",
        source="PREDICTION_LOGS",
        query="predictions()",
        summary="as before",
        measured_at=NOON,
    )
    opinion = ModelOpinion(
        model="ollama:small", cause="bad_release", confidence=0.9, evidence=("D0/T1",), agrees=False
    )
    first = NAMED.hypotheses[0].model_copy(update={"weights": {"drift_seen": 1.5}})
    told = NAMED.model_copy(
        update={
            "hypotheses": (first,),
            "opinion": opinion,
            "model_use": ModelUse(model="ollama:small", calls=3, tokens_in=900, tokens_out=90),
            "gathered": (read,),
        }
    )
    desk = with_reasoner(Desk(tmp_path / "d"), told)
    earlier = ended(desk)
    assert desk.case(earlier).model_use.calls == 3
    again = desk.report()
    desk.work()
    case = desk.case(again)
    assert case.diagnosis.recurrence is not None
    assert (case.diagnosis.opinion, case.model_use) == (None, None)
    known = {piece.evidence_id for piece in case.evidence}
    assert "D0/T1" not in known
    assert [claim.signal for claim in case.diagnosis.claims] == ["drift_seen"]
    assert {claim.evidence_id for claim in case.diagnosis.claims} <= known
