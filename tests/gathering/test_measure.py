"""A measurement finds what is broken and leaves a healthy component alone."""

import sqlite3
from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.component import Component, Thresholds
from agentops_graph.domain.frames import Predictions, Series
from agentops_graph.domain.metric import Metric
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.judged import may_be_called_healthy
from agentops_graph.gathering.measure import measure
from tests.gathering.fraud_world import NAMES, NOW, drawn

PIPELINE = Component(name="transactions", kind="pipeline")
AGENT = Component(name="helper", kind="agent")


def test_a_broken_v14_and_v17_make_one_critical_alert_with_all_numbers(world):
    world.reference()
    onset = NOW - timedelta(minutes=50)
    world.log(onset=onset)
    measured = measure(world.warehouse, world.component, NOW)
    (claim,) = measured.grouped()
    assert claim.alert_type == "model_drift"
    assert claim.severity == "critical"
    assert (
        claim.summary == f"Model drift detected. Aggregate PSI: {claim.metrics['drift_score']:.2f}"
    )
    assert set(list(claim.findings[0].features)[:2]) == {"V14", "V17"}
    assert claim.metrics["current_f1"] < 0.95 * claim.metrics["baseline_f1"]
    assert {"psi_V14", "psi_V17", "threshold_drift_score"} <= set(claim.metrics)
    assert abs(claim.findings[0].onset_at - onset) < timedelta(minutes=3)
    assert max(v for n, v in claim.findings[0].features.items() if n not in ("V14", "V17")) < 0.1


class Healthy:
    """A warehouse of one healthy hour per seed, so that many hours can be looked at."""

    def __init__(self, seed, reference):
        self.rng, self.profile = np.random.default_rng(seed), reference

    def predictions(self, model, since, until, *, version=None, labelled=False):
        count = self.rng.poisson(1200 * (until - since).total_seconds() / 3600)
        features, labels = drawn(self.rng, count)
        return Predictions(
            ids=[str(i) for i in range(count)],
            timestamps=np.sort(self.rng.uniform(since.timestamp(), until.timestamp(), count)),
            features=dict(zip(NAMES, features.T, strict=True)),
            prediction=(features[:, 13] + features[:, 16] > 1.66).astype(float),
            confidence=np.full(count, 0.9),
            label=labels,
            latency_ms=self.rng.lognormal(4, 0.7, count),
            version=["2"] * count,
        )

    def series(self, table, subject, since, until):
        return Series(np.empty(0), {})

    def changes(self, subjects, since, until):
        return []

    def reference(self, model, version, **which):
        return self.profile

    def latest(self, model):
        return NOW, "2"


def test_twenty_healthy_hours_raise_no_alert(world):
    reference = world.reference()
    for seed in range(20):
        measured = measure(Healthy(seed, reference), world.component, NOW)
        assert measured.findings == [], seed
        assert measured.readings["drift_score"] < 0.1


def test_the_healthy_warehouse_itself_raises_nothing(world):
    world.reference()
    world.log()
    measured = measure(world.warehouse, world.component, NOW)
    assert measured.findings == []
    assert measured.readings["f1"] > 0.85
    assert measured.readings["volume_ratio"] == pytest.approx(1.0, abs=0.1)


def test_too_few_rows_are_a_note_and_no_alert(world):
    world.reference()
    world.log(hours=1, per_hour=150, onset=NOW - timedelta(hours=2))
    measured = measure(world.warehouse, world.component, NOW)
    count = int(measured.readings["rows"])
    assert f"not enough data: {count} of 200 rows" in measured.notes
    assert not any(f.alert_type in ("model_drift", "accuracy_drop") for f in measured.findings)


def test_rows_of_the_version_before_are_not_held_against_the_new_one(world):
    world.reference(version="3")
    world.log(hours=1, until=NOW - timedelta(minutes=30), onset=NOW - timedelta(hours=3))
    world.log(hours=0.5, version="3", seed=5)
    measured = measure(world.warehouse, world.component, NOW)
    assert measured.findings == []
    assert measured.readings["rows"] == 600


def test_a_feed_that_stopped_is_critical(world):
    world.reference()
    world.log(hours=1, until=NOW - timedelta(hours=1))
    (claim,) = measure(world.warehouse, world.component, NOW).grouped()
    assert (claim.alert_type, claim.severity) == ("volume_anomaly", "critical")


