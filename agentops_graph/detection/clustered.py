"""How sure a share or a mean is when its cases come in clusters: bursts of errors, sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import wilson
from agentops_graph.detection.labelled import spread_of_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.domain.frames import Floats

# One-sided 0.05%, as for a metric that dropped: an hourly look is taken 720 times a month.
Z_ALARM = 3.29
FEWEST_CLUSTERS = 10  # under it their own spread says too little
SHARPEST = 4.0  # scores may be surer than yes or no are, up to that many times


def share_of(hits: Floats, sizes: Floats, z: float = Z_ALARM) -> tuple[float, float, float]:
    """A share over clusters (minutes, sessions) of `sizes` cases with `hits`, and Wilson's interval
    on the rows it is worth: their number divided by the design effect (Rao and Scott, Biometrics
    48, 1992), which is how many times more the clusters differ than independent cases would.

    Sizes that are not known, all of them 0, count every cluster as one case.
    """
    if sizes.sum() <= 0:
        hits, sizes = np.clip(hits, 0, 1), np.ones(len(hits))
    total = float(sizes.sum())
    value = float(np.clip(hits.sum() / total, 0, 1))
    low, high = wilson(value, total / _design_effect(hits, sizes, value), z)
    return value, min(low, value), max(high, value)


def _design_effect(hits: Floats, sizes: Floats, value: float) -> float:
    chance = value * (1 - value)
    if chance <= 0 or len(hits) < 2:
        return 1.0
    off = float(np.sum((hits - value * sizes) ** 2)) * len(hits) / (len(hits) - 1)
    return max(1.0, off / (chance * float(sizes.sum())))


def mean_floor(values: Floats, weights: Floats) -> float:
    """What the weighted mean surely exceeds, with the spread between rows as its only measure: one
    absurd row proves nothing. -inf for a single row."""
    if len(values) < 2:
        return float("-inf")
    total = float(weights.sum())
    weights = weights if total > 0 else np.ones(len(values))
    mean = float(np.average(values, weights=weights))
    off = weights * (values - mean) / float(weights.sum())
    rows = len(values)
    widened = 1 + (Z_ALARM**2 + 1) / (4 * (rows - 1))
    return mean - Z_ALARM * widened * float(np.sqrt(np.sum(off**2) * rows / (rows - 1)))


def scored(scores: Floats, sessions: Sequence[str], z: float) -> tuple[float, float, float]:
    """The mean of scores from 0 to 1, in order of time, and its interval: Wilson's on as many rows
    as the mean's own spread is worth, which holds at the ends where nearly all scores are 1.

    Scores of one session go together; without sessions those that follow each other do.
    """
    value, rows = float(scores.mean()), len(scores)
    chance, error = value * (1 - value), _error(scores, sessions)
    worth = chance / error**2 if error > 0 else float(rows)
    low, high = wilson(value, min(worth, SHARPEST * rows), z)
    return value, min(low, value), max(high, value)


def _error(scores: Floats, sessions: Sequence[str]) -> float:
    """Standard error of the mean."""
    alone = float(scores.std(ddof=1) / np.sqrt(len(scores))) if len(scores) > 1 else 0.0
    names, place = np.unique(np.asarray(sessions, dtype=str), return_inverse=True)
    if len(names) == len(scores):
        return alone
    if len(names) < FEWEST_CLUSTERS or "" in names:
        return max(alone, spread_of_mean(scores)) if len(scores) > 1 else 0.0
    sums = np.bincount(place, scores - scores.mean())
    between = float(np.sum(sums**2)) * len(names) / (len(names) - 1)
    return max(alone, float(np.sqrt(between)) / len(scores))
