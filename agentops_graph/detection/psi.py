"""Population stability index and KS distance from a profile's bins and percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.distances import smoothed

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import FeatureProfile

WORST = 3  # features in the aggregate: a mean over all would hide two broken ones of 29


def psi(profile: FeatureProfile, values: Floats) -> float:
    """Population stability index: the sum over bins of (p - q) ln(p / q), never negative.

    It is the symmetrised Kullback-Leibler divergence of Jeffreys (1946) over the reference's
    bins; Yurdakul, "Statistical properties of population stability index" (2018), gives its
    distribution. Missing values are a bin of their own. 0 for an empty array.
    """
    if not len(values):
        return 0.0
    now, reference = smoothed(bin_shares(profile, values)), smoothed(reference_shares(profile))
    return float(np.sum((now - reference) * np.log(now / reference)))


def aggregate(by_feature: Mapping[str, float]) -> float:
    """Mean of the three worst features; 0 when there is none."""
    worst = sorted(by_feature.values(), reverse=True)[:WORST]
    return sum(worst) / len(worst) if worst else 0.0


def bins_of(profile: FeatureProfile, values: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The bin of every row; the last bin is the one of missing values."""
    last = len(profile.edges) + 1
    placed = np.searchsorted(np.asarray(profile.edges, dtype=np.float64), values, side="left")
    return np.where(np.isfinite(values), placed, last).astype(np.int64)


def bin_shares(profile: FeatureProfile, values: Floats) -> Floats:
    """Share of rows per bin, missing last."""
    counts = np.bincount(bins_of(profile, values), minlength=len(profile.edges) + 2)
    return np.asarray(counts / max(len(values), 1), dtype=np.float64)


def reference_shares(profile: FeatureProfile) -> Floats:
    """The reference in the same bins."""
    present = np.asarray(profile.shares, dtype=np.float64) * (1.0 - profile.missing)
    return np.append(present, profile.missing)


def ks(profile: FeatureProfile, values: Floats) -> float:
    """Kolmogorov-Smirnov distance between the values and the reference's percentiles.

    The reference's distribution function is linear between its percentiles, so the distance is
    exact to about 0.01. Massey, JASA 46 (1951). 0 when either side has no finite value.
    """
    finite = np.sort(values[np.isfinite(values)])
    if not len(finite) or not profile.quantiles:
        return 0.0
    knots = np.asarray(profile.quantiles, dtype=np.float64)
    points = np.unique(np.concatenate([finite, knots]))
    here = np.searchsorted(finite, points, side="right") / len(finite)
    just_before = np.searchsorted(finite, points, side="left") / len(finite)
    there, there_before = _distribution(knots, points)
    gap = max(np.abs(here - there).max(), np.abs(just_before - there_before).max())
    return float(min(gap, 1.0))


def _distribution(knots: Floats, points: Floats) -> tuple[Floats, Floats]:
    """The reference's distribution function at the points, and its limit from the left."""
    levels = np.linspace(0, 1, len(knots))
    at, first = np.unique(knots, return_index=True)
    last = np.append(first[1:], len(knots)) - 1
    low, high = levels[first], levels[last]
    low[0] = 0.0 if first[0] == last[0] else low[0]
    place = np.clip(np.searchsorted(at, points, side="right") - 1, 0, None)
    following = np.minimum(place + 1, len(at) - 1)
    width = np.where(following > place, at[following] - at[place], 1.0)
    share = (np.clip(points, at[0], at[-1]) - at[place]) / width
    between = high[place] + share * np.maximum(low[following] - high[place], 0)
    outside = points < at[0]
    value = np.where(outside, 0.0, between)
    on_knot = points == at[place]
    left = np.where(outside, 0.0, np.where(on_knot, low[place], value))
    return value, left
