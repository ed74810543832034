"""Labels that come late, or never: what a look makes of them, and what is at stake."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions
from agentops_graph.domain.stakes import Stakes
from agentops_graph.gathering.judged import may_be_called_healthy, was_measured
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reference import reference_from
from tests.detection.scored_worlds import AT, classifier, regressor

NOW = AT
PER_HOUR = 1000
world = cache(classifier)
CHURN = Component(name="m", metric=world("accuracy").metric)
PRICED = CHURN.model_copy(
    update={
        "costs": Component(
            name="m", costs={"false_positive": 5, "false_negative": 120, "currency": "EUR"}
        ).costs
    }
)


def logged(rows, *, hours, until=NOW, delay_h=0.0, seed=0, version="1"):
    """Rows spread evenly over the hours; a label shows once its own delay is over."""
    rng = np.random.default_rng(seed)
    times = np.sort(until.timestamp() - 3600 * hours * rng.random(len(rows.label)))
    waits = rng.exponential(3600 * delay_h, len(times)) if delay_h else np.zeros(len(times))
    here = times + waits <= NOW.timestamp()
    return Predictions(
        ids=[f"{version}-{seed}-{number}" for number in range(len(times))],
        timestamps=times,
        features=rows.features,
        prediction=rows.prediction,
        confidence=rows.confidence,
        label=np.where(here, rows.label, np.nan),
        latency_ms=np.full(len(times), 20.0),
        version=[version] * len(times),
    )


def joined(*parts):
    return Predictions(
        ids=[name for part in parts for name in part.ids],
        timestamps=np.concatenate([part.timestamps for part in parts]),
        features={
            name: np.concatenate([part.features[name] for part in parts])
            for name in parts[0].features
        },
        prediction=np.concatenate([part.prediction for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        latency_ms=np.concatenate([part.latency_ms for part in parts]),
        version=[name for part in parts for name in part.version],
    )


def healthy(hours, seed=1):
    return world("accuracy").window(seed, count=int(hours * PER_HOUR))


def hard(hours):
    """The rows that the model is least sure of: no class changed its meaning, the mix did."""
    pool = world("accuracy").pool
    return pool.only(np.argsort(np.abs(pool.confidence - 0.5))[: int(hours * PER_HOUR)])


def turned(rows, share=0.4):
    """A third of the labels mean the contrary: what the model learned holds no longer."""
    rng = np.random.default_rng(9)
    wrong = rng.random(len(rows.label)) < share
    return replace(rows, label=np.where(wrong, 1 - rows.label, rows.label))


def warehouse(*parts):
    made = WarehouseInMemory({"m": logged(world("accuracy").healthy, hours=10)})
    since = NOW - timedelta(hours=11)
    profile = reference_from(made, CHURN, since, NOW, None, at=NOW)
    rows = joined(*parts)
    return WarehouseInMemory({"m": rows}, references=[profile])


def test_a_window_with_all_its_labels_is_judged_by_them_alone():
    seen = measure(warehouse(logged(healthy(3), hours=3)), CHURN, NOW)
    assert seen.findings == []
    assert not [name for name in seen.readings if name.startswith("estimated")]
    assert not [note for note in seen.notes if "labels come late" in note]


def test_labels_that_take_hours_are_waited_for_in_an_older_window():
    seen = measure(warehouse(logged(healthy(30), hours=30, delay_h=2.0)), CHURN, NOW)
    assert seen.findings == []
    (note,) = [note for note in seen.notes if "labels come late" in note]
    assert "judged on the rows of 2026-02-28 0" in note
    assert 0.1 < seen.readings["labelled_share"] < 0.4
    assert seen.readings["labelled_rows"] > 800
    assert {"accuracy", "estimated_accuracy"} <= set(seen.readings)


def test_first_labels_that_are_unlike_the_rest_raise_no_alarm():
    """Wrong predictions are complained about at once, the right ones are confirmed a day later."""
    rows = logged(healthy(30), hours=30, delay_h=3.0)
    right = rows.label == rows.prediction
    age = NOW.timestamp() - rows.timestamps
    rows = replace(rows, label=np.where(right & (age < 6 * 3600), np.nan, rows.label))
    seen = measure(warehouse(rows), CHURN, NOW)
    assert seen.findings == []


def test_a_delay_of_minutes_costs_minutes():
    rows = logged(healthy(3), hours=3)
    fresh = rows.timestamps > NOW.timestamp() - 15 * 60
    rows = replace(rows, label=np.where(fresh, np.nan, rows.label))
    seen = measure(warehouse(rows), CHURN, NOW)
    assert 700 <= seen.readings["labelled_rows"] <= 780
    assert not [note for note in seen.notes if "labels come late" in note]


def test_a_sample_that_is_labelled_for_good_is_judged_as_it_is():
    rows = logged(healthy(30), hours=30)
    sampled = np.random.default_rng(3).random(len(rows)) < 0.3
    rows = replace(rows, label=np.where(sampled, rows.label, np.nan))
    seen = measure(warehouse(rows), CHURN, NOW)
    assert 250 <= seen.readings["labelled_rows"] <= 350
    assert not [note for note in seen.notes if "labels come late" in note]


def test_the_delay_can_be_said():
    component = CHURN.model_copy(update={"labels_within_s": 5 * 3600.0})
    seen = measure(warehouse(logged(healthy(30), hours=30, delay_h=2.0)), component, NOW)
    (note,) = [note for note in seen.notes if "labels come late" in note]
    assert "judged on the rows of 2026-02-28 08:00..09:00 UTC" in note


def test_without_labels_a_sure_loss_is_a_warning_that_says_estimated():
    rows = logged(hard(1), hours=1)
    rows = replace(rows, label=np.full(len(rows), np.nan))
    seen = measure(warehouse(rows), CHURN, NOW)
    (told,) = [f for f in seen.findings if f.alert_type == "accuracy_drop"]
    assert (told.severity, told.metric) == ("warning", "estimated_accuracy")
    assert "estimated, without labels" in told.summary
    assert seen.readings["estimated_accuracy"] == told.value


def test_an_estimate_gives_no_all_clear():
    rows = logged(healthy(1), hours=1)
    rows = replace(rows, label=np.full(len(rows), np.nan))
    seen = measure(warehouse(rows), CHURN, NOW)
    assert "estimated_accuracy" in seen.readings
    assert not was_measured("accuracy_drop", "accuracy", seen, told=())
    seen.readings.pop("drift_score")
    assert not may_be_called_healthy(CHURN, seen)


def test_an_estimate_that_the_last_labels_belie_is_not_trusted():
    old = logged(turned(healthy(28)), hours=28, until=NOW - timedelta(hours=2))
    new = logged(hard(2), hours=2)
    rows = joined(old, replace(new, label=np.full(len(new), np.nan)))
    seen = measure(warehouse(rows), CHURN, NOW)
    assert any(n.startswith("estimated_accuracy can't be trusted") for n in seen.notes)
    (told,) = [f for f in seen.findings if f.alert_type == "accuracy_drop"]
    assert (told.metric, told.severity) == ("current_accuracy", "critical")


def test_what_was_repaired_since_is_not_told_again():
    old = logged(turned(healthy(28)), hours=28, until=NOW - timedelta(hours=2))
    new = logged(healthy(2), hours=2, seed=5)
    rows = joined(old, replace(new, label=np.full(len(new), np.nan)))
    held = warehouse(rows)
    assert measure(held, CHURN, NOW).findings
    seen = measure(held, CHURN, NOW, repaired=lambda: NOW - timedelta(hours=2))
    assert seen.findings == []


def test_a_new_version_is_not_judged_by_its_first_labels():
    old = logged(healthy(28), hours=28, until=NOW - timedelta(hours=1))
    new = logged(healthy(1), hours=1, seed=5, version="2")
    wrong_first = (new.label != new.prediction) | (np.arange(len(new)) % 5 == 0)
    new = replace(new, label=np.where(wrong_first, new.label, np.nan))
    held = warehouse(joined(old, new))
    held.save_reference(held.reference("m", "1").model_copy(update={"model_version": "2"}))
    seen = measure(held, CHURN, NOW)
    assert seen.findings == []
    assert any("the first ones need not be like the rest" in note for note in seen.notes)


def drifted(hours):
    """Every row as if three columns were read off by more than their spread."""
    rows = healthy(hours)
    there = world("accuracy")
    matrix = rows.matrix.copy()
    for number in (1, 3, 4):
        matrix[:, number] -= 1.2 * matrix[:, number].std()
    return there.scored(matrix, rows.label)


def test_a_drift_finding_says_what_is_lost_and_what_it_costs():
    seen = measure(warehouse(logged(drifted(1), hours=1)), PRICED, NOW)
    (claim,) = [c for c in seen.grouped() if c.alert_type == "model_drift"]
    stakes = Stakes.among(claim.metrics)
    assert stakes.loss.low < stakes.loss.value < stakes.loss.high
    assert not stakes.is_estimated
    assert stakes.money.value > 0
    assert claim.summary.startswith("Model drift detected. Aggregate PSI: ")
    assert claim.summary.endswith(stakes.money_line)
    rows = drifted(1)
    false_alarms = np.sum((rows.prediction == 1) & (rows.label == 0))
    misses = np.sum((rows.prediction == 0) & (rows.label == 1))
    usual = world("accuracy").reference.healthy.usual
    before = PER_HOUR * (5 * usual.false_positive + 120 * usual.false_negative)
    assert stakes.money.value == pytest.approx(5 * false_alarms + 120 * misses - before)


def test_without_labels_the_same_is_estimated_and_says_so():
    rows = logged(drifted(1), hours=1)
    rows = replace(rows, label=np.full(len(rows), np.nan))
    seen = measure(warehouse(rows), PRICED, NOW)
    (claim,) = [c for c in seen.grouped() if c.alert_type == "model_drift"]
    stakes = Stakes.among(claim.metrics)
    assert stakes.is_estimated
    assert "estimated_loss_accuracy" in claim.metrics
    assert claim.summary.endswith("estimated without labels")
    (told,) = measure(warehouse(logged(drifted(1), hours=1)), PRICED, NOW).grouped()
    assert stakes.money.low < Stakes.among(told.metrics).money.value < stakes.money.high


def test_without_costs_the_feed_line_is_as_ever():
    seen = measure(warehouse(logged(drifted(1), hours=1)), CHURN, NOW)
    (claim,) = [c for c in seen.grouped() if c.alert_type == "model_drift"]
    assert (
        claim.summary == f"Model drift detected. Aggregate PSI: {seen.readings['drift_score']:.2f}"
    )
    assert Stakes.among(claim.metrics).money is None


def test_drift_of_what_matters_stands_first_and_the_rule_of_the_alert_stays():
    weights = {"x4": 3.0, "x3": 1.0, "x7": 1.0}
    component = CHURN.model_copy(update={"importance": weights})
    held = warehouse(logged(drifted(1), hours=1))
    seen, plain = measure(held, component, NOW), measure(held, CHURN, NOW)
    (drift,) = [f for f in seen.findings if f.alert_type == "model_drift"]
    ordered = [name for name in drift.figures if name.startswith("weighted_x")]
    assert ordered[0] == "weighted_x4"
    expected = 0.6 * drift.features["x4"] + 0.2 * (drift.features["x3"] + drift.features["x7"])
    assert drift.figures["weighted_drift"] == pytest.approx(expected)
    assert drift.value == plain.readings["drift_score"]


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_a_regression_has_its_error_estimated_from_errors_by_bin(metric):
    there = regressor(metric)
    component = Component(name="m", metric=there.metric, costs={"per_unit_error": 2.0})
    made = WarehouseInMemory({"m": logged(there.healthy, hours=10)})
    profile = reference_from(made, component, NOW - timedelta(hours=11), NOW, None, at=NOW)
    window = there.window(2, shift=1.0)
    rows = logged(window, hours=1)
    rows = replace(rows, label=np.full(len(rows), np.nan))
    seen = measure(WarehouseInMemory({"m": rows}, references=[profile]), component, NOW)
    error = np.abs(window.label - window.prediction)
    told = error.mean() if metric == "mae" else np.sqrt(np.mean(error**2))
    assert seen.readings[f"estimated_{metric}"] == pytest.approx(told, rel=0.1)
