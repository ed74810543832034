"""Metrics agree with scikit-learn, and their intervals cover what they should."""

import numpy as np
import pytest
from sklearn import metrics as sk

from agentops_graph.detection.intervals import percentile_floor, wilson
from agentops_graph.detection.performance import estimate, row_losses
from agentops_graph.domain.metric import Metric


def sample(seed, rows=1500, share=0.12, hit=0.85):
    rng = np.random.default_rng(seed)
    label = (rng.random(rows) < share).astype(float)
    prediction = np.where(label == 1, rng.random(rows) < hit, rng.random(rows) < 0.015) * 1.0
    score = np.clip(0.3 * label + 0.7 * rng.random(rows), 0, 1)
    return label, prediction, score


@pytest.mark.parametrize("name", ["f1", "precision", "recall", "accuracy", "auc"])
def test_binary_metrics_agree_with_scikit_learn(name):
    label, prediction, score = sample(1)
    wanted = {
        "f1": sk.f1_score(label, prediction),
        "precision": sk.precision_score(label, prediction),
        "recall": sk.recall_score(label, prediction),
        "accuracy": sk.accuracy_score(label, prediction),
        "auc": sk.roc_auc_score(label, score),
    }[name]
    found = estimate(Metric(name=name), label, prediction, score)
    assert found.value == pytest.approx(wanted)
    assert found.low < found.value < found.high
    assert found.positives == label.sum()


@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_several_classes_give_the_macro_mean(name):
    rng = np.random.default_rng(2)
    label = rng.integers(0, 4, 900).astype(float)
    prediction = np.where(rng.random(900) < 0.7, label, rng.integers(0, 4, 900))
    wanted = getattr(sk, f"{name}_score")(label, prediction, average="macro")
    found = estimate(Metric(name=name, task="multiclass"), label, prediction, label)
    assert found.value == pytest.approx(wanted)
    assert found.low < found.value < found.high


def test_errors_of_numbers_agree_with_scikit_learn():
    rng = np.random.default_rng(2)
    label = rng.normal(10, 1, size=400)
    prediction = label + rng.normal(size=400)
    for name, wanted in [
        ("mae", sk.mean_absolute_error(label, prediction)),
        ("rmse", sk.root_mean_squared_error(label, prediction)),
        ("mape", sk.mean_absolute_percentage_error(label, prediction)),
    ]:
        metric = Metric(name=name, direction="lower_is_better", task="regression")
        found = estimate(metric, label, prediction, label)
        assert found.value == pytest.approx(wanted)
        assert found.better_end(metric) == found.low < found.value


@pytest.mark.parametrize("name", ["f1", "auc"])
def test_the_interval_covers_the_truth_nearly_always(name):
    metric = Metric(name=name)
    truth = estimate(metric, *sample(0, rows=400_000)).value
    found = [estimate(metric, *sample(seed, rows=800)) for seed in range(1, 301)]
    covered = np.mean([e.low <= truth <= e.high for e in found])
    assert covered > 0.97
    assert np.mean([e.high - e.low for e in found]) < 0.2


def test_confidence_in_the_predicted_class_is_read_as_such():
    label, _, score = sample(1)
    called = (score > 0.5) * 1.0
    confidence = np.where(called == 1, score, 1 - score)
    found = estimate(Metric(name="auc"), label, called, confidence)
    assert found.value == pytest.approx(sk.roc_auc_score(label, score))


def test_what_can_not_be_computed_is_none():
    label, prediction, score = sample(1)
    none = np.full(len(label), np.nan)
    assert estimate(Metric(name="ndcg", task="ranking"), label, prediction, score) is None
    assert estimate(Metric(name="f1"), none, prediction, score) is None
    assert estimate(Metric(name="f1"), np.empty(0), np.empty(0), np.empty(0)) is None
    assert estimate(Metric(name="f1"), np.zeros(9), np.zeros(9), np.ones(9)) is None
    assert estimate(Metric(name="auc"), np.ones(9), np.ones(9), np.ones(9)) is None


def test_one_row_is_all_doubt():
    found = estimate(Metric(name="f1"), np.ones(1), np.ones(1), np.ones(1))
    assert found.value == 1
    assert found.low < 0.3


def test_rows_without_label_or_prediction_have_no_loss():
    losses = row_losses(
        Metric(name="f1"), np.array([1, 0, np.nan, 1.0]), np.array([1, 1, 1, np.nan])
    )
    assert losses[:2].tolist() == [0, 1]
    assert np.isnan(losses[2:]).all()


def test_intervals_know_their_limits():
    assert wilson(0.5, 0) == (0, 1)
    low, high = wilson(0.0, 50)
    assert low == 0
    assert 0.05 < high < 0.2
    assert percentile_floor(np.arange(20.0), 0.99) is None
    values = np.random.default_rng(0).exponential(size=2000)
    assert percentile_floor(values, 0.99) < np.quantile(values, 0.99)
