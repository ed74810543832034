"""Rows of PREDICTION_LOGS as a frame of arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentops_graph.domain.frames import Predictions
from agentops_graph.warehouse.columns import (
    joined,
    joined_features,
    joined_names,
    named,
    names,
    numbers,
)
from agentops_graph.warehouse.features import feature_columns, joined_categories

Floats = NDArray[np.float64]
Rows = Sequence[tuple[Any, ...]]
PREDICTION_COLUMNS = (
    "prediction_id",
    "features",
    "prediction",
    "confidence",
    "actual_label",
    "latency_ms",
    "model_version",
    "segment",
)


def frame_of(timestamps: Floats, rows: Rows) -> Predictions:
    """One frame of rows of PREDICTION_COLUMNS; times are seconds since the epoch."""
    ids, texts, predicted, score, label, latency, versions, parts = zip(*rows, strict=True)
    features, categories = feature_columns(texts)
    return Predictions(
        ids=[str(prediction_id) for prediction_id in ids],
        timestamps=timestamps,
        features=features,
        prediction=numbers(predicted),
        confidence=numbers(score),
        label=numbers(label),
        latency_ms=numbers(latency),
        version=names(versions),
        categories=categories,
        segment=named(parts),
    )


def one_frame(parts: list[Predictions]) -> Predictions:
    """The rows of the parts one after another; without a part, no rows."""
    return Predictions(
        ids=[prediction_id for part in parts for prediction_id in part.ids],
        timestamps=joined([part.timestamps for part in parts]),
        features=joined_features([part.features for part in parts], [len(part) for part in parts]),
        prediction=joined([part.prediction for part in parts]),
        confidence=joined([part.confidence for part in parts]),
        label=joined([part.label for part in parts]),
        latency_ms=joined([part.latency_ms for part in parts]),
        version=[version for part in parts for version in part.version],
        categories=joined_categories(parts),
        segment=joined_names([(part.segment, len(part)) for part in parts]),
    )
