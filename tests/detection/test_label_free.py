"""A metric is estimated without labels, and the estimate says how far it can be believed."""

from functools import cache

import numpy as np
import pytest

from agentops_graph.detection.estimated_drop import estimated_drop
from agentops_graph.detection.label_free import estimated
from agentops_graph.detection.performance import Baseline, Unmeasured, appraise
from agentops_graph.detection.triggers import Window
from agentops_graph.domain.component import Component
from tests.detection.scored_worlds import AT, classifier

LOOKS = 20
world = cache(classifier)


def estimate(world, rows, reference=None):
    held = reference or world.reference
    return estimated(world.metric, held, rows.prediction, rows.confidence, rows.features)


def truth(world, rows):
    return appraise(world.metric, rows.label, rows.prediction, rows.confidence)


@cache
def looks(metric, shift, count=LOOKS, classes=2):
    there = world(metric, classes=classes)
    rows = [there.window(seed, shift=shift) for seed in range(count)]
    return [(estimate(there, each), truth(there, each)) for each in rows]


def holds(found):
    return np.mean([guess.low <= told.value <= guess.high for guess, told in found])


@pytest.mark.parametrize("metric", ["f1", "auc", "log_loss"])
def test_interval_holds_what_the_labels_say_when_the_mix_of_rows_shifts(metric):
    assert holds(looks(metric, 0.7)) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.7, 1.2])
@pytest.mark.parametrize("metric", ["f1", "accuracy", "precision", "recall", "auc", "brier"])
def test_interval_holds_over_many_windows_and_shifts(metric, shift):
    assert holds(looks(metric, shift, count=100)) >= 0.95


def test_estimate_is_nearer_the_truth_than_the_baseline_is():
    there = world("f1")
    baseline = truth(there, there.healthy).value
    found = looks("f1", 0.7)
    guessed = np.mean([abs(guess.value - told.value) for guess, told in found])
    assert guessed < 0.6 * np.mean([abs(baseline - told.value) for _, told in found])


def test_interval_widens_as_the_input_drifts():
    width = [
        np.mean([guess.high - guess.low for guess, _ in looks("f1", shift)])
        for shift in (0.0, 0.7, 1.2)
    ]
    assert width[0] * 1.3 < width[1] < width[2]


@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_several_classes_are_estimated_by_the_confidence_in_the_predicted_one(metric):
    assert holds(looks(metric, 0.7, classes=3)) >= 0.95


def test_a_changed_meaning_of_the_label_is_not_seen_without_labels():
    there = world("f1")
    rows = there.window(3)
    turned = rows.label.copy()
    turned[: len(turned) // 3] = 1 - turned[: len(turned) // 3]
    told = appraise(there.metric, turned, rows.prediction, rows.confidence)
    guess = estimate(there, rows)
    assert told.high < guess.low  # as the page on detection says it is


def test_rows_unlike_all_that_was_seen_get_no_estimate():
    there = world("f1")
    rows = there.window(3)
    rows.matrix = rows.matrix.copy()
    rows.matrix[: len(rows.matrix) // 4, 2] = 1e4
    found = estimate(there, rows)
    assert isinstance(found, Unmeasured)
    assert "25% of the rows have a value far outside" in found.why


def test_without_a_calibration_the_reason_is_told():
    there = world("f1")
    bare = there.reference.model_copy(update={"healthy": None})
    assert "has no calibration" in estimate(there, there.window(1), bare).why


def test_a_score_of_the_predicted_class_means_the_same_as_one_of_class_1():
    there = world("f1")
    rows = there.window(5, shift=0.7)
    before = estimate(there, rows)
    rows.confidence = np.where(rows.prediction == 1, rows.confidence, 1 - rows.confidence)
    after = estimate(there, rows)
    assert after.value == pytest.approx(before.value, abs=1e-9)


def test_a_score_that_says_nothing_still_gives_what_the_predictions_say():
    there = classifier("f1")
    there.healthy.confidence[:] = 0.9
    there.reference = there.profile(there.healthy)
    rows = there.window(4)
    rows.confidence = np.full(len(rows.label), 0.9)
    guess = estimate(there, rows)
    assert guess.low <= truth(there, rows).value <= guess.high


def test_rows_without_a_confidence_get_no_estimate():
    there = world("f1")
    rows = there.window(4)
    rows.confidence = np.full(len(rows.label), np.nan)
    assert "fewer than half of the rows have a `confidence`" in estimate(there, rows).why


def test_one_row_is_estimated_with_an_interval_that_says_nothing():
    there = world("accuracy")
    guess = estimate(there, there.window(4, count=1))
    assert (guess.low, guess.high) == (0.0, 1.0)


def drop(there, rows):
    told = truth(there, there.healthy)
    window = Window(Component(name="m", metric=there.metric), AT, AT)
    return estimated_drop(window, estimate(there, rows), Baseline(told.value, told.error))


def test_healthy_windows_raise_no_warning():
    there = world("f1")
    assert [seed for seed in range(60) if drop(there, there.window(seed))] == []


def test_a_sure_loss_warns_and_says_that_it_is_estimated():
    there = world("accuracy")
    unsure = np.abs(there.pool.confidence - 0.5)
    hard = there.pool.only(np.argsort(unsure)[:3000])  # the rows nearest to the border
    warned = drop(there, hard)
    assert (warned.severity, warned.metric) == ("warning", "estimated_accuracy")
    assert "ACCURACY is estimated, without labels, at" in warned.summary
    assert truth(there, hard).value < warned.threshold
