"""Metrics of predicted classes read off confusion matrices, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric

FIGURES = (
    "f1",
    "precision",
    "recall",
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "weighted_f1",
)


def figure(metric: Metric, classes: tuple[float, ...], tables: Floats) -> Floats:
    """The metric of each matrix; tables are (matrices, predicted, label), in rows or parts of rows.

    As in `class_metrics`: of a binary model the figure of class 1, else the mean over the classes
    that were labelled or called.
    """
    hits = np.diagonal(tables, axis1=1, axis2=2)
    called, actual = tables.sum(axis=2), tables.sum(axis=1)
    if metric.name == "accuracy":
        return _share(hits.sum(axis=1), called.sum(axis=1))
    kind = metric.name.rpartition("_")[2]
    if metric.name == "balanced_accuracy":
        return _mean(_share(hits, actual), (actual > 0) * 1.0)
    parts = {
        "f1": _share(2 * hits, called + actual),
        "precision": _share(hits, called),
        "recall": _share(hits, actual),
    }[kind]
    if metric.task == "binary":
        return np.asarray(parts[:, classes.index(1.0)], dtype=np.float64)
    weights = actual if metric.name == "weighted_f1" else ((called + actual) > 0) * 1.0
    return _mean(parts, weights)


def _share(hits: Floats, rows: Floats) -> Floats:
    return np.asarray(np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0))


def _mean(parts: Floats, weights: Floats) -> Floats:
    return np.asarray((parts * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12))
