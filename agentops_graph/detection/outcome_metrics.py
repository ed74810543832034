"""Metrics of classes from how often each prediction met each label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.class_metrics import MOST_CLASSES, OVER_CLASSES
from agentops_graph.detection.labelled import share
from agentops_graph.detection.performance import Estimate, Unmeasured

if TYPE_CHECKING:
    from agentops_graph.detection.labelled import Found
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric

Outcomes = Mapping[tuple[float, float], int]  # (prediction, label) -> rows


def appraise_outcomes(metric: Metric, outcomes: Outcomes) -> Estimate | Unmeasured | None:
    """As `appraise` says it of the rows themselves; None for a metric that needs more than this,
    such as one of scores, and for labels of a binary model that are not 0 and 1."""
    classes = sorted({value for pair in outcomes for value in pair})
    is_binary = metric.task == "binary"
    if (is_binary and not set(classes) <= {0.0, 1.0}) or len(classes) > MOST_CLASSES:
        return None
    rows = sum(outcomes.values())
    if not rows:
        return Unmeasured("no labelled rows")
    found = _found(metric, [0.0, 1.0] if is_binary else classes, outcomes)
    if found is None or isinstance(found, str):
        return None if found is None else Unmeasured(found)
    positives = sum(n for (_, label), n in outcomes.items() if label == 1) if is_binary else rows
    return Estimate(*found, rows, positives)


def _found(metric: Metric, classes: list[float], outcomes: Outcomes) -> Found | str | None:
    hits, called, actual = _sides(classes, outcomes)
    if metric.name == "accuracy":
        return share(float(hits.sum()), float(called.sum()), "no labelled rows")
    if metric.task != "binary" or metric.name == "balanced_accuracy":
        over = OVER_CLASSES.get(metric.name)
        seen = (called + actual) > 0
        return None if over is None else over.of(hits[seen], called[seen], actual[seen])
    return _of_positives(metric.name, float(hits[1]), float(called[1]), float(actual[1]))


def _of_positives(name: str, hits: float, called: float, actual: float) -> Found | str | None:
    if name == "precision":
        return share(hits, called, "nothing called 1")
    if name == "recall":
        return share(hits, actual, "no row is labelled 1")
    if name != "f1":
        return None
    nothing = "no row is labelled 1 and none called 1"
    found = share(hits, called + actual - hits, nothing)
    if isinstance(found, str):
        return found
    value, low, high = (2 * s / (1 + s) for s in found)
    return value, low, high


def _sides(classes: list[float], outcomes: Outcomes) -> tuple[Floats, Floats, Floats]:
    place = {value: number for number, value in enumerate(classes)}
    hits, called, actual = (np.zeros(len(classes)) for _ in range(3))
    for (prediction, label), rows in outcomes.items():
        called[place[prediction]] += rows
        actual[place[label]] += rows
        hits[place[label]] += rows if prediction == label else 0
    return hits, called, actual
