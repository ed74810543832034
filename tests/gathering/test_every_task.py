"""Rankings, forecasts and logged metrics are measured through a real warehouse."""

from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.component import Component
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reference import reference_from
from tests.gathering.fraud_world import NOW

GOOD = NOW - timedelta(days=2)


def log(warehouse, since, every_s, ids, prediction, label):
    warehouse.write(
        "PREDICTION_LOGS",
        (
            {
                "timestamp": since + timedelta(seconds=every_s * n),
                "prediction_id": ids[n],
                "model_name": "ours",
                "model_version": "1",
                "features": {"x": float(n % 50)},
                "prediction": float(prediction[n]),
                "actual_label": None if np.isnan(label[n]) else float(label[n]),
            }
            for n in range(len(ids))
        ),
    )


def searches(rng, queries, harm, name):
    grades = rng.integers(0, 4, (queries, 8)) * 1.0
    score = grades * (0.0 if harm else 1.0) + 0.5 * rng.normal(size=(queries, 8))
    ids = [f"{name}-{q}:{i}" for q in range(queries) for i in range(8)]
    return ids, score.ravel(), grades.ravel()


def demand(rng, rows, harm, name):
    label = 50 + 10 * np.sin(np.arange(rows) / 20)
    predicted = label + rng.normal(0, 6 if harm else 1, rows)
    gaps = np.where(np.arange(rows) % 10 == 0, np.nan, label)  # not yet known
    return [f"{name}-{n}" for n in range(rows)], predicted, gaps


@pytest.mark.parametrize(
    ("entry", "make", "size"),
    [
        ({"task": "ranking", "other_metrics": ["mrr"]}, searches, 150),
        ({"task": "forecast", "metric": "smape", "other_metrics": ["pinball"]}, demand, 900),
    ],
)
@pytest.mark.parametrize("harm", [False, True])
def test_a_model_is_judged_by_its_own_metric_from_its_rows(world, entry, make, size, harm):
    component = Component.model_validate({"name": "ours", **entry})
    rng = np.random.default_rng(6)
    log(world.warehouse, GOOD, 60, *make(rng, size, False, "good"))
    log(world.warehouse, NOW - timedelta(minutes=55), 2.5, *make(rng, size, harm, "now"))
    profile = reference_from(
        world.warehouse, component, GOOD, GOOD + timedelta(days=1), None, at=NOW
    )
    world.warehouse.save_reference(profile)
    seen = measure(world.warehouse, component, NOW)
    drops = [f.metric for f in seen.findings if f.alert_type == "accuracy_drop"]
    assert drops == ([f"current_{component.metric.name}"] if harm else [])
    names = {component.metric.name, component.other_metrics[0].name}
    assert names <= set(seen.readings)
    assert set(profile.metrics) == set(profile.metric_errors) == names


def test_an_auc_that_is_logged_elsewhere_is_read_in_either_spelling(world):
    component = Component.model_validate({"name": "ours", "metric": "roc_auc"})
    row = {"model_name": "ours", "model_version": "1"}
    past = [{**row, "timestamp": NOW - timedelta(days=d), "auc": 0.95} for d in range(1, 6)]
    now = [{**row, "timestamp": NOW - timedelta(minutes=m), "auc": 0.70} for m in (5, 15, 25)]
    world.warehouse.write("MODEL_METRICS", past + now)
    rng = np.random.default_rng(6)
    log(
        world.warehouse,
        NOW - timedelta(minutes=50),
        5,
        *demand(rng, 300, False, "x")[:2],
        np.full(300, np.nan),
    )
    seen = measure(world.warehouse, component, NOW)
    assert [finding.metric for finding in seen.findings] == ["current_roc_auc"]
    assert (seen.readings["baseline_roc_auc"], seen.readings["roc_auc"]) == (0.95, 0.70)


def test_one_class_only_is_a_note_and_no_alert(world):
    component = Component.model_validate({"name": "ours", "metric": "recall"})
    reference = profile_of("ours", "1", {}, {"recall": 0.9}, NOW)
    world.warehouse.save_reference(reference)
    ids = [f"p{n}" for n in range(400)]
    log(world.warehouse, NOW - timedelta(minutes=50), 5, ids, np.zeros(400), np.zeros(400))
    seen = measure(world.warehouse, component, NOW)
    assert seen.findings == []
    assert "recall: no row is labelled 1 in the window" in seen.notes
