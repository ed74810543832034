"""Makes the reference profile of a model version from the rows it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.domain.profile import FeatureProfile, ReferenceProfile

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

BINS = 10
LOWEST = np.finfo(np.float64).min  # nothing finite lies below it


def profile_of(
    model: str,
    version: str,
    features: Mapping[str, Floats],
    metrics: Mapping[str, float],
    at: datetime,
) -> ReferenceProfile:
    """Ten quantile bins and the percentiles of every feature, and the metrics while healthy.

    Metrics that are not finite are left out. `features` are arrays of one length.
    """
    rows = max((len(values) for values in features.values()), default=0)
    return ReferenceProfile(
        model_name=model,
        model_version=version,
        rows=rows,
        features={name: feature_profile(values) for name, values in features.items()},
        metrics={name: float(value) for name, value in metrics.items() if np.isfinite(value)},
        recorded_at=at,
    )


def feature_profile(values: Floats) -> FeatureProfile:
    """Bins of equal weight; whatever is not a finite number counts as missing.

    A value so common that it fills a whole bin gets a bin of its own, so that a constant or a
    zero-inflated column shows a move to either side of it.
    """
    finite = values[np.isfinite(values)]
    missing = 1.0 - len(finite) / len(values) if len(values) else 0.0
    if not len(finite):
        return FeatureProfile(edges=(), shares=(1.0,), quantiles=(), missing=missing)
    inner = np.quantile(finite, np.linspace(0, 1, BINS + 1), method="higher")
    values_at, times = np.unique(inner, return_counts=True)
    common = values_at[times > 1]
    below = np.nextafter(common, LOWEST)
    edges = np.unique(np.concatenate([inner[1:-1], common, below]))
    counts = np.bincount(np.searchsorted(edges, finite, side="left"), minlength=len(edges) + 1)
    return FeatureProfile(
        edges=tuple(edges.tolist()),
        shares=tuple((counts / len(finite)).tolist()),
        quantiles=tuple(np.quantile(finite, np.linspace(0, 1, 101)).tolist()),
        missing=missing,
    )
