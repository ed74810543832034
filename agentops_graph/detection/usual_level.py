"""The level of a window against what is usual at this time of day, over a fortnight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.season import DAY_S, FEWEST_DAYS, seasonal_range

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

HABIT_DAYS = 7  # searched for other rises as large
FEWEST_ROWS = 3  # one slow minute is not a level
STRAYS = 6.0  # spreads
MARGIN = 1.2  # over the level that the same weekday suggests, of which there are two
OVER = 1.5  # a window that belongs to the rise going on
SHORTEST_S = 300.0
MOST_MISSING = 1 / 3  # of the windows; with more there is no rhythm to hold against


def over_usual(
    times: Floats, values: Floats, since: float, ratio: float
) -> tuple[float, float] | None:
    """The level (median) of the rows from `since` on and the busy level usual at this time of day,
    when the first is more than `ratio` times the second and than what this series strays by; else
    None.

    `times` rise and `values` are finite. The busy level is the 90th percentile of this time on
    earlier days; against the lower one that the same weekday suggests it takes a fifth more. How
    far a series strays is the spread (median absolute deviation) of its windows' ratios over seven
    days, six times over. One that was as high on two other occasions is irregular, not risen; one
    occasion may have been an incident and excuses nothing.
    """
    levels, length = _levels(times, values, since)
    if not len(levels) or not np.isfinite(levels[0]):
        return None
    levels = _filled(levels, length)
    usual = _busy(levels, length)
    if usual is None or levels[0] <= ratio * usual:
        return None
    now, past = float(np.log(levels[0] / usual)), _past(levels, length)
    strayed = past[np.isfinite(past)]
    if not len(strayed):
        return None
    middle = float(np.median(strayed))
    spread = 1.4826 * float(np.median(np.abs(strayed - middle)))
    if now <= middle + STRAYS * spread or _occasions(past, now) > 1:
        return None
    return float(levels[0]), usual


def _busy(levels: Floats, length: float) -> float | None:
    """What the latest window is held against; None without a rhythm to go by."""
    drawn = seasonal_range(levels[1:], length)
    every = seasonal_range(levels[1:], length, by_weekday=False)
    if drawn is None or every is None or drawn[1] <= 0:
        return None
    return min(every[1], MARGIN * drawn[1])


def _past(levels: Floats, length: float) -> Floats:
    """Log ratio of the windows of the last days to their own busy level, the latest first; the
    stretch that is as high as now and goes on until now is left out."""
    found = []
    for back in range(1, min(len(levels), round(HABIT_DAYS * DAY_S / length))):
        usual = _busy(levels[back:], length)
        if usual is None:
            break
        found.append(np.log(levels[back] / usual) if levels[back] > 0 else np.nan)
    ratios = np.array(found)
    below = np.flatnonzero(~(ratios > np.log(OVER)))
    return ratios[below[0] :] if len(below) else np.empty(0)


def _occasions(past: Floats, ratio: float) -> int:
    """Separate stretches that were as far over their usual level."""
    hot = np.concatenate([[False], past >= ratio])
    return int(np.sum(hot[1:] & ~hot[:-1]))


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
