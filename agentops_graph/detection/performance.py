"""A component's metrics from labelled predictions, with intervals, held against a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.calibration import ece
from agentops_graph.detection.class_metrics import BINARY, CLASSES, two_classes
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.labelled import Labelled, Measure
from agentops_graph.detection.number_metrics import NUMBERS, RANKINGS, ndcg_by_query

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric

FAMILIES: dict[str, dict[str, Measure]] = {
    "binary": BINARY | {"ece": two_classes(ece)},
    "multiclass": CLASSES,
    "regression": NUMBERS,
    "forecast": NUMBERS,
    "ranking": RANKINGS,
}
# One-sided 0.05%: a component whose true loss is all that is borne is looked at 720 times a month,
# and with the 0.5% of a shown interval it would raise four false alarms.
Z_ALARM = 3.29


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

    @property
    def error(self) -> float:
        """The standard error that the interval amounts to."""
        return (self.high - self.low) / (2 * Z)


@dataclass(frozen=True)
class Unmeasured:
    """No figure, and why."""

    why: str


@dataclass(frozen=True)
class Baseline:
    """What a metric was while all was well, and the standard error of that figure if known."""

    value: float
    error: float = 0.0


def appraise(
    metric: Metric,
    label: Floats,
    prediction: Floats,
    confidence: Floats,
    ids: Sequence[str] = (),
) -> Estimate | Unmeasured:
    """The metric over those of the rows that have a label and a prediction.

    Binary labels are 0 and 1, 1 being the positive class. In a ranking the label is the relevance,
    the prediction the score, and the ids (`prediction_id`) read query:item.
    """
    measure = _family(metric).get(metric.name)
    if measure is None:
        return Unmeasured(
            f"not a metric that is computed for {metric.task} (known: "
            f"{', '.join(known_names(metric)) or 'none'})"
        )
    known = np.isfinite(label) & np.isfinite(prediction)
    if not known.any():
        return Unmeasured("no labelled rows")
    queries = _queries(ids, known) if metric.task == "ranking" else None
    labelled = Labelled(metric, label[known], prediction[known], confidence[known], queries)
    found = measure(labelled)
    if isinstance(found, str):
        return Unmeasured(found)
    if not np.isfinite(found).all():
        return Unmeasured("the values are too large to compute with")
    value, low, high = found
    positives = int(np.sum(labelled.label == 1)) if metric.task == "binary" else len(labelled)
    return Estimate(value, low, high, len(labelled), positives)


def estimate(
    metric: Metric,
    label: Floats,
    prediction: Floats,
    confidence: Floats,
    ids: Sequence[str] = (),
) -> Estimate | None:
    """`appraise` for those who need no reason."""
    found = appraise(metric, label, prediction, confidence, ids)
    return None if isinstance(found, Unmeasured) else found


def known_names(metric: Metric) -> tuple[str, ...]:
    """The metrics that can be computed from labelled rows of the metric's task."""
    return tuple(_family(metric))


def sure_loss(metric: Metric, found: Estimate, baseline: Baseline) -> float:
    """The loss that is certain: the near end of the interval of baseline and value's difference.

    The two are independent, so their distances to their own ends add in squares: Newcombe,
    Statistics in Medicine 17 (1998), method 10, at the confidence of an alarm.
    """
    own = abs(found.better_end(metric) - found.value)
    reach = Z_ALARM / Z * float(np.hypot(own, Z * baseline.error))
    return metric.loss(found.value, baseline.value) - reach


def row_losses(
    metric: Metric, label: Floats, prediction: Floats, ids: Sequence[str] = ()
) -> Floats:
    """Each row's loss: 1 for a wrong class, the absolute error of a number, 1 - NDCG of the row's
    query; NaN without label or prediction."""
    known = np.isfinite(label) & np.isfinite(prediction)
    if metric.task in ("regression", "forecast"):
        return np.where(known, np.abs(label - prediction), np.nan)
    if metric.task == "ranking":
        losses = np.full(len(label), np.nan)
        losses[known] = _query_losses(metric, label, prediction, _queries(ids, known), known)
        return losses
    return np.where(known, (label != prediction).astype(np.float64), np.nan)


def _query_losses(
    metric: Metric,
    label: Floats,
    prediction: Floats,
    queries: NDArray[np.intp] | None,
    known: NDArray[np.bool_],
) -> Floats:
    if queries is None or not len(queries):
        return np.full(int(known.sum()), np.nan)
    found = ndcg_by_query(
        Labelled(metric, label[known], prediction[known], prediction[known], queries)
    )
    by_query = np.full(int(queries.max()) + 1, np.nan)
    if not isinstance(found, str):
        chosen, values = found
        by_query[chosen] = 1 - values
    return by_query[queries]


def _queries(ids: Sequence[str], known: NDArray[np.bool_]) -> NDArray[np.intp] | None:
    """Numbers from 0 for what stands before the last colon; None when no id has one."""
    chosen = compress(ids, known)
    parted = [text.rpartition(":") for text in chosen]
    if not any(colon for _, colon, _ in parted):
        return None
    names = np.array([query if colon else item for query, colon, item in parted])
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.intp)


def _family(metric: Metric) -> dict[str, Measure]:
    return FAMILIES.get(metric.task, {})
