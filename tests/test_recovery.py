"""An alert of another system ends where it came from, and what rests on it here ends with it."""

from datetime import timedelta

import pytest

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.delivery import Outside, key_of
from agentops_graph.errors import NotEnoughDataError, UnavailableError
from agentops_graph.monitor import tick
from tests.desk import MODEL, NOON, Desk, traffic

ELSEWHERE = "checkout-service"  # not in components.yaml


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def message(status, fingerprint="a1", *, component=MODEL, group="g", starts_at=NOON, **claim):
    values = {
        "severity": "critical",
        "alert_type": "model_drift",
        "affected_component": component,
        "timestamp": starts_at,
        "summary": "ModelDrifts: PSI above 0.3",
    }
    key = key_of("alertmanager", group, fingerprint, starts_at.isoformat(), status)
    is_over = status == "resolved"
    return Outside(
        source="alertmanager",
        key=key,
        fingerprint=fingerprint,
        starts_at=starts_at,
        over_at=starts_at + timedelta(minutes=1) if is_over else None,
        claim=None if is_over else AlertClaim(**values | claim),
    )


def told(desk, *args, **fields):
    messages = [message(*args, **fields)]
    (delivered,) = desk.service.deliver(messages, actor="alertmanager", via="http")
    return delivered


def waiting(desk, *args, **fields):
    """The incident of a message, as far as the agent comes without a person."""
    incident = told(desk, "firing", *args, **fields).incident_id
    desk.work()
    return incident


def calm(desk):
    start = NOON - timedelta(hours=3)
    desk.warehouse.give(MODEL, traffic(start, 300, version="1", broken=False))


def over(desk, *args, **fields):
    desk.clock.move(120)
    assert told(desk, "resolved", *args, **fields).outcome == "resolved"
    desk.work()


def status_of(desk, incident):
    return desk.case(incident).incident.status


def said(desk, incident):
    return [event.text for event in desk.case(incident).timeline]


def test_an_approval_that_waits_is_withdrawn_and_the_incident_resolves(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)
    calm(desk)
    over(desk)
    held = desk.service.approval(approval)
    assert (held.status, held.decided_by) == ("withdrawn", "agentops")
    assert "every alert it rests on is over" in held.reason
    case = desk.case(incident)
    assert (case.incident.status, case.resolution.resolution_status) == ("resolved", "resolved")
    assert desk.actuator.keys == []
    rows = [r["what"] for r in desk.ports.audit.rows(incident)]
    assert rows.count("incident.recovered") == 1
    assert desk.ports.audit.verify() is None


def test_incident_of_a_person_resolves_too_and_they_are_told(desk):
    incident = waiting(desk, component=ELSEWHERE)
    assert status_of(desk, incident) == "escalated"
    over(desk)
    case = desk.case(incident)
    assert (case.incident.status, case.resolution.resolution_status) == ("resolved", "resolved")
    assert case.incident.ended_at == desk.clock.now()
    assert [m for m in desk.notifier.sent if ":recovered:" in m] == [
        f"{incident}:recovered:{number}" for number in (0, 1)
    ]
    desk.work()
    assert desk.ports.outside_alerts.recovering(desk.clock.now()) == []


def test_end_that_came_first_opens_nothing_when_its_alert_comes(desk):
    told(desk, "resolved", component=ELSEWHERE)
    late = told(desk, "firing", component=ELSEWHERE)
    assert (late.outcome, late.incident_id) == ("over", None)
    again = told(desk, "firing", component=ELSEWHERE, starts_at=NOON + timedelta(hours=1))
    assert again.outcome == "opened"


def test_incident_ends_with_the_last_of_its_alerts(desk):
    incident = waiting(desk, component=ELSEWHERE)
    assert told(desk, "firing", "b2", component=ELSEWHERE).incident_id == incident
    assert told(desk, "firing", group="other", component=ELSEWHERE).outcome == "joined"
    over(desk)
    assert status_of(desk, incident) == "escalated"
    over(desk, "b2")
    assert status_of(desk, incident) == "resolved"


def test_alert_of_a_person_is_not_ended_by_another_systems_word(desk):
    incident = waiting(desk, component=ELSEWHERE)
    assert desk.report(affected_component=ELSEWHERE) == incident
    over(desk)
    assert status_of(desk, incident) == "escalated"


