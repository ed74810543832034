"""A drop of any metric needs evidence: healthy months are silent, real losses are not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.detection.performance import Baseline, Estimate, estimate, sure_loss
from agentops_graph.detection.triggers import Window, metric_drop
from agentops_graph.domain.component import Component
from agentops_graph.domain.metric import F1, Metric

END = datetime(2026, 2, 28, 14, tzinfo=UTC)
FEWEST, USUAL, REFERENCE_ROWS = 250, 1200, 2000  # 200 labelled rows are the fewest judged
LOOKS_A_MONTH = 720


def two_classes(rng, rows, harm):
    label = (rng.random(rows) < 0.15).astype(float)
    score = 1 / (1 + np.exp(1.8 + harm - (3 - 2.5 * harm) * label - rng.normal(size=rows)))
    return label, (score > 0.5).astype(float), score, ()


def four_classes(rng, rows, harm):
    label = rng.choice(4, rows, p=[0.6, 0.25, 0.12, 0.03]).astype(float)
    right = rng.random(rows) < 0.9 - 0.45 * harm
    return label, np.where(right, label, rng.choice(4, rows)), np.full(rows, np.nan), ()


def prices(rng, rows, harm):
    label = rng.lognormal(3, 0.6, rows)
    predicted = label * np.exp(rng.normal(0, 0.2 + 0.4 * harm, rows))
    return label, predicted, np.full(rows, np.nan), ()


def demand(rng, rows, harm):
    """A forecast whose errors follow each other."""
    errors = rng.normal(size=rows) * (1 + 2 * harm)
    for i in range(1, rows):
        errors[i] += 0.7 * errors[i - 1]
    label = 50 + 10 * np.sin(np.arange(rows) / 20)
    return label, label + errors, np.full(rows, np.nan), ()


def searches(rng, rows, harm):
    queries = rows // 8
    grades = rng.integers(1, 4, (queries, 8)) * (rng.random((queries, 8)) < 0.25)
    score = grades * (1.0 - harm) + rng.normal(size=(queries, 8))
    ids = [f"q{q}:{i}" for q in range(queries) for i in range(8)]
    return grades.astype(float).ravel(), score.ravel(), np.full(queries * 8, np.nan), ids


CASES = [
    ("f1", two_classes),
    ("recall", two_classes),
    ("roc_auc", two_classes),
    ("log_loss", two_classes),
    ("brier", two_classes),
    ("macro_f1", four_classes),
    ("macro_recall", four_classes),
    ("mae", prices),
    ("rmse", prices),
    ("mape", prices),
    ("r2", prices),
    ({"name": "mae", "task": "forecast"}, demand),
    ({"name": "pinball", "task": "forecast", "quantile": 0.9}, demand),
    ("ndcg", searches),
    ("mrr", searches),
]


def alarms(metric, make, seeds, rows, harm):
    component = Component.model_validate({"name": "m", "metric": metric})
    window = Window(component, END - timedelta(hours=1), END)
    raised = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        reference = estimate(component.metric, *make(rng, REFERENCE_ROWS, 0.0))
        found = estimate(component.metric, *make(rng, rows, harm))
        drop = metric_drop(window, found, reference.value, None, baseline_error=reference.error)
        raised += drop is not None
    return raised


@pytest.mark.parametrize(("metric", "make"), CASES)
def test_healthy_hours_raise_less_than_one_alarm_in_a_month(metric, make):
    """Each look with a reference of its own, so that an unlucky reference counts as well."""
    assert alarms(metric, make, range(300), FEWEST, 0.0) * LOOKS_A_MONTH / 300 < 1


@pytest.mark.parametrize(("metric", "make"), CASES)
def test_a_model_that_broke_is_told_within_the_hour(metric, make):
    assert alarms(metric, make, range(1000, 1020), USUAL, 1.0) >= 19


def test_a_baseline_from_few_rows_is_less_sure():
    found = Estimate(0.80, 0.77, 0.83, 1000, 100)
    sure = sure_loss(F1, found, Baseline(0.93))
    assert 0.05 * 0.93 < sure < 0.13
    assert sure_loss(F1, found, Baseline(0.93, error=0.03)) < 0.05 * 0.93 < sure


def test_both_directions_lose_alike():
    error = Metric(name="mae")
    up = sure_loss(error, Estimate(1.3, 1.2, 1.4, 500, 500), Baseline(1.0, 0.01))
    down = sure_loss(F1, Estimate(0.7, 0.6, 0.8, 500, 500), Baseline(1.0, 0.01))
    assert up == pytest.approx(down)


def test_a_drop_is_borne_as_far_as_the_gate_would_let_it_pass():
    component = Component.model_validate({"name": "m", "metric": {"name": "mae", "tolerance": 2}})
    window = Window(component, END - timedelta(hours=1), END)
    assert metric_drop(window, Estimate(11.5, 11.4, 11.6, 900, 900), 10.0, None) is None
    told = metric_drop(window, Estimate(12.5, 12.4, 12.6, 900, 900), 10.0, None)
    assert (told.threshold, told.metric) == (12.0, "current_mae")
    assert told.summary == "MAE rose from 10 to 12.5 on 900 rows"
