"""Contract of `Incidents` and `IncidentLog`: one story, one incident; records are kept once."""

from datetime import UTC, datetime

import pytest

from agentops_graph.domain.incident import Incident, Step, TimelineEvent
from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.errors import NotFoundError
from tests.contracts.desk import AT, after, at_once


def test_an_alert_opens_an_incident_with_a_job_and_an_audit_row(desk):
    admission = desk.report()
    assert admission.is_new
    assert admission.alert.alert_id == "alert_2026-02-28_001"
    assert admission.incident_id == "INC-2026-1001"
    assert [job.incident_id for job in desk.jobs.waiting(AT)] == [admission.incident_id]
    assert desk.said_in_audit(admission.incident_id) == ["incident.opened"]
    incident = desk.incidents.get(admission.incident_id)
    assert (incident.status, incident.opened_at, incident.onset_at) == ("detected", AT, after(-600))
    assert incident.title == "Model drift detected. Aggregate PSI: 0.47"


def test_alert_ids_count_per_day(desk):
    first, second = desk.report("a"), desk.report("b")
    next_day = desk.report("c", timestamp=datetime(2026, 3, 1, 0, 5, tzinfo=UTC))
    assert [a.alert.alert_id for a in (first, second, next_day)] == [
        "alert_2026-02-28_001",
        "alert_2026-02-28_002",
        "alert_2026-03-01_001",
    ]


def test_an_alert_of_an_open_story_joins_it_and_can_raise_its_severity(desk):
    first = desk.report(severity="warning")
    second = desk.report(severity="critical")
    assert second.incident_id == first.incident_id
    assert not second.is_new
    assert desk.incidents.get(first.incident_id).severity == "critical"
    assert len(desk.log.alerts(first.incident_id)) == 2
    assert [e.text for e in desk.log.timeline(first.incident_id)] == [
        "seen again as alert_2026-02-28_002: CRITICAL: Model drift detected. Aggregate PSI: 0.47"
    ]
    assert len(desk.jobs.waiting(AT)) == 1


def test_a_milder_alert_does_not_lower_the_severity(desk):
    first = desk.report(severity="critical")
    desk.report(severity="warning")
    assert desk.incidents.get(first.incident_id).severity == "critical"


@pytest.mark.parametrize("other", [{"segment": "eu"}, {"alert_type": "latency"}])
def test_another_segment_or_type_is_another_story(desk, other):
    assert desk.report().incident_id != desk.report(**other).incident_id


def test_an_escalated_incident_is_open_and_a_resolved_one_is_not(desk):
    first = desk.report()
    desk.incidents.update(first.incident_id, status="escalated")
    assert desk.report().incident_id == first.incident_id
    desk.incidents.update(first.incident_id, status="resolved", ended_at=after(60))
    assert desk.report().is_new


def test_alerts_that_arrive_together_open_one_incident(desk):
    admissions = at_once(lambda _: desk.report())
    assert {a.incident_id for a in admissions} == {"INC-2026-1001"}
    assert sum(a.is_new for a in admissions) == 1
    assert {a.alert.alert_id for a in admissions} == {
        f"alert_2026-02-28_{n:03d}" for n in range(1, 7)
    }
    assert desk.audit.verify() is None


def test_an_unknown_incident_is_said_to_be_unknown(desk):
    with pytest.raises(NotFoundError, match="INC-2026-9"):
        desk.incidents.get("INC-2026-9")


def test_changes_and_their_event_are_written_together(desk):
    incident_id = desk.report().incident_id
    event = TimelineEvent(
        incident_id=incident_id,
        at=after(5),
        agent="Monitor",
        node="triage",
        kind="step",
        text="critical model_drift",
        ms=1.5,
        fields={"rows": 200},
    )
    desk.incidents.update(incident_id, event, status="investigating", plan_number=1)
    incident = desk.incidents.get(incident_id)
    assert (incident.status, incident.plan_number) == ("investigating", 1)
    (read,) = desk.log.timeline(incident_id)
    assert read.model_copy(update={"seq": 0}) == event


def test_the_timeline_keeps_the_order_of_writing(desk):
    incident_id = desk.report().incident_id
    for text in ("one", "two", "three"):
        event = TimelineEvent(incident_id=incident_id, at=AT, node="n", kind="note", text=text)
        desk.incidents.update(incident_id, event)
    timeline = desk.log.timeline(incident_id)
    assert [e.text for e in timeline] == ["one", "two", "three"]
    assert [e.seq for e in timeline] == sorted({e.seq for e in timeline})


def test_a_record_is_kept_once_and_the_first_one_stays(desk):
    incident_id = desk.report().incident_id
    chapter = Chapter(incident_id=incident_id, kind="measurement")
    first = desk.incidents.keep(chapter, Note(values={"drift_score": 0.47}))
    second = desk.incidents.keep(chapter, Note(values={"drift_score": 0.11}))
    assert first == second == {"values": {"drift_score": 0.47}}


