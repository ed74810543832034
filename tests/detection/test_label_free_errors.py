"""The error of predicted numbers is estimated from errors by bin."""

from functools import cache

import numpy as np
import pytest

from agentops_graph.detection.label_free_errors import estimated_errors
from agentops_graph.detection.performance import Unmeasured, appraise
from tests.detection.scored_worlds import regressor

LOOKS = 40
world = cache(regressor)


@cache
def looks(metric, shift):
    there = world(metric)
    found = []
    for seed in range(LOOKS):
        rows = there.window(seed, shift=shift)
        guess = estimated_errors(there.metric, there.reference, rows.prediction, rows.features)
        found.append((guess, appraise(there.metric, rows.label, rows.prediction, rows.confidence)))
    return found


@pytest.mark.parametrize("shift", [0.0, 0.7, 1.2])
@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_interval_holds_what_the_labels_say_when_the_mix_of_rows_shifts(metric, shift):
    held = [guess.low <= told.value <= guess.high for guess, told in looks(metric, shift)]
    assert np.mean(held) >= 0.95


def test_estimate_is_nearer_the_truth_than_the_baseline_is():
    there = world("mae")
    healthy = there.healthy
    baseline = appraise(there.metric, healthy.label, healthy.prediction, healthy.confidence).value
    found = looks("mae", 1.2)
    guessed = np.mean([abs(guess.value - told.value) for guess, told in found])
    assert guessed < 0.8 * np.mean([abs(baseline - told.value) for _, told in found])


def test_interval_widens_as_the_input_drifts():
    width = [np.mean([g.high - g.low for g, _ in looks("mae", shift)]) for shift in (0.0, 0.7, 1.2)]
    assert width[0] * 1.2 < width[1] < width[2]


def test_a_metric_that_bins_of_errors_do_not_hold_is_not_estimated():
    there = world("mae")
    metric = there.metric.model_copy(update={"name": "r2", "direction": "higher_is_better"})
    rows = there.window(1)
    found = estimated_errors(metric, there.reference, rows.prediction, rows.features)
    assert isinstance(found, Unmeasured)
    assert "can't be estimated without labels" in found.why


def test_rows_unlike_all_that_was_seen_get_no_estimate():
    there = world("mae")
    rows = there.window(1)
    features = dict(rows.features) | {"x1": rows.features["x1"] + 50.0}
    found = estimated_errors(there.metric, there.reference, rows.prediction, features)
    assert "100% of the rows have a value far outside" in found.why
