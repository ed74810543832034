"""The level of a window against what is usual at this time of day, over a fortnight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.season import DAY_S, FEWEST_DAYS, seasonal_range

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

HABIT_DAYS = 7  # searched for other rises as large
FEWEST_ROWS = 3  # one slow minute is not a level
SHORTEST_S = 300.0
MOST_MISSING = 1 / 3  # of the windows; with more there is no rhythm to hold against


def over_usual(
    times: Floats, values: Floats, since: float, ratio: float
) -> tuple[float, float] | None:
    """The level (median) of the rows from `since` on and the busy level usual at this time of day,
    when the first is more than `ratio` times the second; else None.

    `times` rise and `values` are finite. A series that was as far over its usual level on two other
    occasions of the last seven days is irregular, not risen. One occasion may have been an incident
    and excuses nothing.
    """
    levels, length = _levels(times, values, since)
    if not len(levels) or not np.isfinite(levels[0]):
        return None
    levels = _filled(levels, length)
    usual = seasonal_range(levels[1:], length)
    if usual is None or usual[1] <= 0 or levels[0] <= ratio * usual[1]:
        return None
    if _occasions(levels, length, float(levels[0]) / usual[1]) > 1:
        return None
    return float(levels[0]), usual[1]


def _levels(times: Floats, values: Floats, since: float) -> tuple[Floats, float]:
    """Medians of windows as long as that from `since` to the last row, the latest first; NaN for a
    window without rows. None at all when the latest holds fewer than three."""
    now = times >= since
    if int(now.sum()) < FEWEST_ROWS or times[0] > since - FEWEST_DAYS * DAY_S:
        return np.empty(0), DAY_S
    step = float(np.median(np.diff(times[now])))
    # A whole number of windows makes a day, so that each lies at one time of day.
    length = DAY_S / round(DAY_S / max(SHORTEST_S, min(times[-1] - since + step, DAY_S)))
    back = np.floor((times[-1] + step - times - 1e-6) / length).astype(np.int64)
    back = np.where(now, 0, np.maximum(back, 1))
    levels = np.full(int(back[0]) + 1, np.nan)
    starts = np.flatnonzero(np.r_[True, back[1:] != back[:-1]])
    for rows, place in zip(np.split(values, starts[1:]), back[starts], strict=True):
        levels[place] = np.median(rows)
    return levels, length


def _filled(levels: Floats, length: float) -> Floats:
    """Missing windows as on the other days at that time; all NaN when too many are missing."""
    missing = np.flatnonzero(~np.isfinite(levels))
    if len(missing) > MOST_MISSING * len(levels):
        return np.full(len(levels), np.nan)
    filled, per_day = levels.copy(), round(DAY_S / length)
    for place in missing:
        alike = levels[place % per_day :: per_day]
        alike = alike[np.isfinite(alike)]
        filled[place] = np.median(alike if len(alike) else levels[np.isfinite(levels)])
    return filled


def _occasions(levels: Floats, length: float, ratio: float) -> int:
    """Separate stretches of the last days that were as far over their own usual level; the one
    that goes on until now is not counted."""
    hot = []
    for back in range(1, min(len(levels), round(HABIT_DAYS * DAY_S / length))):
        usual = seasonal_range(levels[back + 1 :], length)
        if usual is None:
            break
        hot.append(usual[1] > 0 and float(levels[back]) >= ratio * usual[1])
    while hot and hot[0]:
        hot.pop(0)
    return int(np.sum(np.diff(np.array([False, *hot], dtype=np.int8)) > 0))
