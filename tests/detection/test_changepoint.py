"""An onset is found where it is, with its shape, and not where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agentops_graph.detection.changepoint import onset_of

HOUR = np.arange(3600.0)


@settings(max_examples=80, deadline=None)
@given(
    arrays(np.float64, st.integers(0, 80), elements=st.floats(-1e6, 1e6) | st.just(float("nan")))
)
def test_an_onset_lies_inside_the_window(values):
    times = np.arange(len(values)) * 7.0 + 1000
    onset = onset_of(times, values)
    if onset is not None:
        assert times[0] <= onset.at <= times[-1]
        assert onset.strength > 0


@pytest.mark.parametrize("at", [300, 1800, 3300])
def test_a_step_is_found_within_a_minute(at):
    rng = np.random.default_rng(at)
    onset = onset_of(HOUR, rng.normal(size=3600) + 1.0 * (at <= HOUR))
    assert onset.at == pytest.approx(at, abs=60)
    assert onset.shape == "abrupt"
    assert onset.after - onset.before == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("at", [600, 1800])
def test_a_ramp_is_gradual_and_begins_where_it_begins(at):
    rng = np.random.default_rng(at)
    onset = onset_of(HOUR, rng.normal(size=3600) + np.maximum(HOUR - at, 0) / 600)
    assert onset.shape == "gradual"
    assert onset.at == pytest.approx(at, abs=300)


def test_noise_has_no_onset():
    for seed in range(300):
        rng = np.random.default_rng(seed)
        assert onset_of(HOUR[:600], rng.normal(size=600)) is None


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [5.0] * 50, [float("nan")] * 50, [float("inf")] * 50, [0.1] * 29 + [9.0]],
    ids=["empty", "one row", "constant", "all missing", "infinite", "one outlier"],
)
def test_a_series_without_a_change_gives_none(values):
    assert onset_of(np.arange(len(values)) * 1.0, np.array(values)) is None


def test_rows_at_one_instant_give_none():
    assert onset_of(np.full(50, 3.0), np.arange(50.0)) is None


def test_rows_that_a_step_and_a_slow_rise_fit_alike_are_not_clear():
    times = np.arange(120.0) * 60
    noise = np.random.default_rng(3).normal(size=120)
    assert onset_of(times, noise + 6.0 * (times >= 3600)).is_clear
    assert onset_of(times, noise / 4 + np.maximum(times - 1800, 0) / 900).is_clear
    unclear = onset_of(times, noise + 2 * np.clip((times - 2700) / 2700, 0, 1))
    assert unclear.shape == "abrupt"
    assert not unclear.is_clear


@pytest.mark.parametrize("minutes_ago", [62, 65, 70, 78])
def test_a_late_step_in_a_day_of_rows_is_found_at_its_moment(minutes_ago):
    times = np.arange(0, 25.5 * 3600, 300.0)
    at = times[-1] - minutes_ago * 60
    onset = onset_of(times, 0.01 * np.sin(times) + 0.5 * (times >= at))
    assert onset.shape == "abrupt"
    assert onset.at == pytest.approx(at, abs=300)
