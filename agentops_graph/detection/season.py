"""What is usual at this time of day: rows that a daily or weekly rhythm explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats

    Flags = NDArray[np.bool_]

DAY_S = 86_400
DAYS = 7
SHARE = 0.8  # of the last days that reached the value as well
SLACK_S = 1800  # a rhythm kept by people and batches is late by minutes
FEWEST_DAYS = 3  # one or two days make no rhythm
FEWEST_TOTALS = 3
CLOSER = 1.6  # how far the same weekday may narrow the range of all days


def explained_by_season(times: Floats, values: Floats) -> tuple[Flags, Flags]:
    """Per row: was it as high, and as low, at this time on most of the last seven days?

    A seasonal non-parametric band: the value lies inside the range of the same half hour on at
    least 80% of the days known, so one bad day neither widens nor narrows it. Looks only back.
    """
    slack = max(SLACK_S, float(np.median(np.diff(times)))) if len(times) > 1 else SLACK_S
    known = np.zeros(len(times))
    high, low = np.zeros(len(times)), np.zeros(len(times))
    for back in range(1, DAYS + 1):
        centre = times - back * DAY_S
        first = np.searchsorted(times, centre - slack)
        end = np.searchsorted(times, centre + slack, side="right")
        there = end > first
        known += there
        high += there & (_extreme(np.maximum, values, first, end) >= values)
        low += there & (_extreme(np.minimum, values, first, end) <= values)
    needed = np.minimum(np.maximum(2, np.ceil(SHARE * known)), np.maximum(known, 1))
    return high >= needed, low >= needed


def _extreme(
    of: np.ufunc, values: Floats, first: NDArray[np.intp], end: NDArray[np.intp]
) -> Floats:
    """The largest or smallest value of values[first:end] for each pair."""
    if not len(values):
        return values
    pairs = np.column_stack([first, end]).ravel()
    return np.asarray(of.reduceat(np.append(values, values[-1]), pairs)[::2], dtype=np.float64)


def seasonal_range(totals: Floats, length_s: float) -> tuple[float, float] | None:
    """Quiet and busy (10th and 90th percentile) total at this time of day.

    `totals` are those of windows of `length_s`, the latest first; the windows a whole number of
    days before now, and one on either side, are compared; the range is then drawn towards the same
    weekday, by at most 1.6, so that a holiday like a Sunday stays inside twice or half of it.
    None under three days: then every hour counts as usual.
    """
    per_day = DAY_S / length_s
    days = np.arange(1, int(len(totals) // per_day) + 1)
    if len(days) < FEWEST_DAYS or per_day < FEWEST_TOTALS:
        return None
    quiet, busy = np.quantile(_at(totals, np.asarray(days * per_day, dtype=np.float64)), [0.1, 0.9])
    weeks = days[days % DAYS == 0]
    if len(weeks):
        alike = _at(totals, np.asarray(weeks * per_day, dtype=np.float64))
        quiet = max(quiet, min(float(np.median(alike)), CLOSER * quiet))
        busy = min(busy, max(float(np.median(alike)), busy / CLOSER))
    return float(quiet), float(busy)


def _at(totals: Floats, ago: Floats) -> Floats:
    """The totals that many windows ago, and one on either side."""
    # Index 0 is the window just before now, so the window a day ago is per_day - 1.
    centre = np.rint(ago).astype(np.int64) - 1
    places = np.unique(np.concatenate([centre - 1, centre, centre + 1]))
    return np.asarray(totals[places[places < len(totals)]], dtype=np.float64)


def without_season(times: Floats, values: Floats) -> Floats:
    """The last day of a series less the median at the same time on up to seven days before.

    Rows are as long as those of the last day; unchanged where no whole day came before.
    """
    late = times >= times[-1] - DAY_S
    usual = [
        np.interp(times[late] - back * DAY_S, times, values)
        for back in range(1, DAYS + 1)
        if times[0] <= times[late][0] - back * DAY_S
    ]
    level = np.median(usual, axis=0) if usual else 0.0
    return np.asarray(values[late] - level, dtype=np.float64)
