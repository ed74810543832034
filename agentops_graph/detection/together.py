"""How features move together: the change that no single feature shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.domain.profile import Together

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

MOST_FEATURES = 60  # 1,770 pairs; of a wider table the first ones are looked at
MOST_ROWS = 5_000  # the error of a correlation is 0.015 then
LEAST_ROWS = 100
MOST_MISSING = 0.2  # a missing value has the middle rank, which draws the correlation to 0
SPREAD = 1.06  # variance of a transformed rank correlation, times rows - 3
CERTAIN = 1e-4  # chance of any pair crossing without a change
CLEAR = 0.3  # of a correlation


@dataclass(frozen=True)
class Pair:
    """Two features, and their rank correlation before and now."""

    first: str
    second: str
    before: float
    now: float
    sure: bool  # beyond chance, over all pairs

    @property
    def change(self) -> float:
        return self.now - self.before

    @property
    def is_clear(self) -> bool:
        return self.sure and abs(self.change) >= CLEAR


def together_of(features: Mapping[str, Floats]) -> Together | None:
    """Spearman's correlation of every pair (Am. J. Psychol. 15, 1904); None for fewer than two
    features that vary and are mostly there, or fewer than 100 rows.

    Of more than 5,000 rows every n-th is taken, and of more than 60 features the first.
    """
    names, ranks = _ranks(features)
    if len(names) < 2:
        return None
    upper = np.triu_indices(len(names), 1)
    return Together(
        names=tuple(names),
        correlations=tuple((ranks @ ranks.T)[upper].round(4).tolist()),
        rows=min(max(len(values) for values in features.values()), MOST_ROWS),
    )


def pairs_of(reference: Together, features: Mapping[str, Floats]) -> list[Pair]:
    """Every pair that can be compared, by falling change.

    Ranks are taken inside the window, so a feature that moved on its own changes nothing. Fisher's
    transformation with the variance of Fieller, Hartley and Pearson (Biometrika 44, 1957), and
    Bonferroni's line over the pairs. A feature that nearly always has one value tells no more than
    its other rows do: as many count, and from 100 on.
    """
    wanted = {name: features[name] for name in reference.names if name in features}
    names, ranks = _ranks(wanted)
    if len(names) < 2:
        return []
    off = np.array([_off_mode(ranked) for ranked in ranks])
    place = {name: number for number, name in enumerate(reference.names)}
    kept = np.array([place[name] for name in names])
    first, second = np.triu_indices(len(names), 1)
    before, now = _full(reference)[kept[first], kept[second]], (ranks @ ranks.T)[first, second]
    worth = np.minimum(1, 2 * np.minimum(off[first], off[second]))  # two even halves: all rows
    told = np.maximum(worth * ranks.shape[1], 4.0)
    then = np.maximum(worth * reference.rows, 4.0)
    error = np.sqrt(SPREAD / (told - 3) + SPREAD / (then - 3))
    far = np.abs(_stretched(now) - _stretched(before)) / error
    sure = (far > _two_sided(CERTAIN / len(first))) & (told >= LEAST_ROWS)
    order = np.argsort(-np.abs(now - before), kind="stable")
    return [
        Pair(names[first[n]], names[second[n]], float(before[n]), float(now[n]), bool(sure[n]))
        for n in order.tolist()
    ]


def _off_mode(ranks: Floats) -> float:
    """Share of the rows without the commonest value."""
    return float(1 - np.unique(ranks, return_counts=True)[1].max() / len(ranks))


def _full(reference: Together) -> Floats:
    size = len(reference.names)
    half = np.zeros((size, size))
    half[np.triu_indices(size, 1)] = reference.correlations
    return half + half.T


def _stretched(correlation: Floats) -> Floats:
    return np.asarray(np.arctanh(np.clip(correlation, -0.999, 0.999)), dtype=np.float64)


def _two_sided(chance: float) -> float:
    """The normal quantile, by halving: this many digits are more than chance deserves."""
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > chance else (low, middle)
    return high


def _ranks(features: Mapping[str, Floats]) -> tuple[list[str], Floats]:
    """Names, and for each the ranks of its rows with mean 0 and length 1."""
    names: list[str] = []
    ranks: list[Floats] = []
    for name, values in list(features.items())[:MOST_FEATURES]:
        if len(values) < LEAST_ROWS:
            continue
        if len(values) > MOST_ROWS:
            values = values[np.linspace(0, len(values) - 1, MOST_ROWS).astype(np.int64)]
        ranked = _ranked(values)
        if ranked is not None:
            names.append(name)
            ranks.append(ranked)
    return names, np.array(ranks)


def _ranked(values: Floats) -> Floats | None:
    finite = np.isfinite(values)
    if finite.mean() < 1 - MOST_MISSING:
        return None
    ranked = np.zeros(len(values))
    ranked[finite] = _middle_ranks(values[finite])
    length = float(np.sqrt(ranked @ ranked))
    return ranked / length if length > 0 else None


def _middle_ranks(values: Floats) -> Floats:
    """Ranks around 0; tied values share theirs."""
    order = np.argsort(values)
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values))
    ordered = values[order]
    if (ordered[1:] == ordered[:-1]).any():
        _, place, times = np.unique(values, return_inverse=True, return_counts=True)
        ranks = (np.cumsum(times) - (times + 1) / 2)[place]
    return np.asarray(ranks - ranks.mean(), dtype=np.float64)