def test_a_system_that_started_minutes_ago_is_not_short_of_rows(world):
    world.reference()
    world.log(hours=0.2)
    assert measure(world.warehouse, world.component, NOW).findings == []


def test_slow_predictions_warn_with_their_p99(world):
    world.reference()
    world.log()
    world.log(hours=0.5, per_hour=300, seed=8, latency_ms=2500.0)
    component = world.component.model_copy(update={"expected_rows_per_hour": None})
    (claim,) = measure(world.warehouse, component, NOW).grouped()
    assert (claim.alert_type, claim.severity) == ("latency", "warning")
    assert claim.metrics["latency_p99"] == pytest.approx(2500)


def test_an_empty_warehouse_says_what_to_load(tmp_path, world):
    with pytest.raises(NotEnoughDataError, match="agentops ingest predictions"):
        measure(world.warehouse, world.component, NOW)
    with pytest.raises(NotEnoughDataError, match="no such file"):
        measure(SqliteWarehouse(tmp_path / "none.db"), world.component, NOW)
    assert not (tmp_path / "none.db").exists()


def test_a_regression_model_is_judged_by_its_own_metric(world):
    metric = Metric(name="mae", direction="lower_is_better", task="regression")
    component = Component(name="fraud-detector", metric=metric)
    world.warehouse.save_reference(profile_of("fraud-detector", "2", {}, {"mae": 0.02}, NOW))
    world.log(prediction=0.4)
    (claim,) = measure(world.warehouse, component, NOW).grouped()
    assert claim.alert_type == "accuracy_drop"
    assert claim.metrics["current_mae"] > claim.metrics["threshold_current_mae"] > 0.02


def test_without_a_reference_the_baseline_is_the_weeks_median(world):
    world.log()
    world.warehouse.write(
        "MODEL_METRICS",
        [
            {"timestamp": NOW - timedelta(hours=h), "model_name": "fraud-detector", "f1": 0.99}
            for h in range(2, 20)
        ],
    )
    measured = measure(world.warehouse, world.component, NOW)
    assert measured.readings["baseline_f1"] == 0.99
    assert any("no reference profile" in note for note in measured.notes)


def test_a_metric_that_nobody_knows_is_told_with_those_that_are_known(world):
    world.reference()
    world.log()
    component = Component(
        name="fraud-detector", metric=Metric(name="f2score", direction="higher_is_better")
    )
    seen = measure(world.warehouse, component, NOW)
    (note,) = [note for note in seen.notes if note.startswith("f2score")]
    assert "not a metric that is computed for binary" in note
    assert "known: f1, precision, recall, accuracy, auc" in note
    assert not any("no labelled rows" in note for note in seen.notes)


def test_a_metric_of_the_team_has_its_baseline_from_history(world):
    with sqlite3.connect(world.warehouse.path) as connection:
        connection.execute("ALTER TABLE MODEL_METRICS ADD COLUMN mae FLOAT")
    row = {"model_name": "fraud-detector", "model_version": "1"}
    past = [{**row, "timestamp": NOW - timedelta(days=d), "mae": 4.0} for d in range(1, 6)]
    now = [{**row, "timestamp": NOW - timedelta(minutes=m), "mae": 9.0} for m in (5, 15, 25)]
    world.warehouse.write("MODEL_METRICS", past + now)
    world.log(hours=0.1, actual_label=None)
    metric = Metric(name="mae", direction="lower_is_better", task="regression")
    seen = measure(world.warehouse, Component(name="fraud-detector", metric=metric), NOW)
    assert (seen.readings["baseline_mae"], seen.readings["mae"]) == (4.0, 9.0)
    assert [finding.alert_type for finding in seen.findings] == ["accuracy_drop"]


def test_a_figure_without_a_baseline_is_no_reason_to_call_a_model_healthy(world):
    world.log()
    component = world.component
    seen = measure(world.warehouse, component, NOW)
    assert component.metric.name in seen.readings
    assert not may_be_called_healthy(component, seen)


def test_violating_records_of_a_pipeline_warn(world):
    world.batches(until=NOW - timedelta(hours=1))
    world.batches(hours=1, violations=30)
    (claim,) = measure(world.warehouse, PIPELINE, NOW).grouped()
    assert (claim.alert_type, claim.severity) == ("data_quality", "warning")
    assert claim.metrics["quality_violations"] == pytest.approx(0.15)


