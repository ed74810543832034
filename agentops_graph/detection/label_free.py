"""Estimates a metric of predicted classes without labels, from scores that were calibrated.

Confidence-based performance estimation: where rows of a like score come true as often as they did,
how often today's predictions are right follows from their scores alone. Guillory et al., ICCV 2021;
Garg et al., ICLR 2022; for the whole confusion matrix the method that NannyML published as CBPE. It
sees what a change of the mix of rows does. A change of what makes a row positive leaves scores as
they are, so nothing that reads scores alone can see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.confusion import FIGURES, figure
from agentops_graph.detection.expectation import Expectation, expectation, scored
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.label_free_scores import SCORE_FIGURES, score_figures
from agentops_graph.detection.performance import Estimate, Unmeasured
from agentops_graph.detection.triggers import anomaly_rows

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile

STRANGE = 0.1  # share of rows outside of all that the reference saw; above it nothing is said
UNKNOWN = "can't be estimated without labels"


def estimated(
    metric: Metric,
    reference: ReferenceProfile,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats],
) -> Estimate | Unmeasured:
    """The metric as it is to be expected of these rows, with a 99% interval of what labels would
    show (see `expectation`)."""
    if metric.name not in FIGURES and (metric.task != "binary" or metric.name not in SCORE_FIGURES):
        return Unmeasured(f"{metric.name} {UNKNOWN}")
    seen = expected_labels(metric, reference, prediction, confidence, features)
    if isinstance(seen, Unmeasured):
        return seen
    if metric.name in SCORE_FIGURES:
        value, drawn, worse = score_figures(metric.name, seen)
    else:
        value, drawn, worse = _class_figures(metric, seen)
    low, high = _interval(metric, value, drawn, worse)
    rows = len(seen.rows.score)
    positives = round(float(seen.chances[:, 1].sum())) if metric.task == "binary" else rows
    return Estimate(value, low, high, rows, positives)


def expected_labels(
    metric: Metric,
    reference: ReferenceProfile,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats],
) -> Expectation | Unmeasured:
    """The labels that rows are to be expected to have, or why nothing is to be expected."""
    learnt = reference.healthy.calibration if reference.healthy else None
    if learnt is None:
        return Unmeasured(
            "the reference profile has no calibration, for want of 200 labelled rows with a "
            "`confidence`"
        )
    rows = scored(learnt, prediction, confidence, features, binary=metric.task == "binary")
    if len(rows.score) < max(1, int(np.isfinite(prediction).sum()) // 2):
        return Unmeasured("fewer than half of the rows have a `confidence`")
    strange = outside(reference, rows.features)
    if strange > STRANGE:
        return Unmeasured(
            f"{strange:.0%} of the rows have a value far outside of what the reference saw, so "
            "their scores can't be trusted"
        )
    return expectation(learnt, reference, rows)


def outside(reference: ReferenceProfile, features: Mapping[str, Floats]) -> float:
    """The share of rows with a feature outside the reference's range widened by a quarter."""
    anomalous = anomaly_rows(reference, features)
    return float(anomalous.mean()) if len(anomalous) else 0.0


def _class_figures(metric: Metric, seen: Expectation) -> tuple[float, Floats, Floats]:
    best = seen.cells.chances * seen.cells.rows[:, None]
    value = float(figure(metric, seen.classes, tables(seen, best[None]))[0])
    drawn, worse = (
        figure(metric, seen.classes, tables(seen, labels)) for labels in (seen.drawn, seen.worse)
    )
    return value, drawn, worse


def tables(seen: Expectation, labels: Floats) -> Floats:
    """Labels per cell (draws, cells, classes) as confusion matrices (draws, predicted, label)."""
    size = len(seen.classes)
    found = np.zeros((len(labels), size, size))
    for number in range(size):
        found[:, number] = labels[:, seen.cells.predicted == number].sum(axis=1)
    return found


def _interval(metric: Metric, value: float, drawn: Floats, worse: Floats) -> tuple[float, float]:
    """The spread of the draws around the value, further on the side that is worse for the model."""
    low, high = value - Z * half_spread(drawn, -1), value + Z * half_spread(drawn, 1)
    if metric.direction == "higher_is_better":
        low = min(low, float(worse.mean()) - Z * half_spread(worse, -1))
        return max(0.0, low), min(1.0, high)
    high = max(high, float(worse.mean()) + Z * half_spread(worse, 1))
    return max(0.0, low), high


def half_spread(values: Floats, side: int) -> float:
    """The standard deviation that one side of the draws amounts to."""
    off = (values - values.mean()) * side
    return float(np.sqrt(2 * np.mean(np.maximum(off, 0.0) ** 2)))
