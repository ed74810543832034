"""How much each feature matters to a model, and drift weighed by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.performance import Unmeasured, appraise

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric

    Judge = Callable[[Floats], tuple[Floats, Floats]]  # a matrix in, predictions and scores out

ROWS = 5000  # more rows make the weights no different, and the wait longer
SHUFFLES = 3


def permutation_importance(
    judge: Judge, matrix: Floats, names: Sequence[str], label: Floats, metric: Metric
) -> dict[str, float]:
    """Each feature's share of the metric's loss when its column is shuffled among the rows; the
    shares sum to 1. Breiman, Machine Learning 45 (2001).

    Empty when no feature matters on these rows, or when the metric can't be told. Two features that
    say the same stand in for each other, so that both look less important than they are.
    """
    rng = np.random.default_rng(0)
    if len(label) > ROWS:
        chosen = np.sort(rng.choice(len(label), ROWS, replace=False))
        matrix, label = matrix[chosen], label[chosen]
    whole = _value(judge, matrix, label, metric)
    if whole is None:
        return {}
    losses = {}
    for number, name in enumerate(names):
        losses[name] = max(0.0, _loss(judge, matrix, number, label, metric, whole, rng))
    return shares(losses)


def _loss(
    judge: Judge,
    matrix: Floats,
    number: int,
    label: Floats,
    metric: Metric,
    whole: float,
    rng: np.random.Generator,
) -> float:
    shuffled, found = matrix.copy(), []
    for _ in range(SHUFFLES):
        shuffled[:, number] = rng.permutation(matrix[:, number])
        value = _value(judge, shuffled, label, metric)
        if value is not None:
            found.append(metric.loss(value, whole))
    return float(np.mean(found)) if found else 0.0


def _value(judge: Judge, matrix: Floats, label: Floats, metric: Metric) -> float | None:
    predicted, confidence = judge(matrix)
    found = appraise(metric, label, predicted, confidence)
    return None if isinstance(found, Unmeasured) else found.value


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as shares of their sum, the heaviest first; empty when all are 0."""
    total = sum(weights.values())
    if total <= 0:
        return {}
    ordered = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return {name: weight / total for name, weight in ordered}


def weighed(by_feature: Mapping[str, float], importance: Mapping[str, float]) -> dict[str, float]:
    """Drift times importance per feature, most first; a feature without a weight has none."""
    found = {name: importance.get(name, 0.0) * value for name, value in by_feature.items()}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def by_effect(
    moved: Sequence[str], by_feature: Mapping[str, float], importance: Mapping[str, float]
) -> list[str]:
    """Features in the order of drift times importance; as they came while no weight is known."""
    weight = weighed({name: by_feature[name] for name in moved}, importance)
    return list(weight) if any(weight.values()) else list(moved)


def weighted_drift(by_feature: Mapping[str, float], importance: Mapping[str, float]) -> float:
    """The mean drift of the features, each counting as much as it matters to the model."""
    return sum(weighed(by_feature, importance).values())
