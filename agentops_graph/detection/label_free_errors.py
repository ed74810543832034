"""Estimates the error of predicted numbers without labels, from errors stored per bin.

Errors of a healthy time are known for each bin of the prediction and of every feature; weighed by
how many rows lie in the bins now, they give the error that the new mix of rows is to be expected to
have (post-stratification: Holt and Smith, J. R. Stat. Soc. A 142, 1979). It sees what a change of
the mix does, and nothing of a change in what rows of a kind are worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.expectation import mass_moved
from agentops_graph.detection.healthy_rows import error_places
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.label_free import STRANGE, UNKNOWN, outside
from agentops_graph.detection.performance import Estimate, Unmeasured

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.healthy_rows import ErrorBins
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile

NAMES = ("mae", "mse", "rmse")
FURTHER = 1.5  # of the spread between bins: how far off rows may be that moved
SURE = 2.6  # standard errors from which on a column is taken to say something


@dataclass(frozen=True)
class Shift:
    """By how much the mean error changes with one column's mix of rows, and that figure's error."""

    by: float
    error: float
    spread: float  # between the bins' mean errors

    @property
    def unsure(self) -> float:
        return abs(self.by - self.sure)

    @property
    def sure(self) -> float:
        return self.by if abs(self.by) > SURE * self.error else 0.0


def estimated_errors(
    metric: Metric,
    reference: ReferenceProfile,
    prediction: Floats,
    features: Mapping[str, Floats],
) -> Estimate | Unmeasured:
    """The metric as it is to be expected of these rows, with a 99% interval.

    The column whose mix changed the error most gives the figure. Others may say the same once more
    or add to it, which bins of one column can't tell; the interval reaches from one to the other.
    """
    healthy = reference.healthy
    if metric.name not in NAMES:
        return Unmeasured(f"{metric.name} {UNKNOWN}")
    if healthy is None or healthy.by_prediction is None:
        return Unmeasured(
            "the reference profile has no errors by bin, for want of 200 labelled rows"
        )
    known = np.isfinite(prediction)
    rows = int(known.sum())
    if rows < 2:
        return Unmeasured("fewer than two rows have a prediction")
    columns = {name: values[known] for name, values in features.items()}
    strange = outside(reference, columns)
    if strange > STRANGE:
        return Unmeasured(
            f"{strange:.0%} of the rows have a value far outside of what the reference saw, so "
            "errors of rows like them are not known"
        )
    squared = metric.name != "mae"
    pairs = [(healthy.by_prediction, prediction[known])]
    pairs += [(bins, columns[n]) for n, bins in healthy.by_feature.items() if n in columns]
    moved = mass_moved(reference, columns)
    return _told(metric, pairs, rows, moved, squared=squared)


def _told(
    metric: Metric,
    pairs: list[tuple[ErrorBins, Floats]],
    rows: int,
    moved: float,
    *,
    squared: bool,
) -> Estimate:
    level, spread = _level(pairs[0][0], squared=squared)
    shifts = [_shift(bins, values, squared=squared) for bins, values in pairs]
    main = max(shifts, key=lambda shift: abs(shift.sure))
    rest = [shift.sure for shift in shifts if shift is not main]
    value = max(0.0, level + main.sure)
    grown = value / level if level > 0 else 1.0  # the spread of errors grows as they do
    reach = Z * float(np.hypot(main.error, spread * grown / np.sqrt(rows)))
    reach = float(np.hypot(reach, Z * spread / np.sqrt(sum(pairs[0][0].rows))))
    # Rows that moved also lie elsewhere within their bins, and in bins of several columns at once.
    reach = float(np.hypot(reach, FURTHER * moved * max(shift.spread for shift in shifts)))
    reach = float(np.hypot(reach, max(shift.unsure for shift in shifts)))
    low = max(0.0, value + sum(min(by, 0.0) for by in rest) - reach)
    high = value + sum(max(by, 0.0) for by in rest) + reach
    if metric.name == "rmse":
        value, low, high = (float(np.sqrt(each)) for each in (value, low, high))
    return Estimate(value, low, high, rows, rows)


def _level(bins: ErrorBins, *, squared: bool) -> tuple[float, float]:
    """Mean and standard deviation of a row's (squared) error in the reference."""
    first, second = (bins.square, bins.fourth) if squared else (bins.absolute, bins.square)
    rows = max(sum(bins.rows), 1)
    mean = sum(first) / rows
    return mean, float(np.sqrt(max(0.0, sum(second) / rows - mean**2)))


def _shift(bins: ErrorBins, values: Floats, *, squared: bool) -> Shift:
    """What the new shares of the bins make of their mean errors; a bin that the reference never
    saw counts as the mean of all."""
    first, second = (bins.square, bins.fourth) if squared else (bins.absolute, bins.square)
    rows = np.asarray(bins.rows, dtype=np.float64)
    level = sum(first) / max(rows.sum(), 1)
    means = np.where(rows > 0, np.asarray(first) / np.maximum(rows, 1), level)
    squares = np.where(rows > 0, np.asarray(second) / np.maximum(rows, 1), level**2)
    within = np.maximum(squares - means**2, 0.0)
    place = error_places(bins.edges, values)
    now = np.bincount(place, minlength=len(rows)) / len(values)
    moved = now - rows / max(rows.sum(), 1)
    chance = np.sum(moved**2 * within / np.maximum(rows, 1))
    between = float(now @ means**2 - (now @ means) ** 2)
    before = rows / max(rows.sum(), 1)
    apart = max(0.0, float(before @ (means - level) ** 2 - before @ (within / np.maximum(rows, 1))))
    error = float(np.sqrt(chance + max(between, 0.0) / len(values)))
    return Shift(float(moved @ means), error, float(np.sqrt(apart)))
