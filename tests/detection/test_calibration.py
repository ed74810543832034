"""How far scores can be believed, as a table to estimate by and as a metric with an interval."""

import numpy as np
import pytest

from agentops_graph.detection.calibration import calibration_of, isotonic
from agentops_graph.detection.performance import Baseline, Unmeasured, appraise, sure_loss
from agentops_graph.domain.metric import Metric

ECE = Metric(name="ece")


def scored(seed, rows, off=0.0):
    rng = np.random.default_rng(seed)
    score = rng.beta(0.7, 1.5, rows)
    label = (rng.random(rows) < np.clip(score + off, 0, 1)).astype(float)
    return label, (score > 0.5).astype(float), score


def test_ece_is_known_by_name_as_an_error_of_binary_scores():
    assert (ECE.direction, ECE.task, ECE.tolerance) == ("lower_is_better", "binary", 0.02)


@pytest.mark.parametrize("rows", [300, 2000, 20_000])
def test_calibrated_scores_have_an_error_near_none_however_few_they_are(rows):
    found = [appraise(ECE, *scored(seed, rows)) for seed in range(30)]
    assert np.mean([each.value for each in found]) < 0.03
    assert np.mean([each.low == 0.0 for each in found]) > 0.9


def test_scores_that_are_off_by_a_tenth_have_an_error_of_a_tenth():
    found = [appraise(ECE, *scored(seed, 3000, off=0.1)) for seed in range(30)]
    assert np.mean([each.value for each in found]) == pytest.approx(0.1, abs=0.015)
    assert np.mean([each.low <= 0.1 <= each.high for each in found]) > 0.9


def test_only_surely_worse_calibration_is_a_loss():
    healthy = appraise(ECE, *scored(99, 6000))
    baseline = Baseline(healthy.value, healthy.error)
    calm = [sure_loss(ECE, appraise(ECE, *scored(s, 1000)), baseline) for s in range(100)]
    worse = [sure_loss(ECE, appraise(ECE, *scored(s, 1000, off=0.2)), baseline) for s in range(20)]
    assert max(calm) < ECE.tolerance
    assert min(worse) > ECE.tolerance


def test_too_few_rows_for_calibration_are_said():
    found = appraise(ECE, *scored(1, 60))
    assert isinstance(found, Unmeasured)
    assert "60 scored rows are too few" in found.why


def test_isotonic_pools_neighbours_that_fall():
    found = isotonic(np.array([0.1, 0.5, 0.3, 0.9]), np.array([1.0, 1.0, 3.0, 1.0]))
    assert found.tolist() == pytest.approx([0.1, 0.35, 0.35, 0.9])


def test_isotonic_agrees_with_scikit_learn():
    from sklearn.isotonic import isotonic_regression

    rng = np.random.default_rng(4)
    values, weights = rng.random(60) + np.linspace(0, 1, 60), rng.random(60) + 0.1
    assert isotonic(values, weights) == pytest.approx(
        isotonic_regression(values, sample_weight=weights)
    )


@pytest.mark.parametrize(
    ("label", "prediction", "score"),
    [
        (np.ones(100), np.ones(100), np.ones(100)),  # too few
        (np.arange(300.0), np.arange(300.0), np.ones(300)),  # numbers, not classes
        (np.full(300, np.nan), np.ones(300), np.ones(300)),  # no labels
        (np.ones(300), np.ones(300), np.full(300, np.nan)),  # no scores
    ],
)
def test_rows_that_teach_nothing_give_no_table(label, prediction, score):
    assert calibration_of(label, prediction, score, binary=False) is None
    assert calibration_of(label, prediction, score, binary=True) is None
