"""What a model's errors cost by the hour beyond what they cost while it was healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import Z
from agentops_graph.detection.label_free import half_spread, tables
from agentops_graph.detection.labelled import spread_of_mean
from agentops_graph.domain.stakes import Extent

if TYPE_CHECKING:
    from agentops_graph.detection.expectation import Expectation
    from agentops_graph.detection.performance import Estimate
    from agentops_graph.domain.costs import Costs
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.healthy_rows import UsualErrors
    from agentops_graph.domain.metric import Metric

NUMBERS = ("regression", "forecast")


def row_costs(costs: Costs, metric: Metric, label: Floats, prediction: Floats) -> Floats:
    """The price of each row's error; rows have a label and a prediction."""
    if metric.task in NUMBERS:
        return costs.per_unit_error * np.abs(label - prediction)
    if metric.task == "multiclass":
        return costs.per_unit_error * np.asarray(label != prediction, dtype=np.float64)
    wrong_alarm = (prediction == 1) & (label != 1)
    miss = (prediction != 1) & (label == 1)
    return np.asarray(costs.false_positive * wrong_alarm + costs.false_negative * miss)


def usual_cost(costs: Costs, metric: Metric, usual: UsualErrors) -> tuple[float, float]:
    """Mean price per row while healthy, and its standard error."""
    if metric.task in NUMBERS:
        return costs.per_unit_error * usual.absolute, costs.per_unit_error * usual.absolute_error
    prices = (
        [(usual.wrong, costs.per_unit_error)]
        if metric.task == "multiclass"
        else [
            (usual.false_positive, costs.false_positive),
            (usual.false_negative, costs.false_negative),
        ]
    )
    mean = sum(share * price for share, price in prices)
    square = sum(share * price**2 for share, price in prices)
    return mean, float(np.sqrt(max(0.0, square - mean**2) / max(usual.rows, 1)))


def cost_of_labelled(
    costs: Costs,
    metric: Metric,
    label: Floats,
    prediction: Floats,
    usual: UsualErrors,
    *,
    per_hour: float,
) -> Extent | None:
    """Cost by the hour at `per_hour` predictions an hour, beyond the usual; None without two
    labelled rows."""
    known = np.isfinite(label) & np.isfinite(prediction)
    if known.sum() < 2:
        return None
    prices = row_costs(costs, metric, label[known], prediction[known])
    before, doubt = usual_cost(costs, metric, usual)
    more = float(prices.mean()) - before
    half = Z * float(np.hypot(spread_of_mean(prices), doubt))
    return _hourly(more, half, half, per_hour)


def cost_of_expected(
    costs: Costs, metric: Metric, seen: Expectation, usual: UsualErrors, *, per_hour: float
) -> Extent:
    """The same from labels that are only expected; the upper end holds the worse case."""
    before, doubt = usual_cost(costs, metric, usual)
    prices = _price_table(costs, metric, seen.classes)
    rows = max(len(seen.rows.score), 1)
    best = seen.cells.chances * seen.cells.rows[:, None]
    value, drawn, worse = (
        (tables(seen, labels) * prices).sum(axis=(1, 2)) / rows
        for labels in (best[None], seen.drawn, seen.worse)
    )
    more = float(value[0]) - before
    down = float(np.hypot(Z * half_spread(drawn, -1), Z * doubt))
    up = max(Z * half_spread(drawn, 1), float(worse.mean() - value[0]) + Z * half_spread(worse, 1))
    return _hourly(more, down, float(np.hypot(up, Z * doubt)), per_hour)


def cost_of_error(costs: Costs, found: Estimate, usual: UsualErrors, *, per_hour: float) -> Extent:
    """The same from an estimated mean absolute error."""
    doubt = Z * usual.absolute_error
    down = costs.per_unit_error * float(np.hypot(found.value - found.low, doubt))
    up = costs.per_unit_error * float(np.hypot(found.high - found.value, doubt))
    return _hourly(costs.per_unit_error * (found.value - usual.absolute), down, up, per_hour)


def _price_table(costs: Costs, metric: Metric, classes: tuple[float, ...]) -> Floats:
    """The price of one row by prediction and label."""
    predicted, label = np.meshgrid(classes, classes, indexing="ij")
    flat = row_costs(costs, metric, label.ravel(), predicted.ravel())
    return flat.reshape(predicted.shape)


def _hourly(value: float, down: float, up: float, per_hour: float) -> Extent:
    return Extent(
        value=value * per_hour, low=(value - down) * per_hour, high=(value + up) * per_hour
    )
