"""Contract of admission with kin, and of `IncidentLog.told`: one story is one incident."""

import pytest

from agentops_graph.domain.alert import Finding
from agentops_graph.domain.component import Component
from agentops_graph.domain.story import kin_of
from tests.contracts.desk import AT, after, at_once, claim

COMPONENTS = {
    "orders": Component(name="orders", kind="pipeline"),
    "fraud-detector": Component(name="fraud-detector", feeds=("orders",)),
    "other": Component(name="other"),
}


def feed_claim(**changes):
    return claim("orders", **{"alert_type": "data_quality", "severity": "warning"} | changes)


def admit(desk, given, at=AT, by="monitor"):
    return desk.incidents.admit(given, opened_by=by, at=at, kin=kin_of(given, COMPONENTS, at))


def test_a_models_drift_joins_the_incident_of_the_feed_behind_it(desk):
    feed = admit(desk, feed_claim())
    model = admit(desk, claim())
    assert (model.incident_id, model.is_new) == (feed.incident_id, False)
    incident = desk.incidents.get(feed.incident_id)
    assert (incident.component, incident.severity) == ("orders", "critical")
    joined = [a.affected_component for a in desk.log.alerts(feed.incident_id)]
    assert joined == ["orders", "fraud-detector"]
    assert "belongs to this" in desk.log.timeline(feed.incident_id)[-1].text
    assert desk.said_in_audit(feed.incident_id) == ["incident.opened", "incident.joined"]
    assert len(desk.jobs.waiting(AT)) == 1
    assert desk.audit.verify() is None


def test_a_feeds_failure_that_is_seen_later_joins_the_models_incident(desk):
    model = admit(desk, claim())
    feed = admit(desk, feed_claim(), at=after(3600))
    assert feed.incident_id == model.incident_id
    assert desk.incidents.get(model.incident_id).component == "fraud-detector"


def test_an_alert_of_a_place_that_joined_joins_again_whoever_reports_it(desk):
    feed = admit(desk, feed_claim())
    admit(desk, claim())
    again = desk.incidents.admit(claim(), opened_by="pager", at=after(60))
    assert (again.incident_id, again.is_new) == (feed.incident_id, False)
    assert [i.incident_id for i in desk.log.listed()] == [feed.incident_id]


@pytest.mark.parametrize(
    "given",
    [
        claim("other"),
        claim(alert_type="latency"),
        claim(onset_at=after(-7200)),  # drifted long before the feed broke
    ],
    ids=["another component", "not a feed's doing", "before its cause"],
)
def test_what_the_feed_does_not_explain_is_a_story_of_its_own(desk, given):
    feed = admit(desk, feed_claim())
    assert admit(desk, given).incident_id != feed.incident_id


def test_an_older_incident_and_one_with_a_person_take_nothing_in(desk):
    older = admit(desk, feed_claim())
    late = admit(desk, claim(), at=after(7201))
    assert late.incident_id != older.incident_id
    desk.incidents.update(late.incident_id, status="closed", ended_at=after(7202))
    desk.incidents.update(older.incident_id, status="escalated", owner="on-call")
    assert admit(desk, claim()).incident_id != older.incident_id


def test_a_segment_joins_what_tells_of_the_whole_however_old_and_a_whole_joins_no_segment(desk):
    part = claim(segment="country=DE")
    first = admit(desk, part)
    whole = admit(desk, claim())
    assert whole.incident_id != first.incident_id
    other = admit(desk, claim(segment="country=FR"), at=after(90_000))
    assert (other.incident_id, other.is_new) == (whole.incident_id, False)
    assert admit(desk, part, at=after(90_001)).incident_id == first.incident_id


def test_a_segment_joins_no_incident_of_other_rows_or_of_another_kind(desk):
    drift = admit(desk, claim(segment="country=DE"))
    assert admit(desk, claim(segment="country=FR")).incident_id != drift.incident_id
    latency = admit(desk, claim(alert_type="latency"))
    assert admit(desk, claim("other", segment="country=FR")).incident_id != latency.incident_id


def test_components_of_two_tenants_never_share_an_incident(desk):
    theirs = {**COMPONENTS, "orders": Component(name="orders", kind="pipeline", tenant="south")}
    feed = admit(desk, feed_claim())
    kin = kin_of(claim(), theirs, AT)
    model = desk.incidents.admit(claim(), opened_by="monitor", at=AT, kin=kin)
    assert kin == ()
    assert model.incident_id != feed.incident_id


def test_monitors_that_see_feed_and_model_at_once_open_one_incident(desk):
    claims = [feed_claim(), claim()] * 3
    admissions = at_once(lambda n: admit(desk, claims[n]))
    assert len({a.incident_id for a in admissions}) == 1
    assert sum(a.is_new for a in admissions) == 1
    assert len(desk.log.listed()) == 1
    assert len(desk.log.alerts(admissions[0].incident_id)) == 6
    assert len(desk.jobs.waiting(AT)) == 1


def finding(value, severity="critical"):
    return Finding(
        component="fraud-detector",
        alert_type="model_drift",
        severity=severity,
        metric="drift_score",
        value=value,
        threshold=0.3,
        window_start=after(-3600),
        window_end=AT,
        summary="drift",
    )


def test_what_was_told_is_known_by_place_with_the_gravest_of_it(desk):
    feed = admit(desk, feed_claim())
    admit(desk, claim(severity="warning", findings=(finding(0.45),)))
    admit(desk, claim(findings=(finding(0.36),)))
    told = {one.component: one for one in desk.log.told(after(-60))}
    assert told["fraud-detector"].severity == "critical"
    assert told["fraud-detector"].excess == pytest.approx(0.5)
    assert {one.root for one in told.values()} == {"orders"}
    assert {one.incident_id for one in told.values()} == {feed.incident_id}
    assert told["orders"].excess is None


def test_what_was_over_where_it_came_from_is_told_as_that(desk):
    first, second = desk.report("a").incident_id, desk.report("b").incident_id
    desk.audit.write("incident.recovered", actor="x", via="runner", at=AT, incident_id=first)
    told = {one.incident_id: one.is_recovered for one in desk.log.told(AT)}
    assert told == {first: True, second: False}


def test_what_ended_before_is_told_no_more(desk):
    first, second = desk.report("a").incident_id, desk.report("b").incident_id
    desk.incidents.update(first, status="closed", ended_at=after(100))
    desk.incidents.update(second, status="resolved", ended_at=after(200))
    assert {one.component for one in desk.log.told(after(150))} == {"b"}
    assert {one.component for one in desk.log.told(after(50))} == {"a", "b"}
    assert desk.log.told(after(200)) == []
