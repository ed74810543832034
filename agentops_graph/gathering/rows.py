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
        segment=None if rows.segment is None else list(compress(rows.segment, mask)),
    )
