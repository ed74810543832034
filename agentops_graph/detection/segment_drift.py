"""Drift inside one segment: its features against the same segment's bins in the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.distances import stability_index
from agentops_graph.detection.psi import WORST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.segments import Dimension
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import ReferenceProfile

MOST_STORED = 50  # segments whose bins are kept, the largest first
MIN_ROWS = 200  # on either side
STABLE = 0.1  # the usual line: Siddiqi, Credit Risk Scorecards, 2006
# Chi squared with 10 degrees of freedom, at one in 10^9: segments times features times looks.
CHANCE = 66.0


@dataclass(frozen=True)
class Drifted:
    """A segment whose features left its own reference while those of the rest did not."""

    label: str
    share: float
    rows: int
    score: float  # mean of the three worst
    features: dict[str, float]  # by falling PSI
    rest: float


def bins_by_segment(
    profile: ReferenceProfile, features: Mapping[str, Floats], dimensions: Sequence[Dimension]
) -> dict[str, dict[str, tuple[int, ...]]]:
    """How often each bin of each feature holds a row, for the largest named or declared segments;
    missing values last."""
    ranked = [
        (int(count), label)
        for dimension in _kept(dimensions)
        for label, count in zip(dimension.labels, dimension.rows, strict=True)
        if count >= MIN_ROWS
    ]
    chosen = {label for _, label in sorted(ranked, reverse=True)[:MOST_STORED]}
    found: dict[str, dict[str, tuple[int, ...]]] = {label: {} for label in chosen}
    for name, counted in _counts(profile, features, _kept(dimensions)):
        for label in chosen & counted.keys():
            found[label][name] = tuple(int(count) for count in counted[label])
    return found


def segment_drift(
    reference: ReferenceProfile,
    features: Mapping[str, Floats],
    dimensions: Sequence[Dimension],
    limit: float,
) -> list[Drifted]:
    """The segments above `limit` beyond chance, the worst first, whose rest stayed stable.

    The rule is the model's own: the mean PSI of the three worst features. A feature that a
    segment is told apart by is left out.
    """
    kept = [d for d in _kept(dimensions) if any(_bins(reference, label) for label in d.labels)]
    if not kept:
        return []
    now: dict[str, dict[str, Floats]] = {}
    for name, counted in _counts(reference, features, kept):
        for label, counts in counted.items():
            now.setdefault(label, {})[name] = counts
    total = {name: _all_rows(reference, features, name) for name in reference.features}
    rows = max((len(values) for values in features.values()), default=0)
    found = [
        drifted
        for dimension in kept
        for label, count in zip(dimension.labels, dimension.rows, strict=True)
        if (drifted := _judged(reference, label, int(count), rows, now, total, dimension, limit))
    ]
    return sorted(found, key=lambda each: (-each.score, each.label))


def drift_inside(
    reference: ReferenceProfile,
    features: Mapping[str, Floats],
    mask: NDArray[np.bool_],
    label: str,
) -> dict[str, float]:
    """PSI of each feature among a segment's rows against its own reference, by falling PSI; empty
    when none is stored."""
    found = {
        name: _index(np.array(before), _all_rows(reference, _masked(features, mask, name), name))
        for name, before in _bins(reference, label).items()
        if name in reference.features
    }
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _masked(
    features: Mapping[str, Floats], mask: NDArray[np.bool_], name: str
) -> Mapping[str, Floats]:
    return {name: features.get(name, np.full(len(mask), np.nan))[mask]}


def _judged(
    reference: ReferenceProfile,
    label: str,
    count: int,
    rows: int,
    now: Mapping[str, Mapping[str, Floats]],
    total: Mapping[str, Floats],
    dimension: Dimension,
    limit: float,
) -> Drifted | None:
    before = {n: c for n, c in _bins(reference, label).items() if n not in dimension.names}
    held = reference.segments[label].rows if before else 0
    if count < MIN_ROWS or held < MIN_ROWS or rows - count < MIN_ROWS:
        return None
    inside = {n: _index(np.array(c), now[label][n]) for n, c in before.items() if n in now[label]}
    ordered = dict(sorted(inside.items(), key=lambda pair: (-pair[1], pair[0])))
    score = _aggregate(ordered)
    if score <= max(limit, CHANCE * (1 / count + 1 / held)):
        return None
    rest = _rest(reference, label, before, now[label], total)
    if rest > STABLE and rest > score / WORST:
        return None
    return Drifted(label, count / rows, count, score, ordered, rest)


def _rest(
    reference: ReferenceProfile,
    label: str,
    before: Mapping[str, tuple[int, ...]],
    inside: Mapping[str, Floats],
    total: Mapping[str, Floats],
) -> float:
    """The score of all other rows, of now and then."""
    found = {}
    for name, counts in before.items():
        profile = reference.features[name]
        present = np.array([*profile.shares]) * (1 - profile.missing) * reference.rows
        then = np.append(present, profile.missing * reference.rows) - np.array(counts)
        found[name] = _index(np.maximum(then, 0.0), total[name] - inside[name])
    return _aggregate(found)


def _aggregate(by_feature: Mapping[str, float]) -> float:
    worst = sorted(by_feature.values(), reverse=True)[:WORST]
    return sum(worst) / len(worst) if worst else 0.0


def _index(before: NDArray[np.float64] | NDArray[np.int64], now: Floats) -> float:
    return float(stability_index(np.asarray(before, dtype=np.float64), now))


def _kept(dimensions: Sequence[Dimension]) -> list[Dimension]:
    """Not the quarters that nobody asked for: a profile would be many times as large."""
    return [d for d in dimensions if len(d.names) == 1 and (d.is_named or d.is_declared)]


def _bins(reference: ReferenceProfile, label: str) -> dict[str, tuple[int, ...]]:
    held = reference.segments.get(label)
    return {} if held is None else held.bins


def _counts(
    profile: ReferenceProfile, features: Mapping[str, Floats], dimensions: Sequence[Dimension]
) -> list[tuple[str, dict[str, Floats]]]:
    """By feature and segment, the rows in each of the feature's bins."""
    if not dimensions:
        return []
    rows = len(dimensions[0].codes)
    found = []
    for name in profile.features:
        placed, width = _placed(profile, features, name, rows), _width(profile, name)
        by_label: dict[str, Floats] = {}
        for dimension in dimensions:
            size = len(dimension.labels)
            held = dimension.codes >= 0
            both = dimension.codes[held].astype(np.int64) * width + placed[held]
            table = np.bincount(both, minlength=size * width).reshape(size, width)
            by_label |= dict(zip(dimension.labels, table.astype(np.float64), strict=True))
        found.append((name, by_label))
    return found


def _all_rows(profile: ReferenceProfile, features: Mapping[str, Floats], name: str) -> Floats:
    rows = max((len(values) for values in features.values()), default=0)
    placed = _placed(profile, features, name, rows)
    counts = np.bincount(placed, minlength=_width(profile, name))
    return np.asarray(counts, dtype=np.float64)


def _width(profile: ReferenceProfile, name: str) -> int:
    return len(profile.features[name].edges) + 2


def _placed(
    profile: ReferenceProfile, features: Mapping[str, Floats], name: str, rows: int
) -> NDArray[np.int64]:
    """The bin of every row; the last one is of missing values."""
    edges = profile.features[name].edges
    values = features.get(name)
    if values is None:
        return np.full(rows, len(edges) + 1, dtype=np.int64)
    placed = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="left")
    return np.where(np.isfinite(values), placed, len(edges) + 1).astype(np.int64)
