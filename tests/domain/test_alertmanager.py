"""How labels of Alertmanager's alerts are read."""

from datetime import UTC, datetime

import pytest

from agentops_graph.domain.sources.alertmanager import (
    AlertmanagerSource,
    Notification,
    told_by,
)

AT = datetime(2026, 2, 28, 12, tzinfo=UTC)
USUAL = AlertmanagerSource()


def told(labels, mapping=USUAL, components=(), status="firing", **fields):
    alert = {
        "status": status,
        "labels": {"alertname": "ModelSlow"} | labels,
        "startsAt": "2026-02-28T10:15:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "a1",
    } | fields
    document = {"version": "4", "groupKey": "g", "alerts": [alert]}
    notification = Notification.model_validate(document)
    (message,) = told_by(notification, mapping, components, source="alertmanager", at=AT)
    return message


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"component": "a", "service": "b", "job": "c"}, "a"),
        ({"service": "b", "job": "c"}, "b"),
        ({"model": "m", "service": "b"}, "m"),
        ({"job": "c"}, "c"),
        ({"component": "", "job": "c"}, "c"),
        ({}, "ModelSlow"),
        ({"alertname": ""}, "alert"),
        ({"component": "\x1b\u202e", "job": "c"}, "c"),
    ],
)
def test_component_is_named_by_the_first_label_that_says_anything(labels, name):
    assert told(labels).claim.affected_component == name


def test_component_is_the_one_under_watch_whatever_its_spelling():
    assert told(
        {"service": "Fraud_Model"}, components=["fraud-model"]
    ).claim.affected_component == ("fraud-model")
    mapping = AlertmanagerSource(components={"checkout": "fraud-model"})
    assert told({"service": "checkout"}, mapping).claim.affected_component == "fraud-model"


def test_alert_type_is_the_rules_own_then_the_tables_then_the_usual():
    mapping = AlertmanagerSource(alert_types={"ModelSlow": "latency"})
    assert told({"alert_type": "cost_spike"}, mapping).claim.alert_type == "cost_spike"
    assert told({"alert_type": "made_up"}, mapping).claim.alert_type == "latency"
    assert told({}).claim.alert_type == "anomaly_spike"
    ignoring = AlertmanagerSource(other_alerts=None)
    ignored = told({}, ignoring)
    assert ignored.claim is None
    assert "ModelSlow" in ignored.said
    assert not ignored.is_over


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("critical", "critical"),
        ("PAGE", "critical"),
        ("none", "info"),
        ("sev1", "critical"),
        ("warning", "info"),
        ("?", "warning"),
        ("", "warning"),
    ],
)
def test_severity_is_read_by_the_words_of_the_file_and_the_usual_ones(said, severity):
    mapping = AlertmanagerSource(severities={"Sev1": "critical", "warning": "info"})
    assert told({"severity": said}, mapping).claim.severity == severity


def test_time_of_an_alert_is_its_start_and_the_year_one_is_no_time():
    fires = told({}, startsAt="2026-02-28T10:15:00.123456789Z")
    assert fires.starts_at == datetime(2026, 2, 28, 10, 15, 0, 123456, tzinfo=UTC)
    assert fires.claim.timestamp == fires.claim.onset_at == fires.starts_at
    assert fires.over_at is None
    ends = told({}, status="resolved", endsAt="2026-02-28T10:20:00Z")
    assert ends.over_at == datetime(2026, 2, 28, 10, 20, tzinfo=UTC)
    assert told({}, status="resolved").over_at == AT
    assert told({}, startsAt="0001-01-01T00:00:00Z").starts_at == AT


@pytest.mark.parametrize(
    ("value", "metrics"),
    [
        ("2.5", {"value": 2.5}),
        ("12%", {"value": 12.0}),
        ("NaN", {}),
        ("inf", {}),
        ("many", {}),
        ("", {}),
    ],
)
def test_figure_of_a_rule_is_kept_when_it_is_one(value, metrics):
    assert told({}, annotations={"value": value}).claim.metrics == metrics


def test_title_is_the_first_annotation_there_is_or_the_labels():
    both = {"description": "long", "summary": "short"}
    assert told({}, annotations=both).claim.summary == "ModelSlow: short"
    assert told({"job": "x"}).claim.summary == "ModelSlow: alertname=ModelSlow, job=x"


def test_segment_is_that_of_the_label_that_the_file_names():
    mapping = AlertmanagerSource(segment_label="region")
    assert told({"region": "eu"}, mapping).claim.segment == "eu"
    assert told({}, mapping).claim.segment is None
    assert told({"region": "eu"}).claim.segment is None


def test_same_message_has_the_same_key_and_any_other_has_another():
    same = {told({}).key, told({"severity": "page"}).key}
    assert len(same) == 1
    others = {
        told({}, fingerprint="b2").key,
        told({}, startsAt="2026-02-28T10:16:00Z").key,
        told({}, status="resolved").key,
    }
    assert len(same | others) == 4
