"""What a trained estimator scores on a holdout, and how sure that figure is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentops_graph.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 100  # of the bootstrap for metrics without a closed form
REGRESSION = ("rmse", "mae", "r2")
BINARY = ("f1", "precision", "recall", "auc", "accuracy")


def scores(estimator: Any, features: Any, label: Floats, metric: str) -> dict[str, float]:
    """All metrics of the family that `metric` belongs to; raises InputError for a strange one."""
    predicted = _numbers(estimator.predict(features))
    if metric in REGRESSION:
        return {name: _METRICS[name](label, predicted) for name in REGRESSION}
    if metric not in BINARY:
        known = ", ".join((*BINARY, *REGRESSION))
        raise InputError(f"{metric!r} can't be scored by the retraining; it knows {known}")
    figures = {name: _METRICS[name](label, predicted) for name in BINARY if name != "auc"}
    confidence = _confidence(estimator, features)
    if confidence is not None and _is_binary(label):
        figures["auc"] = _METRICS["auc"](label, confidence)
    return figures


def standard_error(estimator: Any, features: Any, label: Floats, metric: str) -> float:
    """Sampling error of the metric on this holdout.

    For binary F1 the delta method over Poisson counts: with a true positives, e errors,
    sd = 2 sqrt(a e (a + e)) / (2 a + e)^2. A seeded bootstrap for everything else.
    """
    import numpy as np

    predicted = _numbers(estimator.predict(features))
    if metric == "f1" and _is_binary(label):
        hits = float(((predicted == 1) & (label == 1)).sum())
        errors = float((predicted != label).sum())
        size = 2 * hits + errors
        return 2 * math.sqrt(hits * errors * (hits + errors)) / size**2 if size else 0.0
    judged = predicted
    if metric == "auc":
        confidence = _confidence(estimator, features)
        judged = predicted if confidence is None else confidence
    rng = np.random.default_rng(0)
    draws = (rng.integers(0, len(label), len(label)) for _ in range(RESAMPLES))
    values = [_METRICS[metric](label[rows], judged[rows]) for rows in draws]
    return float(np.std(values))


def _numbers(values: Any) -> Floats:
    import numpy as np

    return np.asarray(values, dtype=np.float64)


def _is_binary(label: Floats) -> bool:
    import numpy as np

    return bool(np.isin(label, (0.0, 1.0)).all())


def _confidence(estimator: Any, features: Any) -> Floats | None:
    if not hasattr(estimator, "predict_proba"):
        return None
    return _numbers(estimator.predict_proba(features)[:, -1])


def _f1(label: Floats, predicted: Floats) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(label, predicted, average=_average(label), zero_division=0.0))


def _precision(label: Floats, predicted: Floats) -> float:
    from sklearn.metrics import precision_score

    return float(precision_score(label, predicted, average=_average(label), zero_division=0.0))


def _recall(label: Floats, predicted: Floats) -> float:
    from sklearn.metrics import recall_score

    return float(recall_score(label, predicted, average=_average(label), zero_division=0.0))


def _auc(label: Floats, confidence: Floats) -> float:
    from sklearn.metrics import roc_auc_score

    one_class = len(set(label.tolist())) < 2
    return 0.5 if one_class else float(roc_auc_score(label, confidence))


def _accuracy(label: Floats, predicted: Floats) -> float:
    return float((label == predicted).mean())


def _rmse(label: Floats, predicted: Floats) -> float:
    return math.sqrt(float(((label - predicted) ** 2).mean()))


def _mae(label: Floats, predicted: Floats) -> float:
    return float(abs(label - predicted).mean())


def _r2(label: Floats, predicted: Floats) -> float:
    from sklearn.metrics import r2_score

    return float(r2_score(label, predicted))


def _average(label: Floats) -> str:
    return "binary" if _is_binary(label) else "macro"


_METRICS: dict[str, Callable[[Floats, Floats], float]] = {
    "f1": _f1,
    "precision": _precision,
    "recall": _recall,
    "auc": _auc,
    "accuracy": _accuracy,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}
