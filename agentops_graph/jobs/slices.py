"""The rows of a retraining: to learn from and to be judged on, as an estimator takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentops_graph.detection.shift import words_only
from agentops_graph.errors import ConflictError, NotEnoughDataError
from agentops_graph.gathering.holdout import digest, split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agentops_graph.domain.action import RetrainModel
    from agentops_graph.domain.frames import Predictions

    Floats = NDArray[np.float64]
    Words = NDArray[np.object_]


@dataclass(frozen=True)
class Slices:
    """Rows to learn from and rows to judge on; columns in the order the estimator expects."""

    names: tuple[str, ...]
    train: Any  # a frame of features, (rows, columns)
    train_label: Floats
    train_columns: dict[str, Floats]
    train_words: dict[str, Words]  # of those that are categories
    holdout: Any
    holdout_label: Floats
    held_out: NDArray[np.bool_]  # of the rows read


def slices_of(rows: Predictions, action: RetrainModel, incumbent: Any) -> Slices:
    train, holdout = split(rows, action.train_until, action.holdout_until)
    seen = digest(rows, holdout)
    if seen != action.holdout_sha256:
        raise ConflictError(
            f"the holdout has changed since the approval: {int(holdout.sum())} rows with digest "
            f"{seen[:12]}, approved were {action.holdout_rows} with {action.holdout_sha256[:12]}; "
            "the plan has to be made anew"
        )
    if not train.any() or len(set(rows.label[train].tolist())) < 2:
        raise NotEnoughDataError(
            f"{int(train.sum())} labelled rows of {action.model} between {action.train_from} and "
            f"{action.train_until} are not enough to learn from; load more labels"
        )
    names = columns_for(incumbent, rows)
    return Slices(
        names=names,
        train=frame_for(incumbent, rows, names, train),
        train_label=rows.label[train],
        train_columns={name: rows.features[name][train] for name in names},
        train_words={n: rows.categories[n][train] for n in names if n in rows.categories},
        holdout=frame_for(incumbent, rows, names, holdout),
        holdout_label=rows.label[holdout],
        held_out=holdout,
    )


def columns_for(incumbent: Any, rows: Predictions) -> tuple[str, ...]:
    """The features in the order the incumbent learned them."""
    named = getattr(incumbent, "feature_names_in_", None)
    names = tuple(rows.features) if named is None else tuple(str(name) for name in named)
    missing = [name for name in names if name not in rows.features]
    wanted = getattr(incumbent, "n_features_in_", len(names))
    if missing or wanted != len(names):
        raise NotEnoughDataError(
            f"the model takes {wanted} features, the prediction log holds {len(rows.features)}; "
            f"missing: {', '.join(missing) or 'names'}"
        )
    return names


def frame_for(
    incumbent: Any, rows: Predictions, names: tuple[str, ...], mask: NDArray[np.bool_]
) -> Any:
    """The rows as the estimator takes them: text as it was logged, the rest as numbers."""
    import numpy as np
    import pandas as pd

    worded = words_only(rows.features, {n: w for n, w in rows.categories.items() if n in names})
    if worded:
        columns = {n: (worded[n] if n in worded else rows.features[n])[mask] for n in names}
        return pd.DataFrame(columns)
    matrix = np.column_stack([rows.features[name][mask] for name in names])
    if hasattr(incumbent, "feature_names_in_"):
        return pd.DataFrame(matrix, columns=list(names))
    return matrix
