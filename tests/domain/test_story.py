"""Whether a claim is news, told, resting or worse; and whose doing it may be."""

from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.domain.alert import AlertClaim, Finding
from agentops_graph.domain.component import Component
from agentops_graph.domain.story import Told, kin_of, standing_of, upstream_first, upstream_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def claim(component="fraud", value=0.36, **changes):
    given = {"alert_type": "model_drift", "severity": "critical"} | changes
    finding = Finding(
        component=component,
        metric="drift_score",
        value=value,
        threshold=0.3,
        window_start=NOW - timedelta(hours=1),
        window_end=NOW,
        summary="drift",
        **given,
    )
    return AlertClaim(affected_component=component, timestamp=NOW, findings=(finding,), **given)


def told(**changes):
    values = {
        "incident_id": "INC-1",
        "root": "fraud",
        "component": "fraud",
        "alert_type": "model_drift",
        "severity": "critical",
        "excess": 0.2,
        "status": "resolved",
        "opened_by": "monitor",
        "ended_at": NOW - timedelta(minutes=5),
    }
    return Told(**values | changes)


def standing(given, *known, cool_down_s=1800):
    return standing_of(given, known, cool_down_s, NOW)


def test_what_nobody_told_is_news():
    assert standing(claim()) == "news"
    assert standing(claim(), told(component="other")) == "news"


@pytest.mark.parametrize("status", ["resolved", "closed", "suppressed"])
def test_a_story_that_ended_minutes_ago_rests_and_is_news_after_the_cool_down(status):
    ended = told(status=status)
    assert standing(claim(), ended) == "resting"
    assert standing(claim(), told(status=status, ended_at=NOW - timedelta(minutes=31))) == "news"
    assert standing(claim(), ended, cool_down_s=0) == "news"


def test_a_critical_worsening_does_not_rest():
    assert standing(claim(), told(severity="warning")) == "worse"
    assert standing(claim(value=0.45), told(excess=0.2)) == "worse"
    assert standing(claim(value=0.38), told(excess=0.2)) == "resting"
    assert standing(claim(severity="warning", value=0.9), told(severity="warning")) == "resting"


def test_an_open_incident_hears_of_it_again_only_when_it_became_graver():
    still_open = {"status": "awaiting_approval", "ended_at": None}
    assert standing(claim(value=3.0), told(**still_open)) == "told"
    assert standing(claim(), told(severity="warning", **still_open)) == "worse"


def test_what_others_took_back_themselves_silences_no_measurement_and_our_own_rests():
    recovered = told(excess=None, opened_by="alertmanager", is_recovered=True)
    assert standing(claim(), recovered) == "news"
    assert standing(claim(), told(excess=None)) == "resting"
    assert standing(claim(), told(is_recovered=True)) == "resting"


def test_an_open_incident_of_others_hears_once_that_it_is_measured():
    outside = told(excess=None, status="escalated", ended_at=None)
    assert standing(claim(), outside) == "worse"
    assert standing(claim(), told(status="escalated", ended_at=None)) == "told"
    assert standing(claim(segment="eu"), outside) == "told"


def test_what_others_reported_and_no_look_confirmed_silences_no_measurement():
    assert standing(claim(), told(status="suppressed", opened_by="pager", excess=None)) == "news"
    assert standing(claim(), told(status="suppressed", opened_by="monitor", excess=None)) == "news"
    assert standing(claim(), told(status="closed", opened_by="pager")) == "resting"


def of_segment(segment, *covers):
    given = claim(alert_type="accuracy_drop")
    finding = given.findings[0].model_copy(update={"segment": segment, "covers": covers})
    return given.model_copy(update={"segment": segment, "findings": (finding,)})


@pytest.mark.parametrize("changes", [{}, {"status": "detected", "ended_at": None}])
@pytest.mark.parametrize(
    ("segment", "is_same"),
    [(None, True), ("region=EU", True), ("country=DE", True), ("country=FR", False)],
)
def test_a_segment_was_told_with_the_whole_and_with_one_of_the_same_rows(changes, segment, is_same):
    known = told(alert_type="accuracy_drop", segment=segment, **changes)
    word = "told" if changes else "resting"
    expected = word if is_same else "news"
    assert standing(of_segment("region=EU", "country=DE"), known) == expected


def test_a_segments_incident_does_not_tell_of_the_whole():
    known = told(alert_type="accuracy_drop", segment="country=DE", status="detected", ended_at=None)
    assert standing(of_segment(None), known) == "news"
    assert standing(of_segment(""), known) == "news"


COMPONENTS = {
    "vendor": Component(name="vendor", kind="pipeline"),
    "orders": Component(name="orders", kind="pipeline", feeds=("vendor",)),
    "fraud": Component(name="fraud", feeds=("orders",)),
    "loop": Component(name="loop", kind="pipeline", feeds=("loop", "fraud")),
}


def test_feeds_of_feeds_are_upstream_and_a_ring_ends():
    assert upstream_of("fraud", COMPONENTS) == ["orders", "vendor"]
    assert upstream_of("loop", COMPONENTS) == ["fraud", "orders", "vendor"]


def test_causes_are_admitted_before_their_effects():
    claims = [claim("fraud"), claim("vendor"), claim("orders")]
    ordered = [c.affected_component for c in upstream_first(claims, COMPONENTS)]
    assert ordered == ["vendor", "orders", "fraud"]


def test_kin_are_causes_above_and_effects_below():
    above = kin_of(claim("fraud"), COMPONENTS, NOW)
    assert [(k.component, k.is_upstream) for k in above] == [("orders", True), ("vendor", True)]
    assert set(above[0].alert_types) == {"data_quality", "volume_anomaly"}
    both = kin_of(claim("orders", alert_type="data_quality", severity="warning"), COMPONENTS, NOW)
    assert {(k.component, k.is_upstream) for k in both} == {
        ("vendor", True),
        ("fraud", False),
        ("loop", False),
    }
    assert kin_of(claim("fraud", alert_type="cost_spike"), COMPONENTS, NOW) == ()
    assert kin_of(claim("unknown"), COMPONENTS, NOW) == ()
