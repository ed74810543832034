"""The holdout of a retraining: frozen before it, by hash, and never trained on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.gathering.rows import Mask, picked

if TYPE_CHECKING:
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.ports import Warehouse

MIN_ROWS = 400  # 200 to train on and 200 to judge with


@dataclass(frozen=True)
class Holdout:
    """Train on `train_from .. train_until`, judge on `train_until .. holdout_until`."""

    train_from: datetime
    train_until: datetime
    holdout_until: datetime
    sha256: str
    rows: int
    positives: int  # rows of class 1; all rows for tasks without a positive class


def freeze(
    warehouse: Warehouse, component: Component, onset: datetime, now: datetime
) -> Holdout | None:
    """The later half of the labelled rows since the onset; None under 400 labelled rows.

    The holdout ends right after its last labelled row, so that rows which come later, with their
    labels, leave the hash as it is.
    """
    rows = warehouse.predictions(component.name, onset, now, labelled=True)
    rows = picked(rows, np.isfinite(rows.label))
    if len(rows) < MIN_ROWS:
        return None
    train_until = _moment(rows.timestamps[len(rows) // 2])
    holdout_until = _moment(rows.timestamps[-1]) + timedelta(microseconds=1)
    train, holdout = split(rows, train_until, holdout_until)
    if not train.any():
        return None
    label = rows.label[holdout]
    binary = component.metric.task == "binary"
    return Holdout(
        train_from=onset,
        train_until=train_until,
        holdout_until=holdout_until,
        sha256=digest(rows, holdout),
        rows=int(holdout.sum()),
        positives=int(np.sum(label == 1)) if binary else int(holdout.sum()),
    )


def split(
    predictions: Predictions, train_until: datetime, holdout_until: datetime
) -> tuple[Mask, Mask]:
    """Masks of the labelled rows to train on and of those held out; no row is in both."""
    labelled, times = np.isfinite(predictions.label), predictions.timestamps
    border = train_until.timestamp()
    train = labelled & (times < border)
    held = labelled & (times >= border) & (times < holdout_until.timestamp())
    return train, held


def digest(predictions: Predictions, mask: Mask) -> str:
    """SHA-256 over "id,label" lines of the masked rows in order of time, then of id."""
    chosen = np.flatnonzero(mask)
    times = predictions.timestamps
    ordered = sorted(chosen.tolist(), key=lambda i: (times[i], predictions.ids[i]))
    lines = (f"{predictions.ids[i]},{float(predictions.label[i])!r}\n" for i in ordered)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(float(timestamp), UTC)