def test_a_pipeline_learns_how_many_records_are_usual(world):
    world.batches()
    assert measure(world.warehouse, PIPELINE, NOW).findings == []
    later = NOW + timedelta(hours=1)
    (claim,) = measure(world.warehouse, PIPELINE, later).grouped()
    assert (claim.alert_type, claim.severity) == ("volume_anomaly", "critical")


def agent_rows(start, minutes, **changed):
    usual = {
        "agent_name": "helper",
        "latency_p95": 400.0,
        "error_rate": 0.01,
        "cost_per_request": 0.02,
        "requests": 50,
        "tokens_per_request": 900.0,
        "memory_mb": 500.0,
        "session_minutes": 3.0,
        "policy_false_positive_rate": 0.02,
        "total_cost": 1.0,
    }
    return [{"timestamp": start + timedelta(minutes=m)} | usual | changed for m in range(minutes)]


@pytest.mark.parametrize(
    ("changed", "alert_type", "severity"),
    [
        ({"latency_p95": 1500.0}, "latency", "warning"),
        ({"error_rate": 0.2}, "provider_outage", "critical"),
        ({"cost_per_request": 0.3}, "cost_spike", "warning"),
        ({"total_cost": 4.0}, "cost_spike", "warning"),
        ({"memory_mb": 4000.0}, "memory_bloat", "warning"),
        ({"session_minutes": 45.0}, "convergence_stall", "warning"),
        ({"policy_false_positive_rate": 0.3}, "policy_false_positives", "warning"),
        ({}, None, None),
    ],
)
def test_each_risk_of_an_agent_has_its_alert(world, changed, alert_type, severity):
    world.warehouse.write("AGENT_METRICS", agent_rows(NOW - timedelta(hours=20), 1140))
    world.warehouse.write("AGENT_METRICS", agent_rows(NOW - timedelta(hours=1), 60, **changed))
    claims = measure(world.warehouse, AGENT, NOW).grouped()
    wanted = [] if alert_type is None else [(alert_type, severity)]
    assert [(c.alert_type, c.severity) for c in claims] == wanted


def agent_fortnight(hourly, **latest):
    """Ten-minute rows over 14 days whose latency is `hourly` by the hour before now."""
    rows = agent_rows(NOW, 1)
    start = NOW - timedelta(days=14)
    made = []
    for number in range(14 * 144):
        at = start + timedelta(minutes=10 * number)
        noise = 1 + 0.02 * ((number * 7919) % 11 - 5)
        made.append(rows[0] | {"timestamp": at, "latency_p95": hourly(at) * noise})
    for row in made[-6:]:
        row |= latest
    return made


def test_a_rise_under_the_limit_is_said_with_what_is_usual(world):
    rows = agent_fortnight(lambda _: 250.0, latency_p95=700.0)
    world.warehouse.write("AGENT_METRICS", rows)
    (finding,) = measure(world.warehouse, AGENT, NOW).findings
    assert (finding.alert_type, finding.severity) == ("latency", "warning")
    assert finding.baseline == pytest.approx(250, rel=0.15)
    assert "usual at this time" in finding.summary
    assert ", since " in finding.summary
    assert abs(finding.onset_at - (NOW - timedelta(hours=1))) <= timedelta(minutes=10)


def test_the_busy_hour_of_every_day_is_no_finding(world):
    rows = agent_fortnight(lambda at: 700.0 if at.hour == (NOW.hour - 1) % 24 else 250.0)
    world.warehouse.write("AGENT_METRICS", rows)
    assert measure(world.warehouse, AGENT, NOW).findings == []


def test_one_error_in_ten_requests_proves_no_outage(world):
    rows = agent_rows(NOW - timedelta(minutes=5), 5, requests=2, error_rate=0.1)
    world.warehouse.write("AGENT_METRICS", rows)
    assert measure(world.warehouse, AGENT, NOW).findings == []


def test_thresholds_are_the_components_own(world):
    world.reference()
    world.log(onset=NOW - timedelta(hours=3))
    lax = Thresholds(aggregate_psi=5, metric_drop=0.9, anomaly_rate=0.9)
    component = world.component.model_copy(update={"thresholds": lax})
    assert measure(world.warehouse, component, NOW).findings == []
