"""Metrics of predicted classes: of two with a positive one, and means over several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import Z
from agentops_graph.detection.labelled import (
    Found,
    Labelled,
    Measure,
    combined,
    mean,
    share,
    shares,
)

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

MOST_CLASSES = 1000
FEW_CASES = 20.0  # of a class: this many count as much as what is known without looking
NO_SCORE = "no `confidence` is logged"


def _accuracy(rows: Labelled) -> Found | str:
    return share(float(np.sum(rows.label == rows.prediction)), len(rows), "no labelled rows")


def _precision(rows: Labelled) -> Found | str:
    called = rows.prediction == 1
    return share(float(np.sum(rows.label[called] == 1)), float(called.sum()), "nothing called 1")


def _recall(rows: Labelled) -> Found | str:
    actual = rows.label == 1
    hits = float(np.sum(rows.prediction[actual] == 1))
    return share(hits, float(actual.sum()), "no row is labelled 1")


def _f1(rows: Labelled) -> Found | str:
    """2 TP / (2 TP + FP + FN). Among the TP + FP + FN rows F1 is a function of the share s that
    are TP, 2 s / (1 + s), which rises with s; so the Wilson interval of s gives F1's."""
    hits = float(np.sum((rows.label == 1) & (rows.prediction == 1)))
    counted = float(np.sum((rows.label == 1) | (rows.prediction == 1)))
    found = share(hits, counted, "no row is labelled 1 and none called 1")
    if isinstance(found, str):
        return found
    value, low, high = (2 * s / (1 + s) for s in found)
    return value, low, high


def _scored(rows: Labelled) -> tuple[Floats, Floats]:
    """Labels and scores of class 1, of the rows with a score. A `confidence` that never falls
    below one half is read as that of the predicted class."""
    known = np.isfinite(rows.confidence)
    score = rows.confidence[known]
    if len(score) and score.min() >= 0.5:
        score = np.where(rows.prediction[known] == 1, score, 1 - score)
    return rows.label[known], score


def _auc(rows: Labelled) -> Found | str:
    """Area under the ROC curve with the variance of DeLong et al., Biometrics 44 (1988).

    Few cases of a class tell little of the variance, too: it is drawn towards the most that it can
    be, AUC (1 - AUC) over the cases of the rarer class (Birnbaum and Klose, 1957).
    """
    label, score = _scored(rows)
    good, bad = score[label == 1], score[label != 1]
    if not len(score):
        return NO_SCORE
    if not len(good) or not len(bad):
        return f"all {len(label)} rows are of class {int(label[0])}; it takes both"
    wins, losses = _placements(good, bad), 1 - _placements(bad, good)
    value, rarer = float(wins.mean()), min(len(good), len(bad))
    seen = wins.var() / len(good) + losses.var() / len(bad)
    most = value * (1 - value) / rarer
    half = Z * float(np.sqrt((rarer * seen + FEW_CASES * most) / (rarer + FEW_CASES)))
    return value, max(0.0, value - half), min(1.0, value + half)


