"""A component's primary metric from labelled predictions, with a confidence interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import Z, wilson

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric

RESAMPLES = 400


@dataclass(frozen=True)
class Estimate:
    """A metric's value, its 99% interval, and the labelled rows behind it."""

    value: float
    low: float
    high: float
    rows: int
    positives: int

    def better_end(self, metric: Metric) -> float:
        """The end of the interval that speaks for the model."""
        return self.high if metric.direction == "higher_is_better" else self.low


def estimate(
    metric: Metric, label: Floats, prediction: Floats, confidence: Floats
) -> Estimate | None:
    """The metric over rows with a label and a prediction; None when it can't be computed.

    Binary labels are 0 and 1, 1 being the positive class. `None` is answered for an empty window,
    for a ratio without a single case, and for metrics the prediction log can't give.
    """
    known = np.isfinite(label) & np.isfinite(prediction)
    label, prediction, confidence = label[known], prediction[known], confidence[known]
    measure = _family(metric).get(metric.name)
    if measure is None or not len(label):
        return None
    found = measure(label, prediction, confidence)
    if found is None:
        return None
    value, low, high = found
    positives = int(np.sum(label == 1)) if metric.task == "binary" else len(label)
    return Estimate(value, low, high, len(label), positives)


def known_names(metric: Metric) -> tuple[str, ...]:
    """The metrics that can be computed from labelled rows of the metric's task."""
    return tuple(_family(metric))


def row_losses(metric: Metric, label: Floats, prediction: Floats) -> Floats:
    """Each row's loss: 1 for a wrong class, the absolute error of a number; NaN without label."""
    if metric.task in ("regression", "forecast"):
        return np.abs(label - prediction)
    wrong = (label != prediction).astype(np.float64)
    return np.where(np.isfinite(label) & np.isfinite(prediction), wrong, np.nan)


Found = tuple[float, float, float] | None


def _share(hits: int, rows: int) -> Found:
    if rows == 0:
        return None
    low, high = wilson(hits / rows, rows)
    return hits / rows, low, high


def _accuracy(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
    return _share(int(np.sum(label == prediction)), len(label))


def _precision(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
    called = prediction == 1
    return _share(int(np.sum(label[called] == 1)), int(np.sum(called)))


def _recall(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
    actual = label == 1
    return _share(int(np.sum(prediction[actual] == 1)), int(np.sum(actual)))


def _f1(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
    """2 TP / (2 TP + FP + FN). Among the TP + FP + FN rows F1 is a function of the share s that
    are TP, 2 s / (1 + s), which rises with s; so the Wilson interval of s gives F1's."""
    hits = int(np.sum((label == 1) & (prediction == 1)))
    counted = int(np.sum((label == 1) | (prediction == 1)))
    share = _share(hits, counted)
    if share is None:
        return None
    value, low, high = (2 * s / (1 + s) for s in share)
    return value, low, high


def _auc(label: Floats, prediction: Floats, confidence: Floats) -> Found:
    """Area under the ROC curve with the variance of DeLong et al., Biometrics 44 (1988).

    `confidence` is the score of class 1; when it never falls below one half it is read as the
    score of the predicted class.
    """
    known = np.isfinite(confidence)
    label, prediction, score = label[known], prediction[known], confidence[known]
    if len(score) and score.min() >= 0.5:
        score = np.where(prediction == 1, score, 1 - score)
    good, bad = score[label == 1], score[label != 1]
    if not len(good) or not len(bad):
        return None
    wins = _placements(good, bad)
    losses = 1 - _placements(bad, good)
    value = float(wins.mean())
    error = np.sqrt(wins.var() / len(good) + losses.var() / len(bad))
    return value, max(0.0, float(value - Z * error)), min(1.0, float(value + Z * error))


def _placements(ours: Floats, others: Floats) -> Floats:
    """For each of ours the share of the others below it, ties counting half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, ours, side="left")
    upto = np.searchsorted(ordered, ours, side="right")
    return (below + upto) / (2 * len(others))


def _macro(
    ratio: Callable[[Floats, Floats, Floats], Floats],
) -> Callable[[Floats, Floats, Floats], Found]:
    """The mean over classes of a ratio of (hits, called, actual), with the percentile interval of
    a multinomial bootstrap of the confusion table (Efron and Tibshirani, 1993)."""

    def measure(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
        classes, codes = np.unique(np.concatenate([label, prediction]), return_inverse=True)
        size, rows = len(classes), len(label)
        cells = np.bincount(codes[:rows] * size + codes[rows:], minlength=size * size)
        draws = np.random.default_rng(rows).multinomial(rows, cells / rows, size=RESAMPLES)
        tables = np.concatenate([cells[None], draws]).reshape(-1, size, size).astype(np.float64)
        hits = np.einsum("tii->ti", tables)
        seen = ratio(hits, tables.sum(axis=1), tables.sum(axis=2)).mean(axis=1)
        low, high = np.quantile(seen[1:], [0.005, 0.995])
        return float(seen[0]), float(low), float(high)

    return measure


def _over(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _mean_error(errors: Floats) -> Found:
    if len(errors) < 2:
        return None
    half = Z * float(errors.std(ddof=1)) / np.sqrt(len(errors))
    return float(errors.mean()), max(0.0, float(errors.mean() - half)), float(errors.mean() + half)


def _mae(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
    return _mean_error(np.abs(label - prediction))


def _rmse(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
    found = _mean_error((label - prediction) ** 2)
    if found is None:
        return None
    value, low, high = (float(np.sqrt(square)) for square in found)
    return value, low, high


def _mape(label: Floats, prediction: Floats, _confidence: Floats) -> Found:
    some = label != 0
    return _mean_error(np.abs((label[some] - prediction[some]) / label[some]))


Measures = dict[str, Callable[["Floats", "Floats", "Floats"], Found]]
BINARY: Measures = {
    "f1": _f1,
    "precision": _precision,
    "recall": _recall,
    "accuracy": _accuracy,
    "auc": _auc,
}
CLASSES: Measures = {
    "f1": _macro(lambda hits, called, actual: _over(2 * hits, called + actual)),
    "precision": _macro(lambda hits, called, _actual: _over(hits, called)),
    "recall": _macro(lambda hits, _called, actual: _over(hits, actual)),
    "accuracy": _accuracy,
}
REGRESSION: Measures = {"mae": _mae, "rmse": _rmse, "mape": _mape}


def _family(metric: Metric) -> Measures:
    if metric.task == "binary":
        return BINARY
    return REGRESSION if metric.task in ("regression", "forecast") else CLASSES
