"""Which rows of a metric series are unusual, judged only from the rows before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from agentops_graph.detection.season import DAY_S, explained_by_season

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats

    Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Sensitivity:
    """How a series is judged; one set of defaults serves every series."""

    near_rows: int = 12  # median that a single row is held against
    far_rows: int = 96  # median that the mean of the last few rows is held against
    mean_rows: int = 6
    history_rows: int = 700  # rows that tell how large a deviation is usual
    tail: float = 0.01  # share of them that shapes the tail
    warm_rows: int = 150
    warm_days: int = 2
    refresh_rows: int = 24  # the tail is fitted anew that often
    odds: float = 7.75  # alarm above this -ln(probability): one row in 2,300 by chance
    rest_rows: int = 48  # after an alarm, further ones belong to it


DEFAULT = Sensitivity()
SHAPE_LIMIT = 0.5  # of the tail; heavier tails have no variance
FLOOR = 0.025  # of the usual level; a smaller step matters to nobody


@dataclass(frozen=True)
class Judged:
    """Per row given, -ln of the chance of so large a deviation; 0 where nothing is unusual.

    `alarms` are row numbers: the first of each unusual stretch.
    """

    scores: Floats
    alarms: Rows


def judge(
    times: Floats, values: Floats, how: Sensitivity = DEFAULT, *, since: float = -np.inf
) -> Judged:
    """Scores every row against the past of its own series.

    Three deviations are watched: the row from the median of the last 12, the mean of 6 rows from
    the median of the last 96 (a lasting shift that no single row shows), and the step between two
    rows. How large each usually is comes from the last 700 rows: above its 99th percentile a
    generalised Pareto tail is fitted by moments (peaks over threshold: Hosking and Wallis,
    Technometrics 29, 1987; on streams: Siffer et al., KDD 2017), with the median absolute
    deviation (Rousseeuw and Croux, JASA 88, 1993) as the least scale. What the same time of day
    explains scores 0, and so do the 12 rows after a long gap. Alarms rest for 48 rows. Rows need
    not be evenly spaced; a row that is not finite scores 0 and takes no part. With `since` only
    the rows from then on are judged, which costs as much less.
    """
    keep = np.flatnonzero(np.isfinite(values) & np.isfinite(times))
    keep = keep[np.argsort(times[keep], kind="stable")]
    scores = np.zeros(len(values))
    if len(keep) > how.warm_rows:
        scores[keep] = _scores(times[keep], values[keep], how, since)
    alarms = keep[_rested(np.flatnonzero(scores[keep] > how.odds), how)]
    return Judged(scores, alarms)


def _rested(hot: Rows, how: Sensitivity) -> Rows:
    """The first of each stretch of hot rows, and again after every rest."""
    alarms: list[int] = []
    for row in hot.tolist():
        if not alarms or row - alarms[-1] > how.rest_rows:
            alarms.append(row)
    return np.array(alarms, dtype=np.intp)


def _scores(times: Floats, values: Floats, how: Sensitivity, since: float) -> Floats:
    steps = np.diff(times)
    apart = float(np.median(steps[steps > 0])) if (steps > 0).any() else DAY_S
    warm = max(how.warm_rows, how.warm_days * round(DAY_S / apart))
    scores = np.zeros(len(values))
    begin = max(warm, int(np.searchsorted(times, since)))
    if len(values) <= begin:
        return scores
    high, low = explained_by_season(times, values)
    deviations = _deviations(values, how)
    for start in range(begin, len(values), how.refresh_rows):
        past = slice(max(0, start - how.history_rows), start)
        now = slice(start, start + how.refresh_rows)
        floor = FLOOR * float(np.median(np.abs(values[past]))) + 1e-9
        for deviation in deviations:
            up = _unlikely(deviation[now], deviation[past], how.tail, floor)
            down = _unlikely(-deviation[now], -deviation[past], how.tail, floor)
            open_ = np.maximum(np.where(high[now], 0, up), np.where(low[now], 0, down))
            scores[now] = np.maximum(scores[now], open_)
    scores[_after_gap(steps, apart, how)] = 0
    return scores


def _after_gap(steps: Floats, apart: float, how: Sensitivity) -> NDArray[np.bool_]:
    """Rows whose near past lies before a long gap: it says nothing about them."""
    gaps = np.concatenate([[0], np.cumsum(steps > how.near_rows * apart)])
    before = np.concatenate([np.zeros(how.near_rows, dtype=gaps.dtype), gaps[: -how.near_rows]])
    return np.asarray(gaps != before)


def _deviations(values: Floats, how: Sensitivity) -> tuple[Floats, Floats, Floats]:
    summed = np.cumsum(np.concatenate([np.zeros(how.mean_rows), values]))
    recent = (summed[how.mean_rows :] - summed[: -how.mean_rows]) / how.mean_rows
    recent[: how.mean_rows] = values[: how.mean_rows]
    near = values - _median_before(values, how.near_rows)
    far = recent - _median_before(values, how.far_rows)
    return near, far, np.diff(values, prepend=values[0])


def _median_before(values: Floats, rows: int) -> Floats:
    """The median of the rows before each row; the series' first value stands in for missing."""
    padded = np.concatenate([np.full(rows, values[0]), values[:-1]])
    return np.asarray(np.median(sliding_window_view(padded, rows), axis=1), dtype=np.float64)


def _unlikely(now: Floats, past: Floats, tail: float, floor: float) -> Floats:
    """-ln of the chance of a deviation as large as each of `now`; 0 inside the usual ones."""
    line = float(np.quantile(past, 1 - tail))
    excess = past[past > line] - line
    spread = 1.4826 * float(np.median(np.abs(past)))
    mean = max(float(excess.mean()) if len(excess) else 0.0, spread / 4, floor)
    shape = 0.0
    variance = float(excess.var()) if len(excess) > 5 else 0.0
    if variance > 0:
        shape = float(np.clip((1 - mean * mean / variance) / 2, 0, SHAPE_LIMIT))
    over = np.maximum(now - line, 0) / (mean * (1 - shape))
    beyond = np.log1p(shape * over) / shape if shape > 1e-3 else over
    return np.where(now > line, beyond - np.log(tail), 0.0)