def _placements(ours: Floats, others: Floats) -> Floats:
    """For each of ours the share of the others below it, ties counting half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, ours, side="left")
    upto = np.searchsorted(ordered, ours, side="right")
    return (below + upto) / (2 * len(others))


def probabilities(rows: Labelled) -> tuple[Floats, Floats] | str:
    """Labels and scores of class 1, or why the scores are none."""
    label, score = _scored(rows)
    if not len(score):
        return NO_SCORE
    if score.min() < 0 or score.max() > 1:
        return f"`confidence` is no probability: {score.min():g} to {score.max():g}"
    return label, score


def _log_loss(rows: Labelled) -> Found | str:
    found = probabilities(rows)
    if isinstance(found, str):
        return found
    label, score = found
    tiny = np.finfo(np.float64).eps
    right = np.clip(np.where(label == 1, score, 1 - score), tiny, 1 - tiny)
    return mean(-np.log(right))


def _brier(rows: Labelled) -> Found | str:
    found = probabilities(rows)
    return found if isinstance(found, str) else mean((found[1] - found[0]) ** 2, highest=1.0)


def two_classes(measure: Measure) -> Measure:
    """The measure, for rows whose labels and predictions are 0 and 1."""

    def checked(rows: Labelled) -> Found | str:
        for what, values in (("labels", rows.label), ("predictions", rows.prediction)):
            strange = values[(values != 0) & (values != 1)]
            if len(strange):
                return (
                    f"the {what} of a binary model are 0 and 1, {len(strange)} of {len(values)} "
                    "are not; log names of classes as 0 and 1, or set `task: multiclass`"
                )
        return measure(rows)

    return checked


Ratio = Callable[["Floats", "Floats", "Floats"], tuple["Floats", "Floats", "Floats"]]


def _tally(rows: Labelled) -> tuple[Floats, Floats, Floats] | str:
    """Hits, calls and cases of each class that was labelled or called."""
    classes, codes = np.unique(np.concatenate([rows.label, rows.prediction]), return_inverse=True)
    if len(classes) > MOST_CLASSES:
        return f"{len(classes)} classes in {len(rows)} rows; set `task: regression` for numbers"
    actual, called = codes[: len(rows)], codes[len(rows) :]
    size = len(classes)
    return (
        np.bincount(actual[actual == called], minlength=size).astype(np.float64),
        np.bincount(called, minlength=size).astype(np.float64),
        np.bincount(actual, minlength=size).astype(np.float64),
    )


@dataclass(frozen=True)
class OverClasses:
    """The mean over classes of a ratio, with each class weighing the same or as its cases do."""

    ratio: Ratio
    weighted: bool = False
    of_labels: bool = False

    def __call__(self, rows: Labelled) -> Found | str:
        counted = _tally(rows)
        return counted if isinstance(counted, str) else self.of(*counted)

    def of(self, hits: Floats, called: Floats, actual: Floats) -> Found:
        """From the hits, calls and cases of each class that was labelled or called."""
        same = (actual > 0) * 1.0 if self.of_labels else np.ones_like(hits)
        weights = actual if self.weighted else same
        part, low, high = self.ratio(hits, called, actual)
        return combined(part, low, high, weights / weights.sum(), twice=self.ratio is _class_f1)


def _class_f1(hits: Floats, called: Floats, actual: Floats) -> tuple[Floats, Floats, Floats]:
    part, low, high = shares(hits, called + actual - hits)
    return 2 * part / (1 + part), 2 * low / (1 + low), 2 * high / (1 + high)


def _class_precision(
    hits: Floats, called: Floats, _actual: Floats
) -> tuple[Floats, Floats, Floats]:
    return shares(hits, called)


def _class_recall(hits: Floats, _called: Floats, actual: Floats) -> tuple[Floats, Floats, Floats]:
    return shares(hits, actual)


_balanced = OverClasses(_class_recall, of_labels=True)
_plain: dict[str, Measure] = {
    "f1": _f1,
    "precision": _precision,
    "recall": _recall,
    "accuracy": _accuracy,
    "auc": _auc,
    "roc_auc": _auc,
    "balanced_accuracy": _balanced,
    "log_loss": _log_loss,
    "brier": _brier,
}
BINARY: dict[str, Measure] = {name: two_classes(measure) for name, measure in _plain.items()}
_macro_f1 = OverClasses(_class_f1)
_macro_precision = OverClasses(_class_precision)
_macro_recall = OverClasses(_class_recall)
OVER_CLASSES: dict[str, OverClasses] = {
    "f1": _macro_f1,
    "precision": _macro_precision,
    "recall": _macro_recall,
    "balanced_accuracy": _balanced,
    "macro_f1": _macro_f1,
    "macro_precision": _macro_precision,
    "macro_recall": _macro_recall,
    "weighted_f1": OverClasses(_class_f1, weighted=True),
}
CLASSES: dict[str, Measure] = {"accuracy": _accuracy, **OVER_CLASSES}
