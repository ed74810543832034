"""A trigger fires on what is clearly over its threshold and on nothing that noise explains."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.detection.feed_triggers import quality, usual_totals, violation_rate
from agentops_graph.detection.performance import Estimate
from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.triggers import (
    Window,
    anomalies,
    anomaly_rows,
    drift,
    latency,
    metric_drop,
    volume,
)
from agentops_graph.domain.alert import claim_from
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Series
from agentops_graph.domain.metric import Metric

END = datetime(2026, 2, 28, 14, tzinfo=UTC)
HOUR = Window(Component(name="fraud-detector"), END - timedelta(hours=1), END)


def test_the_feed_line_is_the_one_people_expect():
    finding = drift(HOUR, {"V14": 0.8, "V17": 0.6, "V2": 0.01}, 900, None)
    alert = claim_from([finding]).with_id("alert_2026-02-28_001")
    assert alert.feed_line == "CRITICAL: Model drift detected. Aggregate PSI: 0.47"
    assert alert.metrics == {"drift_score": finding.value, "threshold_drift_score": 0.3}


def test_drift_at_the_threshold_is_none():
    assert drift(HOUR, {"a": 0.3, "b": 0.3, "c": 0.3}, 900, None) is None


@pytest.mark.parametrize(
    ("value", "high", "fires"), [(0.80, 0.83, True), (0.80, 0.90, False), (0.89, 0.92, False)]
)
def test_a_drop_counts_only_beyond_its_interval(value, high, fires):
    found = Estimate(value, value - 0.03, high, 500, 60)
    finding = metric_drop(HOUR, found, 0.93, END.timestamp() - 60)
    assert (finding is not None) is fires
    if finding:
        assert finding.metric == "current_f1"
        assert finding.threshold == pytest.approx(0.93 * 0.95)
        assert finding.onset_at == END - timedelta(seconds=60)


def test_an_error_that_grows_is_a_drop_as_well():
    metric = Metric(name="rmse", direction="lower_is_better", task="regression")
    window = Window(Component(name="price", metric=metric), HOUR.start, END)
    assert metric_drop(window, Estimate(2.0, 1.9, 2.1, 500, 500), 1.5, None).threshold == 1.575
    assert metric_drop(window, Estimate(1.0, 0.9, 1.1, 500, 500), 1.5, None) is None


@pytest.mark.parametrize(
    ("rows", "severity"),
    [(0, "critical"), (300, "warning"), (495, None), (1000, None), (2050, None), (2500, "warning")],
)
def test_volume_is_judged_beyond_noise(rows, severity):
    finding = volume(HOUR, rows, (1000, 1000))
    assert (finding and finding.severity) == severity


def test_quiet_nights_and_busy_days_are_both_usual():
    hours = np.arange(48)
    day = 1000 + 800 * np.sin(hours * 2 * np.pi / 24)
    times = HOUR.start.timestamp() - 3600 * (hours + 0.5)
    usual = usual_totals(Series(times, {"record_count": day}), "record_count", HOUR)
    assert all(volume(HOUR, rows, usual) is None for rows in day)
    assert volume(HOUR, 60, usual).severity == "warning"


def test_slow_tails_need_enough_rows():
    slow = np.r_[np.full(20, 10.0), np.full(2, 5000.0)]
    assert latency(HOUR, slow, None) is None
    assert latency(HOUR, np.tile(slow, 20), None).value == 5000
    assert latency(HOUR, np.empty(0), None) is None


def test_a_small_reference_does_not_make_healthy_rows_anomalous():
    rng = np.random.default_rng(0)
    features = {f"V{i}": rng.normal(size=300) for i in range(28)}
    features["Amount"] = rng.lognormal(3, 1, size=300)
    reference = profile_of("m", "1", features, {}, END)
    fresh = {f"V{i}": rng.normal(size=20_000) for i in range(28)}
    fresh["Amount"] = rng.lognormal(3, 1, size=20_000)
    rows = anomaly_rows(reference, fresh)
    assert rows.mean() < 0.02
    assert anomalies(HOUR, rows, None) is None
    fresh["V3"] = np.where(rng.random(20_000) < 0.2, 99.0, fresh["V3"])
    finding = anomalies(HOUR, anomaly_rows(reference, fresh), None)
    assert finding.value == pytest.approx(0.2, abs=0.02)


def test_violations_are_counted_over_all_records():
    columns = {
        "record_count": np.array([900.0, 100.0]),
        "schema_violations": np.array([0.0, 100.0]),
        "null_rate": np.array([0.0, np.nan]),
    }
    batches = Series(np.array([1.0, 2.0]), columns)
    assert violation_rate(batches) == pytest.approx(0.1)
    assert quality(HOUR, batches, None).rows == 1000
    none = Series(np.empty(0), {name: np.empty(0) for name in columns})
    assert violation_rate(none) == 0
    assert quality(HOUR, none, None) is None
