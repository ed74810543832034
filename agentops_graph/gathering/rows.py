"""Choosing rows of a prediction log."""

from __future__ import annotations

from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Predictions

Mask = NDArray[np.bool_]


def picked(rows: Predictions, mask: Mask) -> Predictions:
    """The rows where the mask is true, in the same order."""
    if mask.all():
        return rows
    return replace(
        rows,
        ids=list(compress(rows.ids, mask)),
        timestamps=rows.timestamps[mask],
        features={name: values[mask] for name, values in rows.features.items()},
        prediction=rows.prediction[mask],
        confidence=rows.confidence[mask],
        label=rows.label[mask],
        latency_ms=rows.latency_ms[mask],
        version=list(compress(rows.version, mask)),
    )


def sliced(rows: Predictions, first: int, last: int) -> Predictions:
    """The rows from `first` to before `last`; arrays are views."""
    span = slice(first, last)
    return replace(
        rows,
        ids=rows.ids[span],
        timestamps=rows.timestamps[span],
        features={name: values[span] for name, values in rows.features.items()},
        prediction=rows.prediction[span],
        confidence=rows.confidence[span],
        label=rows.label[span],
        latency_ms=rows.latency_ms[span],
        version=rows.version[span],
    )