def test_records_kept_together_leave_one(desk):
    incident_id = desk.report().incident_id
    chapter = Chapter(incident_id=incident_id, kind="measurement")
    answers = at_once(lambda n: desk.incidents.keep(chapter, Note(values={"writer": n})))
    assert all(answer == answers[0] for answer in answers)
    assert desk.incidents.kept(incident_id, "measurement") == [(chapter, answers[0])]


def test_kept_records_come_back_by_plan_and_step(desk):
    incident_id = desk.report().incident_id
    for plan_number, step in [(1, 0), (0, 10), (0, 2)]:
        chapter = Chapter(incident_id=incident_id, kind="step", plan_number=plan_number, step=step)
        record = Step(step=step, action="retrain_model", outcome="passed", details="Ω — ünïcode")
        desk.incidents.keep(chapter, record)
    kept = desk.incidents.kept(incident_id, "step")
    assert [(c.plan_number, c.step) for c, _ in kept] == [(0, 2), (0, 10), (1, 0)]
    assert kept[0][1]["details"] == "Ω — ünïcode"
    assert desk.incidents.kept(incident_id, "look") == []


def test_what_is_listed_is_newest_first_and_can_be_the_open_ones_only(desk):
    first, second = desk.report("a"), desk.report("b")
    desk.incidents.update(first.incident_id, status="resolved", opened_at=after(-60))
    listed = desk.log.listed()
    assert [i.incident_id for i in listed] == [second.incident_id, first.incident_id]
    assert all(isinstance(i, Incident) for i in listed)
    assert [i.component for i in desk.log.listed(open_only=True)] == ["b"]
    assert len(desk.log.listed(limit=1)) == 1


def test_of_many_alerts_the_newest_are_told_oldest_first(desk):
    admissions = [desk.report(timestamp=after(60 * n)) for n in (3, 0, 1, 2)]
    desk.report("other", timestamp=after(-30))
    incident_id = admissions[0].incident_id
    in_time = [admissions[n].alert.alert_id for n in (1, 2, 3, 0)]
    assert [a.alert_id for a in desk.log.alerts(incident_id)] == in_time
    assert [a.alert_id for a in desk.log.alerts(incident_id, limit=2)] == in_time[2:]
    assert [a.alert_id for a in desk.log.alerts(limit=3)] == in_time[1:]


def test_the_latest_of_more_than_a_hundred_alerts_is_seen(desk):
    admissions = [desk.report() for _ in range(101)]
    alerts = desk.log.alerts(admissions[0].incident_id)
    assert alerts[-1] == admissions[-1].alert
    assert len(alerts) == 100


def test_what_has_ended_is_not_opened_again(desk):
    incident_id = desk.report().incident_id
    desk.incidents.update(incident_id, status="closed", ended_at=AT)
    desk.incidents.update(incident_id, status="acting")
    assert desk.incidents.get(incident_id).status == "closed"


def test_a_conditional_change_is_made_while_the_row_is_as_it_was_seen(desk):
    incident_id = desk.report().incident_id
    seen = {"status": "detected", "plan_number": 0}
    note = TimelineEvent(incident_id=incident_id, at=AT, node="x", kind="note", text="taken on")
    assert desk.incidents.update_if(incident_id, seen, note, status="investigating")
    assert not desk.incidents.update_if(incident_id, seen, note, status="resolved")
    assert not desk.incidents.update_if("INC-0", seen, note, status="resolved")
    assert desk.incidents.get(incident_id).status == "investigating"
    assert [e.text for e in desk.log.timeline(incident_id)] == ["taken on"]


def test_of_several_conditional_changes_at_once_one_is_made(desk):
    incident_id = desk.report().incident_id

    def take(number):
        text = f"taken on by {number}"
        note = TimelineEvent(incident_id=incident_id, at=AT, node="x", kind="note", text=text)
        return desk.incidents.update_if(
            incident_id, {"status": "detected"}, note, status="escalated", owner=str(number)
        )

    outcomes = at_once(take)
    assert sorted(outcomes) == [False] * 5 + [True]
    owner = desk.incidents.get(incident_id).owner
    assert outcomes.index(True) == int(owner)
    assert [e.text for e in desk.log.timeline(incident_id)] == [f"taken on by {owner}"]


def test_an_incident_keeps_what_its_newest_alert_says_is_at_stake(desk):
    sums = {"eur_per_hour": 310.0, "eur_per_hour_low": 210.0, "eur_per_hour_high": 420.0}
    loss = {"loss_f1": 0.2, "loss_f1_low": 0.1, "loss_f1_high": 0.3}
    held = desk.report(metrics={"drift_score": 0.47}).incident_id
    seen = desk.incidents.get(held)
    assert (seen.hourly_cost, seen.currency, seen.metric_loss) == (None, None, None)
    desk.report(metrics=sums | loss)
    desk.report(metrics={"drift_score": 0.5})
    seen = desk.incidents.get(held)
    assert (seen.hourly_cost, seen.currency, seen.metric_loss) == (310.0, "EUR", 0.2)