def test_incident_stays_open_while_it_is_measured_here_and_ends_when_that_does(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)
    over(desk)
    over_again = [t for t in said(desk, incident) if "measured here it still holds" in t]
    assert len(over_again) == 1
    assert desk.service.approval(approval).status == "pending"
    calm(desk)
    desk.clock.move(61)
    desk.work()
    assert status_of(desk, incident) == "resolved"
    assert len([t for t in said(desk, incident) if "still holds" in t]) == 1


def test_warehouse_that_is_down_ends_nothing(desk, monkeypatch):
    incident = waiting(desk)
    approval = desk.pending(incident)

    def down(*args, **named):
        raise UnavailableError("the warehouse does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(desk.warehouse, "predictions", down)
        over(desk)
        assert desk.service.approval(approval).status == "pending"
    calm(desk)
    desk.clock.move(61)
    desk.work()
    assert status_of(desk, incident) == "resolved"


def test_action_that_is_under_way_is_not_cut(desk):
    incident = waiting(desk)
    desk.approve(incident)
    assert status_of(desk, incident) in ("acting", "verifying")
    calm(desk)
    over(desk)
    assert status_of(desk, incident) in ("acting", "verifying")
    assert desk.actuator.keys == ["A-1:do"]
    desk.training_ends(incident)
    desk.work()
    # The next step is a question, and nobody has to answer it any more.
    assert status_of(desk, incident) == "resolved"
    assert [a.status for a in desk.case(incident).approvals] == ["approved", "withdrawn"]


def test_effect_that_nobody_can_know_keeps_its_incident_open(desk):
    incident = waiting(desk, component=ELSEWHERE)
    desk.ports.incidents.update(incident, needs_reconcile=True)
    over(desk)
    assert status_of(desk, incident) == "escalated"
    assert any("reconciled first" in text for text in said(desk, incident))
    desk.ports.incidents.update(incident, needs_reconcile=False)
    desk.clock.move(61)
    desk.work()
    assert status_of(desk, incident) == "resolved"


def test_decision_of_the_same_moment_stands(desk):
    incident = waiting(desk)
    calm(desk)
    desk.clock.move(120)
    told(desk, "resolved")
    desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
    desk.work()
    assert desk.actuator.keys == ["A-1:do"]
    assert desk.case(incident).approvals[0].status == "approved"


def test_our_own_measurement_joins_what_others_told_and_their_end_leaves_it_open(desk):
    incident = told(desk, "firing").incident_id
    desk.ports.incidents.update(incident, status="escalated")
    (admission,) = tick(desk.ports).admissions
    assert (admission.incident_id, admission.is_new) == (incident, False)
    assert tick(desk.ports).admissions == []
    calm(desk)
    over(desk)
    assert status_of(desk, incident) == "escalated"


def test_our_own_measurement_does_not_rest_after_what_others_took_back(desk):
    incident = told(desk, "firing").incident_id
    desk.ports.incidents.update(incident, status="escalated")
    desk.clock.move(120)
    rows = desk.warehouse
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agentops_graph.recovery.held_now", nothing_to_measure)
        told(desk, "resolved")
        desk.work()
    assert (status_of(desk, incident), desk.warehouse) == ("resolved", rows)
    (admission,) = tick(desk.ports).admissions
    assert admission.is_new


def nothing_to_measure(*_args, **_named):
    raise NotEnoughDataError("too few rows")


def test_alert_in_a_silence_opens_nothing_that_is_investigated(desk):
    desk.service.silence(MODEL, hours=1, reason="maintenance", actor="mia")
    incident = waiting(desk)
    assert status_of(desk, incident) == "suppressed"
    over(desk)
    assert status_of(desk, incident) == "suppressed"


def test_restart_between_the_end_and_the_look_loses_nothing(desk):
    incident = waiting(desk, component=ELSEWHERE)
    desk.clock.move(120)
    told(desk, "resolved", component=ELSEWHERE)
    desk.again()
    desk.work()
    assert status_of(desk, incident) == "resolved"


def test_a_rule_that_fires_elsewhere_is_not_overruled_by_figures_of_ours(desk):
    calm(desk)
    incident = waiting(desk, alert_type="anomaly_spike", summary="KubePodCrashLooping")
    assert status_of(desk, incident) == "awaiting_approval"
    assert any("has not said its end" in text for text in said(desk, incident))
    over(desk)
    assert status_of(desk, incident) == "resolved"
