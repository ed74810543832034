"""What a trained estimator scores on a holdout, and how sure that figure is.

The figures are those of the monitor: gate and alert mean the same by a name.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from agentops_graph.detection.performance import Estimate, appraise, known_names
from agentops_graph.domain.classes import class_code
from agentops_graph.domain.metric import Metric
from agentops_graph.errors import InputError, NotEnoughDataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SCORED = ("binary", "multiclass", "regression", "forecast")


def scores(estimator: Any, features: Any, label: Floats, metric: Metric) -> dict[str, float]:
    """All metrics of the task that this holdout gives.

    Raises InputError for a metric that isn't computed, NotEnoughDataError when the holdout doesn't
    give `metric` itself.
    """
    _check(metric)
    predicted, confidence = judged(estimator, features)
    figures = {}
    for name in known_names(metric):
        each = metric.model_copy(update={"name": name})
        found = appraise(each, label, predicted, confidence)
        if isinstance(found, Estimate):
            figures[name] = found.value
        elif name == metric.name:
            raise NotEnoughDataError(f"{name} of the holdout is not known: {found.why}")
    return figures


def standard_error(estimator: Any, features: Any, label: Floats, metric: Metric) -> float:
    """Sampling error of the metric on this holdout.

    For binary F1 the delta method over Poisson counts: with a true positives, e errors,
    sd = 2 sqrt(a e (a + e)) / (2 a + e)^2. Else from the interval of the metric.
    """
    _check(metric)
    predicted, confidence = judged(estimator, features)
    if metric.name == "f1" and metric.task == "binary":
        hits = float(((predicted == 1) & (label == 1)).sum())
        errors = float((predicted != label).sum())
        size = 2 * hits + errors
        return 2 * math.sqrt(hits * errors * (hits + errors)) / size**2 if size else 0.0
    found = appraise(metric, label, predicted, confidence)
    return found.error if isinstance(found, Estimate) else 0.0


def positives(label: Floats, metric: Metric) -> int:
    """Rows of class 1; all rows for tasks without a positive class."""
    return int((label == 1).sum()) if metric.task == "binary" else len(label)


def as_learned(estimator: Any, label: Floats) -> Any:
    """Labels as the classes that the estimator was trained on, such as names or truth values.

    The log gives them as numbers. Raises InputError for one that stands for an unknown name: a
    model that answers with such a number instead of a name would be of no use.
    """
    import numpy as np

    classes = getattr(estimator, "classes_", None)
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        return label
    by_code = {class_code(name): name for name in classes}
    unknown = sorted(set(label.tolist()) - set(by_code))
    if not unknown:
        return np.array([by_code[code] for code in label.tolist()], dtype=classes.dtype)
    if classes.dtype.kind in "OUS":
        rows = int(np.isin(label, unknown).sum())
        known = ", ".join(str(name) for name in classes[:10])
        raise InputError(
            f"{rows} rows are labelled with a class that the incumbent was not trained on (it "
            f"knows {known}); train the first version with it yourself"
        )
    return label


def _check(metric: Metric) -> None:
    if metric.task not in SCORED:
        raise InputError(
            f"{metric.name} of the task {metric.task} can't be scored by the retraining, which "
            f"knows {', '.join(SCORED)}; give the component an entry point of its own"
        )
    if metric.name not in known_names(metric):
        known = ", ".join(known_names(metric))
        raise InputError(f"{metric.name!r} can't be scored by the retraining; it knows {known}")


def judged(estimator: Any, features: Any) -> tuple[Floats, Floats]:
    """Predictions as numbers, and the probability of class 1 (of the last) or NaN."""
    import numpy as np

    answers = np.asarray(estimator.predict(features))
    worded = answers.dtype.kind in "OUS"
    predicted = np.array([class_code(each) for each in answers]) if worded else answers * 1.0
    if not hasattr(estimator, "predict_proba"):
        return predicted, np.full(len(predicted), np.nan)
    return predicted, np.asarray(estimator.predict_proba(features)[:, -1], dtype=np.float64)
