"""What a holdout teaches of a model: what its scores are worth, and which features matter to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_graph.detection.healthy_rows import healthy_rows
from agentops_graph.detection.importance import permutation_importance
from agentops_graph.jobs.scoring import judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile

    Floats = NDArray[np.float64]


def with_lessons(
    profile: ReferenceProfile,
    estimator: Any,
    frame: Any,
    names: Sequence[str],
    label: Floats,
    metric: Metric,
) -> ReferenceProfile:
    """The profile with what rows that the estimator never learned from say of it.

    `frame` holds the columns `names` as the estimator takes them, (rows, features).
    """
    import numpy as np

    matrix = np.asarray(frame, dtype=np.float64)
    predicted, confidence = judged(estimator, frame)
    if metric.task == "multiclass" and hasattr(estimator, "predict_proba"):
        confidence = np.asarray(estimator.predict_proba(frame).max(axis=1), dtype=np.float64)
    columns = {name: matrix[:, number] for number, name in enumerate(names)}
    return profile.model_copy(
        update={
            "healthy": healthy_rows(
                metric, label, predicted, confidence, columns, profile.features
            ),
            "importance": importance(estimator, matrix, names, label, metric),
        }
    )


def importance(
    estimator: Any, matrix: Floats, names: Sequence[str], label: Floats, metric: Metric
) -> dict[str, float]:
    """Permutation importance of an estimator that learned from a named frame or from a matrix."""

    def judge(rows: Floats) -> tuple[Floats, Floats]:
        if not hasattr(estimator, "feature_names_in_"):
            return judged(estimator, rows)
        import pandas as pd

        return judged(estimator, pd.DataFrame(rows, columns=list(names)))

    return permutation_importance(judge, matrix, names, label, metric)
