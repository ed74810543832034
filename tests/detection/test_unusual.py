"""Unusual rows of a series are found, rhythms and wrong inputs are not."""

import numpy as np
import pytest

from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.rise import rise_since, said_since, suspected
from agentops_graph.detection.season import DAY_S, explained_by_season, seasonal_range
from agentops_graph.detection.unusual import judge

STEP = 600.0
TIMES = np.arange(10 * 144) * STEP


def rhythm(seed=0, noise=0.05):
    rng = np.random.default_rng(seed)
    shape = 100 * (1 + 0.5 * np.sin(TIMES * 2 * np.pi / DAY_S))
    return shape * rng.lognormal(0, noise, len(TIMES))


def test_a_spike_and_a_dip_are_found_at_their_row():
    values = rhythm()
    values[1000] = 600
    values[1200] = 1
    assert set(judge(TIMES, values).alarms) == {1000, 1200}


def test_a_daily_peak_of_one_hour_is_not_unusual():
    values = rhythm(noise=0.01)
    values[(TIMES % DAY_S) < 3600] += 400
    assert not len(judge(TIMES, values).alarms)
    values[1000:1006] += 1600
    assert judge(TIMES, values).alarms[0] == 1000


def test_only_the_past_decides():
    values = rhythm()
    values[1000] = 600
    whole, early = judge(TIMES, values).scores, judge(TIMES[:1100], values[:1100]).scores
    assert np.array_equal(whole[:1100], early)


def test_since_judges_the_last_rows_alone():
    values = rhythm()
    values[[1000, 1420]] = 600
    assert list(judge(TIMES, values, since=TIMES[1400]).alarms) == [1420]


def test_noise_alone_alarms_rarely():
    alarms = sum(len(judge(TIMES, rhythm(seed)).alarms) for seed in range(20))
    assert alarms <= 20 * len(TIMES) / 1000


@pytest.mark.parametrize("rows", [0, 1, 2, 149])
def test_too_few_rows_are_not_judged(rows):
    judged = judge(TIMES[:rows], rhythm()[:rows])
    assert len(judged.scores) == rows
    assert not judged.scores.any()
    assert not len(judged.alarms)
    assert rise_since(TIMES[:rows], rhythm()[:rows], 0.0) is None


def test_a_constant_series_is_silent_and_its_break_is_not():
    values = np.full(len(TIMES), 45.0)
    assert not judge(TIMES, values).scores.any()
    values[1000] = 90
    assert judge(TIMES, values).alarms[0] == 1000


def test_rows_that_are_not_finite_take_no_part():
    values = rhythm()
    values[::7] = np.nan
    values[[3, 900]] = np.inf, -np.inf
    values[1000] = 600
    judged = judge(TIMES, values)
    assert list(judged.alarms) == [1000]
    assert not judged.scores[::7].any()
    assert not len(judge(TIMES, np.full(len(TIMES), np.nan)).alarms)


def test_gaps_and_rows_out_of_order_are_borne():
    values = rhythm()
    values[1000] = 600
    rng = np.random.default_rng(1)
    kept = np.setdiff1d(rng.permutation(len(TIMES))[:1300], np.arange(700, 760))
    kept = rng.permutation(np.union1d(kept, [1000]))
    alarms = judge(TIMES[kept], values[kept]).alarms
    assert [kept[row] for row in alarms] == [1000]


def test_rows_of_one_moment_are_borne():
    assert not len(judge(np.zeros(400), np.ones(400)).alarms)


def test_a_season_needs_most_days():
    values = np.ones(len(TIMES))
    values[[720, 1008]] = 5, 5  # 720 is two days before
    assert not explained_by_season(TIMES, values)[0][1008]
    values[[864, 720, 576, 432, 288, 144]] = 5
    assert explained_by_season(TIMES, values)[0][1008]


@pytest.mark.parametrize("seed", range(5))
def test_a_rise_is_said_with_its_onset_and_interval(seed):
    values = rhythm(seed)
    values[1435:] *= 3
    assert suspected(TIMES, values, TIMES[-6])
    found = rise_since(TIMES, values, TIMES[-6])
    assert found.level > 1.5 * found.expected
    assert found.onset.earliest <= TIMES[1435] <= found.onset.latest
    assert said_since(found.onset).startswith(", since 23:10 UTC, +-")


def test_the_busy_hour_of_every_day_is_no_rise():
    values = rhythm()
    values[TIMES % DAY_S >= DAY_S - 3600] *= 4
    assert suspected(TIMES, values, TIMES[-6])
    assert rise_since(TIMES, values, TIMES[-6]) is None


def test_the_onset_interval_holds_the_truth_nine_times_in_ten():
    inside = 0
    for seed in range(100):
        values = np.random.default_rng(seed).normal(size=200)
        values[120:] += 2
        onset = onset_of(np.arange(200.0), values)
        inside += onset.earliest <= 120 <= onset.latest
    assert inside >= 90


def test_night_is_held_against_night():
    hours = np.arange(14 * 24)
    totals = np.where(hours % 24 < 12, 1000.0, 100.0)  # the latest hours first
    assert seasonal_range(totals, 3600) == pytest.approx((100, 1000), rel=10)
    quiet, busy = seasonal_range(np.roll(totals, 5), 3600)
    assert (quiet, busy) == (100, 100)


def test_under_three_days_there_is_no_season():
    assert seasonal_range(np.ones(60), 3600) is None
    assert seasonal_range(np.empty(0), 3600) is None
