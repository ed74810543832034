"""What matters to a model, and what its errors cost."""

import numpy as np
import pytest
from sklearn.inspection import permutation_importance as theirs
from sklearn.linear_model import LogisticRegression

from agentops_graph.detection.importance import (
    by_effect,
    permutation_importance,
    shares,
    weighted_drift,
)
from agentops_graph.detection.money import cost_of_labelled, row_costs, usual_cost
from agentops_graph.domain.costs import Costs
from agentops_graph.domain.healthy_rows import UsualErrors
from agentops_graph.domain.metric import Metric

ACCURACY = Metric(name="accuracy")
PRICES = Costs(false_positive=5, false_negative=120)
NAMES = ("much", "little", "nothing")


def world(rows=4000):
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(rows, 3))
    label = (3 * matrix[:, 0] + matrix[:, 1] + 0.3 * rng.normal(size=rows) > 0).astype(float)
    return LogisticRegression().fit(matrix, label), matrix, label


def judge_by(model):
    return lambda rows: (model.predict(rows), model.predict_proba(rows)[:, 1])


def test_features_weigh_what_their_loss_costs_the_metric():
    model, matrix, label = world()
    found = permutation_importance(judge_by(model), matrix, NAMES, label, ACCURACY)
    assert list(found)[:2] == ["much", "little"]
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["nothing"] < 0.02


def test_importance_agrees_with_scikit_learn():
    model, matrix, label = world()
    found = permutation_importance(judge_by(model), matrix, NAMES, label, ACCURACY)
    other = theirs(model, matrix, label, n_repeats=10, random_state=0).importances_mean
    other = np.maximum(other, 0) / np.maximum(other, 0).sum()
    assert [found[name] for name in NAMES] == pytest.approx(other, abs=0.02)


def test_a_model_that_looks_at_nothing_has_no_importance():
    blind = lambda rows: (np.ones(len(rows)), np.full(len(rows), np.nan))  # noqa: E731
    _, matrix, label = world()
    assert permutation_importance(blind, matrix, NAMES, label, ACCURACY) == {}


def test_weighted_drift_is_small_while_only_the_unimportant_moves():
    weights = shares({"a": 9.0, "b": 1.0, "c": 0.0})
    assert weighted_drift({"a": 0.0, "b": 0.0, "c": 5.0}, weights) == 0.0
    assert weighted_drift({"a": 1.0, "b": 0.0, "c": 5.0}, weights) == pytest.approx(0.9)
    assert by_effect(["c", "a"], {"c": 5.0, "a": 0.2}, weights) == ["a", "c"]
    assert by_effect(["c", "a"], {"c": 5.0, "a": 0.2}, {}) == ["c", "a"]


def test_each_kind_of_error_has_its_price():
    label, called = np.array([0, 1, 0, 1.0]), np.array([1, 0, 0, 1.0])
    assert row_costs(PRICES, ACCURACY, label, called).tolist() == [5, 120, 0, 0]
    per_unit, mae = Costs(per_unit_error=2), Metric(name="mae")
    assert row_costs(per_unit, mae, np.array([1, 5.0]), np.array([1, 2.0])).tolist() == [0, 6]
    several = Metric(name="f1", task="multiclass")
    assert row_costs(per_unit, several, label, called).tolist() == [2, 2, 0, 0]


@pytest.mark.parametrize("more", [0.0, 0.05])
def test_cost_beyond_the_usual_lies_in_its_interval(more):
    usual = UsualErrors(rows=10_000, false_positive=0.04, false_negative=0.02, wrong=0.06)
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        drawn = rng.random(1000)
        miss, alarm = drawn < 0.02 + more, drawn > 0.96
        label, called = miss.astype(float), alarm.astype(float)
        found = cost_of_labelled(PRICES, ACCURACY, label, called, usual, per_hour=2000)
        held.append(found.low <= 2000 * 120 * more <= found.high)
    assert np.mean(held) > 0.96


def test_usual_cost_of_a_row_is_the_price_of_its_usual_errors():
    usual = UsualErrors(rows=100, false_positive=0.1, false_negative=0.05)
    mean, error = usual_cost(PRICES, ACCURACY, usual)
    assert mean == pytest.approx(6.5)
    assert error == pytest.approx(np.sqrt(0.1 * 25 + 0.05 * 120**2 - 6.5**2) / 10)
