"""Takes from labelled rows of a healthy time what later rows without labels are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.calibration import calibration_of
from agentops_graph.detection.labelled import spread_of_mean
from agentops_graph.domain.healthy_rows import ErrorBins, HealthyRows, UsualErrors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import FeatureProfile

# Finer at the ends, where errors grow fastest and rows that drift come to lie.
LEVELS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
BIN_ROWS = 20
LEAST_ROWS = 200
NUMBERS = ("regression", "forecast")
CLASSES = ("binary", "multiclass")


def healthy_rows(
    metric: Metric,
    label: Floats,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats],
    profiles: Mapping[str, FeatureProfile],
) -> HealthyRows | None:
    """What the rows with a label and a prediction teach; None under 200 of them, or for a task
    without classes and numbers."""
    known = np.isfinite(label) & np.isfinite(prediction)
    if known.sum() < LEAST_ROWS or metric.task not in (*NUMBERS, *CLASSES):
        return None
    label, prediction, confidence = label[known], prediction[known], confidence[known]
    columns = {name: values[known] for name, values in features.items()}
    usual = usual_errors(metric, label, prediction)
    if metric.task in CLASSES:
        binary = metric.task == "binary"
        learnt = calibration_of(label, prediction, confidence, columns, profiles, binary=binary)
        return HealthyRows(usual=usual, calibration=learnt)
    error = np.abs(label - prediction)
    return HealthyRows(
        usual=usual,
        by_prediction=error_bins(prediction, error),
        by_feature={name: error_bins(values, error) for name, values in columns.items()},
    )


def usual_errors(metric: Metric, label: Floats, prediction: Floats) -> UsualErrors:
    """Shares of errors, or the mean one, over rows with label and prediction."""
    rows = len(label)
    if metric.task in NUMBERS:
        error = np.abs(label - prediction)
        spread = spread_of_mean(error) if rows > 1 else 0.0
        return UsualErrors(rows=rows, absolute=float(error.mean()), absolute_error=spread)
    return UsualErrors(
        rows=rows,
        wrong=float(np.mean(label != prediction)),
        false_positive=float(np.mean((prediction == 1) & (label != 1))),
        false_negative=float(np.mean((prediction != 1) & (label == 1))),
    )


def error_bins(values: Floats, error: Floats) -> ErrorBins:
    """Errors summed over bins of the values."""
    finite = values[np.isfinite(values)]
    edges = np.empty(0)
    if len(finite):
        levels = [q for q in LEVELS if min(q, 1 - q) * len(finite) >= BIN_ROWS]
        edges = np.unique(np.quantile(finite, levels)) if levels else edges
        edges = edges[edges < finite.max()]
    place, size = error_places(tuple(edges.tolist()), values), len(edges) + 2
    sums = [np.bincount(place, error**power, minlength=size) for power in (1, 2, 4)]
    absolute, square, fourth = (tuple(each.tolist()) for each in sums)
    return ErrorBins(
        edges=tuple(edges.tolist()),
        rows=tuple(np.bincount(place, minlength=size).tolist()),
        absolute=absolute,
        square=square,
        fourth=fourth,
    )


def error_places(
    edges: tuple[float, ...], values: Floats
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The bin of each value, the last one for what is missing."""
    place = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="left")
    return np.where(np.isfinite(values), place, len(edges) + 1).astype(np.int64)
