"""When a series changed, and whether at one moment or slowly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

MIN_ROWS = 8
MIN_SIDE = 3  # values on either side of a change; fewer are an outlier, not a level
BUCKETS = 60
PENALTY = 4
# A ramp is named only when it fits clearly better: a step seen through noise looks a bit sloped.
RAMP_LEAD = -math.log(0.9)  # a bucket; of squared error a tenth less
# 95% point of the likelihood ratio of a change's place, P(x) = (1 - exp(-x / 2)) ** 2: Hansen,
# Econometrica 68 (2000).
PLACE_RATIO = 7.35
LATE = 4  # times the length of a rise; where the series is longer than that, it is looked at nearer
# Twice the log-likelihood ratio at which one of two shapes is "strong" evidence against the other:
# Kass and Raftery, JASA 90 (1995).
CLEAR_RATIO = 6.0


@dataclass(frozen=True)
class Onset:
    """The moment a series changed (seconds since the epoch) and its level before and after."""

    at: float
    shape: Literal["abrupt", "gradual"]
    before: float
    after: float
    strength: float  # likelihood ratio against no change, in natural-log units
    earliest: float  # 95% interval of `at`
    latest: float
    ramp_lead: float = 0.0  # likelihood ratio of a slow rise against a step; below 0 a step fits

    @property
    def is_clear(self) -> bool:
        """Whether the rows can tell a step from a slow rise; else the shape is the simpler one."""
        return self.shape == "gradual" or self.ramp_lead < -CLEAR_RATIO

    @property
    def within_s(self) -> float:
        """Half of the interval, seconds."""
        return (self.latest - self.earliest) / 2


def onset_of(timestamps: Floats, values: Floats) -> Onset | None:
    """The one change of mean that explains the series best; None when noise explains it as well.

    The location maximises the likelihood ratio of a normal mean shift, which is the largest
    standardised cumulative sum: Page, Biometrika 41 (1954); Hinkley, Biometrika 57 (1970). Its
    size is judged by the penalty 4 ln n, above the modified Schwarz criterion's 2 ln n (Chen and
    Gupta, JASA 92, 1997) because a monitor looks many times. Rows need not be evenly spaced; NaN
    is left out. The interval holds every place that the likelihood ratio does not rule out.
    """
    keep = np.isfinite(values) & np.isfinite(timestamps)
    times, series = timestamps[keep], values[keep]
    if len(series) < MIN_ROWS or times[-1] <= times[0]:
        return None
    split, strength = _best_split(series)
    if strength <= PENALTY * np.log(len(series)):
        return None
    knot, ramp_lead = _rise(times, series)
    span = times[-1] - times[0]
    if knot is not None and LATE * (times[-1] - knot[0]) < span:
        # A step inside one of the last wide buckets looks like a rise; narrow ones tell.
        near = times >= times[-1] - LATE * (times[-1] - knot[0])
        knot, ramp_lead = _rise(times[near], series[near])
    shape: Literal["abrupt", "gradual"] = "abrupt" if knot is None else "gradual"
    at, earliest, latest = _step_place(times, series, split) if knot is None else knot
    return Onset(
        at=at,
        shape=shape,
        earliest=earliest,
        latest=latest,
        before=float(series[:split].mean()),
        after=float(series[split:].mean()),
        strength=strength,
        ramp_lead=ramp_lead,
    )


def _best_split(series: Floats) -> tuple[int, float]:
    """First index after the change, and twice the log-likelihood ratio over no change."""
    count = len(series)
    explained = _explained(series)
    best = int(np.argmax(explained))
    total = float(np.sum((series - series.mean()) ** 2))
    # Rounding alone leaves a little variance in a constant series.
    if total <= 1e-18 * max(1.0, float(np.sum(series**2))):
        return best + 1, 0.0
    residual = max(total - float(explained[best]), 1e-12 * total)
    return best + 1, float(count * np.log(total / residual))


def _explained(series: Floats) -> Floats:
    """Per split the squared error that two levels take away, 0 too near the ends."""
    count = len(series)
    sums = np.cumsum(series - series.mean())[:-1]
    left = np.arange(1, count)
    explained = np.asarray(sums**2 * count / (left * (count - left)), dtype=np.float64)
    explained[: MIN_SIDE - 1] = 0
    explained[count - MIN_SIDE :] = 0
    return explained


def _step_place(times: Floats, series: Floats, split: int) -> tuple[float, float, float]:
    """The step's place and its interval: from the last row surely before to the first after."""
    count, explained = len(series), _explained(series)
    total = float(np.sum((series - series.mean()) ** 2))
    left = np.maximum(total - explained, 1e-12 * total)
    likely = np.flatnonzero(count * np.log(left / left.min()) <= PLACE_RATIO)
    return float(times[split]), float(times[likely[0]]), float(times[likely[-1] + 1])


def _rise(times: Floats, series: Floats) -> tuple[tuple[float, float, float] | None, float]:
    """Where a slow rise begins, with its interval, if there is one; and its lead over a step."""
    middle, level = _bucketed(times, series)
    lead, ramps = _ramp_lead(middle, level)
    is_slow = lead > RAMP_LEAD * len(level)
    return (_ramp_knot(middle, level, ramps) if is_slow else None), lead


def _ramp_lead(middle: Floats, level: Floats) -> tuple[float, Floats]:
    """Twice the log-likelihood ratio of level-then-rise against a step on the bucket means, and the
    squared error of a rise from each; 0 where there are too few."""
    if len(level) < 2 * MIN_SIDE:
        return 0.0, np.zeros(0)
    least = 1e-12 * max(float(np.sum((level - level.mean()) ** 2)), 1e-300)
    step = min(_residual(_step(middle, knot), level) for knot in middle[1:])
    ramps = np.array([_residual(np.maximum(middle - k, 0), level) for k in middle[:-MIN_SIDE]])
    lead = len(level) * np.log(max(step, least) / max(float(ramps.min()), least))
    return float(lead), np.maximum(ramps, least)


def _ramp_knot(middle: Floats, level: Floats, ramps: Floats) -> tuple[float, float, float]:
    """Where a straight rise begins, and its interval."""
    best = int(np.argmin(ramps))
    likely = np.flatnonzero(len(level) * np.log(ramps / ramps.min()) <= PLACE_RATIO)
    first, last = max(int(likely[0]) - 1, 0), int(likely[-1]) + 1
    return float(middle[best]), float(middle[first]), float(middle[last])


def _step(middle: Floats, knot: float) -> Floats:
    return np.asarray(middle >= knot, dtype=np.float64)


def _residual(shape: Floats, level: Floats) -> float:
    """Squared error left after fitting level = a + b * shape."""
    x, y = shape - shape.mean(), level - level.mean()
    spread = float(x @ x)
    left = float(y @ y) - (float(x @ y) ** 2 / spread if spread > 0 else 0.0)
    return max(left, 0.0)


def _bucketed(times: Floats, series: Floats) -> tuple[Floats, Floats]:
    buckets = min(BUCKETS, max(len(series) // MIN_SIDE, 1))
    edges = np.linspace(times[0], times[-1], buckets + 1)
    place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, buckets - 1)
    counts = np.bincount(place, minlength=buckets)
    filled = counts > 0
    level = np.bincount(place, weights=series, minlength=buckets)[filled] / counts[filled]
    middle = (edges[:-1] + np.diff(edges) / 2)[filled]
    return middle, level
