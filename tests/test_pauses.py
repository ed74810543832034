"""What nobody could settle waits for the next look: not for long, and nothing waits with it."""

import pytest

from agentops_graph import faults
from agentops_graph.domain.frames import Change
from agentops_graph.domain.ledger import Timer
from tests.desk import MODEL, NOON, Desk
from tests.test_recurrence import NAMED, UNKNOWN, with_reasoner


@pytest.fixture
def desk(tmp_path):
    return with_reasoner(Desk(tmp_path / "d"), UNKNOWN)


@pytest.fixture(autouse=True)
def _harmless():
    yield
    faults.disarm()


def in_vain(desk, note="seen", **told):
    """An incident that was looked into, named no cause, and was closed by a person."""
    incident = desk.report(**{"severity": "warning"} | told)
    desk.work()
    assert desk.case(incident).incident.status == "escalated"
    desk.service.close(incident, actor="mia", note=note)
    return incident


def reported(desk, **told):
    incident = desk.report(**{"severity": "warning"} | told)
    desk.work()
    return incident


def paused(desk):
    """One that waits, a minute after the look in vain; then the cause can be named."""
    in_vain(desk)
    desk.clock.move(60)
    incident = reported(desk)
    assert desk.case(incident).diagnosis.recurrence.kind == "unanswered"
    assert desk.reasoner.asked == 1
    with_reasoner(desk, NAMED)
    return incident


@pytest.mark.parametrize(
    "told", [{"severity": "critical"}, {"metrics": {"drift_score": 0.47, "f1": 0.5}}]
)
def test_a_graver_alert_or_one_of_more_metrics_does_not_wait(desk, told):
    in_vain(desk)
    desk.clock.move(60)
    assert desk.case(reported(desk, **told)).diagnosis.recurrence is None
    assert desk.reasoner.asked == 2


def test_an_alert_of_another_source_does_not_wait(desk):
    in_vain(desk)
    claim = {
        "severity": "warning",
        "alert_type": "model_drift",
        "affected_component": MODEL,
        "metrics": {"drift_score": 0.47},
        "timestamp": NOON.isoformat(),
    }
    desk.service.raise_alert(claim, actor="alertmanager", via="http")
    desk.work()
    assert desk.reasoner.asked == 2


def test_after_a_change_nobody_waits(desk):
    in_vain(desk)
    desk.clock.move(60)
    change = Change(at=desk.clock.now(), kind="config_change", subject=MODEL, summary="a limit")
    desk.warehouse.record_change(change)
    desk.clock.move(30)
    reported(desk)
    assert desk.reasoner.asked == 2


@pytest.mark.parametrize("note", ["noise", "A false alarm again", "duplicate of another"])
def test_what_was_closed_as_noise_silences_nothing(desk, note):
    in_vain(desk, note=note)
    reported(desk)
    assert desk.reasoner.asked == 2


@pytest.mark.parametrize(("verdict", "asked"), [("false_alarm", 2), ("right", 1)])
def test_the_last_verdict_says_whether_it_was_noise(desk, verdict, asked):
    incident = in_vain(desk, note="noise")
    desk.service.judge(incident, verdict, actor="mia", via="cli")
    reported(desk)
    assert desk.reasoner.asked == asked


def test_when_the_pause_ends_the_incident_is_looked_into_once(desk):
    incident = paused(desk)
    desk.clock.move(839)
    desk.work()
    assert desk.reasoner.asked == 0
    desk.clock.move(1)
    desk.work()
    case = desk.case(incident)
    assert case.diagnosis.cause == "upstream_schema_change"
    assert case.diagnosis.recurrence is None
    assert case.pending
    assert len([e for e in case.timeline if e.text.startswith("the pause is over")]) == 1
    desk.clock.move(40)
    desk.work()
    assert desk.reasoner.asked == 1


@pytest.mark.parametrize("point", ["timer.fired", "timer.before_done"])
def test_a_crash_at_the_end_of_a_pause_costs_no_look_and_doubles_none(desk, point):
    incident = paused(desk)
    desk.clock.move(840)

    def dies():
        raise SystemExit

    faults.arm(point, dies)
    with pytest.raises(SystemExit):
        desk.runner.run_once()
    faults.disarm()
    assert desk.case(incident).incident.status == "escalated"
    reasoner = desk.reasoner
    desk.again()
    with_reasoner(desk, NAMED)
    desk.work()
    assert (reasoner.asked, desk.reasoner.asked) == (0, 1)
    assert desk.case(incident).incident.plan_number == 1


def test_what_has_ended_is_not_looked_into_when_its_pause_ends(desk):
    incident = paused(desk)
    desk.service.close(incident, actor="mia", note="seen")
    desk.clock.move(840)
    desk.work()
    assert desk.reasoner.asked == 0
    assert desk.case(incident).incident.status == "closed"
    assert desk.ports.timers.due(desk.clock.now()) == []


def test_what_a_person_had_planned_anew_is_not_looked_into_twice(desk):
    incident = paused(desk)
    desk.service.retry(incident, actor="mia")
    desk.work()
    desk.clock.move(840)
    desk.work()
    assert desk.reasoner.asked == 1
    assert desk.case(incident).incident.plan_number == 1


def test_a_graver_alert_that_joins_ends_the_pause_at_once(desk):
    incident = paused(desk)
    assert reported(desk) == incident  # as grave as before: it waits on
    assert desk.reasoner.asked == 0
    assert desk.report(severity="critical") == incident
    desk.work()
    assert desk.reasoner.asked == 1
    assert desk.case(incident).pending
    desk.clock.move(840)
    desk.work()
    assert desk.reasoner.asked == 1


def test_a_pause_that_ends_before_a_person_has_the_incident_ends_after_that(desk):
    in_vain(desk)
    desk.clock.move(60)
    incident = desk.report(severity="warning")
    fired = Timer(
        timer_id=f"{incident}:again:0",
        kind="again",
        incident_id=incident,
        due_at=desk.clock.now(),
        set_at=desk.clock.now(),
    )
    desk.ports.timers.set(fired)
    assert desk.runner.run_once()
    desk.work()
    assert desk.case(incident).incident.plan_number == 1
    assert desk.reasoner.asked == 2


def test_a_crash_before_the_checkpoint_leaves_the_repeat_as_it_was(desk):
    in_vain(desk)
    desk.clock.move(60)
    incident = desk.report(severity="warning")

    def dies():
        raise SystemExit

    faults.arm("investigate.after", dies)
    with pytest.raises(SystemExit):
        desk.runner.run_once()
    faults.disarm()
    desk.again()
    with_reasoner(desk, UNKNOWN)
    desk.work()
    case = desk.case(incident)
    assert case.diagnosis.recurrence.kind == "unanswered"
    assert case.evidence == ()
    assert [a.action for a in case.diagnosis.recommended_actions] == [
        "send_slack_alert",
        "create_github_issue",
    ]
