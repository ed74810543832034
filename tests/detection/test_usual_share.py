"""What usually fails is told from counts, also where most rows have no failure."""

import numpy as np
import pytest

from agentops_graph.detection.season import DAY_S
from agentops_graph.detection.usual_share import usual_share

ROW_S = 300


def counted(days, share, asked=24, seed=0):
    rng = np.random.default_rng(seed)
    times = np.arange(0, days * DAY_S, ROW_S) + 0.5 * ROW_S
    sizes = rng.poisson(asked, len(times)).astype(float)
    return times, rng.binomial(sizes.astype(int), share).astype(float), sizes


def test_few_requests_a_row_hide_no_share():
    times, hits, sizes = counted(8, 0.01)
    since = 8 * DAY_S - 3600
    assert np.median(hits / sizes) == 0
    assert usual_share(times, hits, sizes, since) == pytest.approx(0.01, abs=0.005)


def test_a_share_that_belongs_to_the_hour_is_told_of_that_hour_only():
    times, hits, sizes = counted(8, 0.0)
    night = times % DAY_S >= DAY_S - 3600
    hits[night] = np.round(sizes[night] / 4)
    assert usual_share(times, hits, sizes, 8 * DAY_S - 3600) == pytest.approx(0.17, abs=0.1)
    noon = times < 7.5 * DAY_S
    assert usual_share(times[noon], hits[noon], sizes[noon], 7.5 * DAY_S - 3600) == 0


def test_one_bad_day_is_no_habit():
    times, hits, sizes = counted(8, 0.01)
    bad = (times > 5 * DAY_S) & (times < 6 * DAY_S)
    hits[bad] = sizes[bad]
    assert usual_share(times, hits, sizes, 8 * DAY_S - 3600) < 0.03


def test_without_earlier_requests_nothing_is_usual():
    times, hits, sizes = counted(1, 0.5)
    assert usual_share(times, hits, np.zeros_like(sizes), DAY_S - 3600) == 0
    assert usual_share(times, hits, sizes, 0.0) == 0
