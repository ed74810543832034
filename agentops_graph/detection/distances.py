"""Distances between two histograms over the same bins; the last axis is the bins.

Each takes counts or shares of any leading shape (features x bins in one call) and gives one figure
per histogram. An empty histogram is at distance 0: nothing was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

# An empty bin would make the index infinite; one row in 10,000 stands in for none.
EPSILON = 1e-4


def shares_of(counts: Floats) -> Floats:
    """Counts as shares of their sum; all 0 for an empty histogram."""
    counts = np.asarray(counts, dtype=np.float64)
    total = counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.zeros_like(counts), where=total > 0))


def smoothed(shares: Floats) -> Floats:
    """Shares with one part in 10,000 added to every bin."""
    return np.asarray((shares + EPSILON) / (1 + EPSILON * shares.shape[-1]), dtype=np.float64)


def stability_index(reference: Floats, current: Floats) -> Floats:
    """Population stability index: the sum over bins of (p - q) ln(p / q), 0 and up.

    The symmetrised Kullback-Leibler divergence of Jeffreys (1946). Below 0.1 is called stable,
    above 0.25 moved (Siddiqi, Credit Risk Scorecards, 2006).
    """
    before, now = smoothed(shares_of(reference)), smoothed(shares_of(current))
    return _known(reference, current, np.sum((now - before) * np.log(now / before), axis=-1))


def jensen_shannon(reference: Floats, current: Floats) -> Floats:
    """Jensen-Shannon distance, base 2: 0 for the same shares, 1 for nothing in common.

    The root of the divergence of Lin, IEEE Trans. Inf. Theory 37 (1991); a metric by Endres and
    Schindelin, IEEE Trans. Inf. Theory 49 (2003). Needs no smoothing.
    """
    before, now = shares_of(reference), shares_of(current)
    middle = (before + now) / 2
    divergence = (_relative(before, middle) + _relative(now, middle)) / 2
    return _known(reference, current, np.sqrt(np.clip(divergence, 0.0, 1.0)))


def kolmogorov_smirnov(reference: Floats, current: Floats) -> Floats:
    """Largest gap between the two distribution functions at the bins' edges, 0 to 1.

    Massey, JASA 46 (1951). At most the largest bin's share below the distance of the raw values.
    """
    gap = np.cumsum(shares_of(current) - shares_of(reference), axis=-1)
    return _known(reference, current, np.clip(np.abs(gap).max(axis=-1), 0.0, 1.0))


def wasserstein(
    reference: Floats, current: Floats, reference_ends: Floats, current_ends: Floats
) -> float:
    """Earth mover's distance of one feature, in the feature's unit, 0 and up.

    The area between the distribution functions (Vallender, Theory Prob. Appl. 18, 1973), each
    linear between its own `ends` (the bins' bounds, one more than bins). What is lost is where in
    its bin a row lies: at most the bin's width per row.
    """
    if not np.sum(reference) or not np.sum(current):
        return 0.0
    points = np.union1d(reference_ends, current_ends)
    sides = (reference, reference_ends), (current, current_ends)
    before, now = (_reached(counts, ends, points[:-1]) for counts, ends in sides)
    left = now - before
    before, now = (_reached_below(counts, ends, points[1:]) for counts, ends in sides)
    right = now - before
    total = np.abs(left) + np.abs(right)
    # Where the sign changes inside a stretch the area is two triangles.
    crossing = np.divide(left**2 + right**2, 2 * total, out=np.zeros_like(total), where=total > 0)
    return float(np.diff(points) @ np.where(left * right < 0, crossing, total / 2))


def _reached(counts: Floats, ends: Floats, points: Floats) -> Floats:
    """The distribution function; a bin without width is a jump, counted at its place."""
    levels = np.append(0.0, np.cumsum(shares_of(counts)))
    return np.asarray(np.clip(np.interp(points, ends, levels, left=0.0), 0.0, 1.0))


def _reached_below(counts: Floats, ends: Floats, points: Floats) -> Floats:
    """Its limit from below, where a jump is not yet counted: the same, read in a mirror."""
    return 1.0 - _reached(counts[::-1], -ends[::-1], -points)


def _relative(shares: Floats, middle: Floats) -> Floats:
    ratio = np.divide(shares, middle, out=np.ones_like(shares), where=shares > 0)
    return np.asarray(np.sum(shares * np.log2(ratio), axis=-1))


def _known(reference: Floats, current: Floats, figure: Floats) -> Floats:
    seen = (np.sum(reference, axis=-1) > 0) & (np.sum(current, axis=-1) > 0)
    return np.where(seen, figure, 0.0)
