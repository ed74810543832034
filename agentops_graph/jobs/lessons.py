"""What a holdout teaches of a model: what its scores are worth, and which features matter to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.detection.healthy_rows import healthy_rows
from agentops_graph.detection.importance import permutation_importance
from agentops_graph.jobs.scoring import judged

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    `frame` holds the columns `names` as the estimator takes them, (rows, features); words may stand
    among them.
    """
    coded = Coded.of(frame, names)
    predicted, confidence = judged(estimator, frame)
    if metric.task == "multiclass" and hasattr(estimator, "predict_proba"):
        confidence = np.asarray(estimator.predict_proba(frame).max(axis=1), dtype=np.float64)
    columns = {
        name: coded.matrix[:, number]
        for number, name in enumerate(names)
        if name not in coded.words
    }
    return profile.model_copy(
        update={
            "healthy": healthy_rows(
                metric, label, predicted, confidence, columns, profile.features
            ),
            "importance": importance(estimator, coded, label, metric),
        }
    )


@dataclass(frozen=True)
class Coded:
    """A frame as a matrix of numbers, and the way back to what an estimator takes."""

    names: tuple[str, ...]
    matrix: Floats  # (rows, features); a word is its number
    words: dict[str, NDArray[np.object_]]  # of each column that is not of numbers
    is_named: bool

    @classmethod
    def of(cls, frame: Any, names: Sequence[str]) -> Coded:
        if not hasattr(frame, "columns"):
            return cls(tuple(names), np.asarray(frame, dtype=np.float64), {}, is_named=False)
        import pandas as pd

        matrix, words = np.empty(frame.shape), {}
        for number, name in enumerate(names):
            column = frame[name]
            if pd.api.types.is_numeric_dtype(column):
                matrix[:, number] = column.to_numpy(dtype=np.float64)
            else:
                codes, known = pd.factorize(column, use_na_sentinel=False)
                matrix[:, number], words[name] = codes, np.asarray(known, dtype=object)
        return cls(tuple(names), matrix, words, is_named=True)

    def frame(self, matrix: Floats) -> Any:
        """Rows of numbers as they were given."""
        if not self.is_named:
            return matrix
        import pandas as pd

        rows = pd.DataFrame(matrix, columns=list(self.names))
        for name, known in self.words.items():
            rows[name] = known[rows[name].to_numpy(dtype=np.intp)]
        return rows


def importance(estimator: Any, coded: Coded, label: Floats, metric: Metric) -> dict[str, float]:
    """Permutation importance of each column."""

    def judge(rows: Floats) -> tuple[Floats, Floats]:
        return judged(estimator, coded.frame(rows))

    return permutation_importance(judge, coded.matrix, coded.names, label, metric)
