"""Rows that can be judged, what a metric makes of them, and intervals of means and shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import Z, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric

Found = tuple[float, float, float]  # the value and the ends of its 99% interval


@dataclass(frozen=True)
class Labelled:
    """Rows with a finite label and prediction, in order of time."""

    metric: Metric
    label: Floats
    prediction: Floats
    confidence: Floats  # NaN where none was logged
    queries: NDArray[np.intp] | None = None  # which query a row answers, for rankings

    def __len__(self) -> int:
        return len(self.label)


Measure = Callable[[Labelled], Found | str]  # text says why there is no figure


def share(hits: float, rows: float, nothing: str) -> Found | str:
    """A proportion with Wilson's interval; `nothing` when there is no case of it."""
    if rows == 0:
        return nothing
    low, high = wilson(hits / rows, rows)
    return hits / rows, low, high


def mean(values: Floats, *, lowest: float = 0.0, highest: float = np.inf) -> Found | str:
    """The mean of one value per row (or query) with its interval, inside what is possible."""
    if len(values) < 2:
        return "one case says nothing of its own spread"
    value, half = float(values.mean()), Z * spread_of_mean(values)
    return value, max(lowest, value - half), min(highest, value + half)


def spread_of_mean(values: Floats) -> float:
    """Standard error of the mean of a series in order of time.

    A series that follows itself, as a forecast's errors do, counts as n (1 - r) / (1 + r) rows,
    with r its autocorrelation at lag 1: Bayley and Hammersley, J. R. Stat. Soc. Suppl. 8 (1946).
    Few rows are widened as Student's t is, to first order: Cornish and Fisher (1938).
    """
    count, off = len(values), values - values.mean()
    power = float(off @ off)
    if power == 0:
        return 0.0
    follows = float(np.clip(off[1:] @ off[:-1] / power, 0.0, 0.98))
    rows = max(2.0, count * (1 - follows) / (1 + follows))
    widened = 1 + (Z**2 + 1) / (4 * (rows - 1))
    return float(widened * np.sqrt(power / (count - 1) / rows))


def combined(parts: Floats, low: Floats, high: Floats, weights: Floats, twice: bool) -> Found:
    """The weighted sum of shares with the interval that follows from theirs.

    Variances are recovered from each interval: Zou and Donner, Statistics in Medicine 27 (2008).
    `twice` is for shares of which one case can move two: their sum varies at most twice as much as
    if they were independent.
    """
    value = float(weights @ parts)
    factor = 2.0 if twice else 1.0
    down = float(np.sqrt(factor * np.sum((weights * (parts - low)) ** 2)))
    up = float(np.sqrt(factor * np.sum((weights * (high - parts)) ** 2)))
    return value, max(0.0, value - down), min(1.0, value + up)


def shares(hits: Floats, rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Proportions and their Wilson intervals, 0 in (0, 1) where there is no case."""
    seen = np.maximum(rows, 1.0)
    part = np.where(rows > 0, hits / seen, 0.0)
    scale = 1 + Z**2 / seen
    centre = (part + Z**2 / (2 * seen)) / scale
    half = Z / scale * np.sqrt(part * (1 - part) / seen + (Z / (2 * seen)) ** 2)
    low = np.where(rows > 0, np.clip(centre - half, 0, part), 0.0)
    high = np.where(rows > 0, np.clip(centre + half, part, 1), 1.0)
    return part, low, high
