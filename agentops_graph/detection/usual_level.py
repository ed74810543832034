"""The level of a window against what is usual at this time of day, over a fortnight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.season import CLOSER, DAY_S, FEWEST_DAYS

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
    per_day = round(DAY_S / length)
    levels = _filled(levels, per_day)
    looked = min(len(levels) - FEWEST_DAYS * per_day, HABIT_DAYS * per_day)
    usual = _busy(levels, per_day, max(1, looked))
    if not usual[0] > 0 or levels[0] <= ratio * usual[0]:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(levels[: len(usual)] / usual)
    past = _before(ratios[1:])
    strayed = past[np.isfinite(past)]
    if not len(strayed):
        return None
    middle = float(np.median(strayed))
    spread = 1.4826 * float(np.median(np.abs(strayed - middle)))
    if ratios[0] <= middle + STRAYS * spread or _occasions(past, float(ratios[0])) > 1:
        return None
    return float(levels[0]), float(usual[0])


def _busy(levels: Floats, per_day: int, count: int) -> Floats:
    """For each of the latest windows the busy level of its time of day on earlier days, with a
    window's slack on either side; NaN under three days."""
    days = np.arange(1, len(levels) // per_day + 1)
    ago = (days[:, None] * per_day + np.array([-1, 0, 1])).ravel()
    place = np.arange(count)[:, None] + ago
    # What lies before the series is NaN, which sorts last.
    alike = np.append(levels, np.nan)[np.minimum(place, len(levels))]
    weekly = alike[:, np.repeat(days % 7 == 0, 3)]
    every = _quantile(alike, 0.9, 3 * FEWEST_DAYS)
    drawn = np.maximum(np.fmax(_quantile(weekly, 0.5, 3), 0), every / CLOSER)
    return np.where(
        np.isfinite(_quantile(weekly, 0.5, 3)), np.minimum(every, MARGIN * drawn), every
    )


def _quantile(rows: Floats, level: float, fewest: int) -> Floats:
    """Per row, over what is known; NaN where that is too little."""
    if not rows.shape[1]:
        return np.full(len(rows), np.nan)
    ordered, known = np.sort(rows, axis=1), np.isfinite(rows).sum(axis=1)
    place = np.rint(level * np.maximum(known - 1, 0)).astype(np.intp)
    found = ordered[np.arange(len(rows)), place]
    return np.where(known >= fewest, found, np.nan)


def _before(ratios: Floats) -> Floats:
    """Without the stretch that is as high as now and goes on until now."""
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


def _filled(levels: Floats, per_day: int) -> Floats:
    """Missing windows as on the other days at that time; all NaN when too many are missing."""
    missing = np.flatnonzero(~np.isfinite(levels))
    if len(missing) > MOST_MISSING * len(levels):
        return np.full(len(levels), np.nan)
    filled = levels.copy()
    for place in missing:
        alike = levels[place % per_day :: per_day]
        alike = alike[np.isfinite(alike)]
        filled[place] = np.median(alike if len(alike) else levels[np.isfinite(levels)])
    return filled
