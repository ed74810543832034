"""Tells the rows of a prediction log apart: by what they are named, by a value, by bins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.domain.segment import AND, COLUMN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats, Predictions
    from agentops_graph.domain.profile import FeatureProfile, ReferenceProfile
    from agentops_graph.domain.segment import SegmentRule

    Codes = NDArray[np.int32]

MOST_VALUES = 100  # of one name: the rarer ones have too few rows to be judged anyway
MOST_FEATURES = 60  # cut into quarters unasked: every segment more makes the others harder to see
MOST_NAMES_PAIRED = 5
QUARTERS = 4
LONGEST = 90  # characters of a condition
MISSING = " is missing"


@dataclass(frozen=True)
class Dimension:
    """One way to tell rows apart: a code per row (-1 for none), and the segment of each code."""

    names: tuple[str, ...]  # two for a pair
    codes: Codes
    labels: tuple[str, ...]
    is_named: bool  # by a value, not by a bin
    is_declared: bool

    @property
    def rows(self) -> NDArray[np.int64]:
        return np.bincount(self.codes + 1, minlength=len(self.labels) + 1)[1:]


def dimensions_of(
    rows: Predictions,
    rules: Sequence[SegmentRule],
    reference: ReferenceProfile | None,
    *,
    discover: bool,
) -> list[Dimension]:
    """Every way to tell the rows apart, the declared ones first.

    Discovered are the column `segment`, text features, pairs of these, and the quarters of the
    reference's numeric features. Bins of equal weight need the reference: cut anew from each window
    they would never be the same segments twice.
    """
    texts = names_logged(rows)
    made: dict[str, Dimension] = {}
    for rule in rules:
        for name in texts if rule.by == COLUMN else [rule.by]:
            found = _declared(name, rule, rows, texts, reference)
            if found is not None and _sayable(name):
                made.setdefault(name, found)
    if discover:
        for name, found in _discovered(rows, texts, reference):
            made.setdefault(name, found)
    return [*made.values(), *_pairs(list(made.values()))]


def _discovered(
    rows: Predictions,
    texts: Mapping[str, Sequence[str | None]],
    reference: ReferenceProfile | None,
) -> Iterator[tuple[str, Dimension]]:
    for name, values in texts.items():
        if _sayable(name):
            yield name, by_value(name, values, declared=False)
    for name, profile in _worth_cutting(reference):
        edges = quantile_edges(profile, QUARTERS)
        if edges and name not in texts and name in rows.features and _sayable(name):
            yield name, by_bins(name, rows.features[name], edges, declared=False)


def names_logged(rows: Predictions) -> dict[str, Sequence[str | None]]:
    """Texts by what they name: text features, and the column `segment`.

    A `segment` such as `country=DE;device=ios` names two things, any other text is one name.
    """
    found: dict[str, Sequence[str | None]] = {}
    for name, values in (getattr(rows, "categories", None) or {}).items():
        found[str(name)] = values
    if rows.segment is None:
        return found
    pairs = {text: _parted(text) for text in set(rows.segment)}
    for name in sorted({name for each in pairs.values() for name in each}):
        values = {text: each.get(name, "") for text, each in pairs.items()}
        found.setdefault(name, [values[text] for text in rows.segment])
    return found


def segment_mask(rows: Predictions, segment: str) -> NDArray[np.bool_] | None:
    """The rows of a segment by its name, such as `country=DE & amount>=250`; None when the rows
    hold nothing that it speaks of."""
    texts = names_logged(rows)
    mask = np.ones(len(rows), dtype=bool)
    for condition in segment.split(AND):
        met = _met(rows, texts, condition)
        if met is None:
            return None
        mask &= met
    return mask


def by_value(name: str, values: Sequence[str | None], *, declared: bool) -> Dimension:
    """A segment per value; rows without one are in none."""
    index: dict[str, int] = {}
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    codes = np.fromiter(
        (-1 if not v else index.setdefault(v, len(index)) for v in listed),
        dtype=np.int32,
        count=len(listed),
    )
    values_seen = [str(value) for value in index]
    unsaid = [code for value, code in index.items() if not _sayable(f"{name}={value}")]
    if unsaid:
        codes[np.isin(codes, unsaid)] = -1
    codes, kept = _commonest(codes, values_seen)
    labels = tuple(f"{name}={value}" for value in kept)
    return Dimension((name,), codes, labels, is_named=True, is_declared=declared)


def by_bins(name: str, values: Floats, edges: Sequence[float], *, declared: bool) -> Dimension:
    """A segment per bin, which holds its lower edge, and one of rows that are no number."""
    codes = np.searchsorted(np.asarray(edges), values, side="right").astype(np.int32)
    codes[~np.isfinite(values)] = len(edges) + 1
    first, last = f"{name}<{edges[0]:.6g}", f"{name}>={edges[-1]:.6g}"
    between = (f"{a:.6g}<={name}<{b:.6g}" for a, b in pairwise(edges))
    labels = (first, *between, last, f"{name}{MISSING}")
    return Dimension((name,), codes, labels, is_named=False, is_declared=declared)


def quantile_edges(profile: FeatureProfile, bins: int) -> tuple[float, ...]:
    """Where to cut a feature into bins of equal weight; fewer for one with few values."""
    if not profile.quantiles:
        return ()
    knots = np.asarray(profile.quantiles, dtype=np.float64)
    places = np.round(np.linspace(0, len(knots) - 1, bins + 1)[1:-1]).astype(np.int64)
    # As they are written in a segment's name, so that the name says exactly which rows it has.
    edges = {float(f"{knots[place]:.6g}") for place in places}
    return tuple(sorted(edge for edge in edges if edge > knots[0]))


def _declared(
    name: str,
    rule: SegmentRule,
    rows: Predictions,
    texts: Mapping[str, Sequence[str | None]],
    reference: ReferenceProfile | None,
) -> Dimension | None:
    if name in texts and rule.bins is None:
        return by_value(name, texts[name], declared=True)
    if name not in rows.features:
        return None
    edges: tuple[float, ...] = ()
    if isinstance(rule.bins, tuple):
        edges = tuple(float(f"{edge:.6g}") for edge in rule.bins)
    elif rule.bins is not None and reference is not None and name in reference.features:
        edges = quantile_edges(reference.features[name], rule.bins)
    elif rule.bins is None:
        return _by_number(name, rows.features[name])
    return by_bins(name, rows.features[name], edges, declared=True) if edges else None


def _by_number(name: str, values: Floats) -> Dimension:
    """A segment per number, for codes and flags."""
    known = np.isfinite(values)
    found, inverse = np.unique(values[known], return_inverse=True)
    codes = np.full(len(values), -1, dtype=np.int32)
    codes[known] = inverse
    codes, kept = _commonest(codes, [f"{value:.6g}" for value in found])
    labels = tuple(f"{name}={value}" for value in kept)
    return Dimension((name,), codes, labels, is_named=True, is_declared=True)


def _commonest(codes: Codes, values: list[str]) -> tuple[Codes, list[str]]:
    if len(values) <= MOST_VALUES:
        return codes, values
    counts = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    new = np.full(len(values) + 1, -1, dtype=np.int32)
    new[chosen] = np.arange(len(chosen))
    return new[codes], [values[i] for i in chosen]  # code -1 reads the last, which is -1


def _pairs(singles: list[Dimension]) -> list[Dimension]:
    """Combinations of two names; of bins only where a person asked for them."""
    paired = [d for d in singles if d.is_named or d.is_declared][:MOST_NAMES_PAIRED]
    return [_pair(a, b) for a, b in combinations(paired, 2)]


def _pair(a: Dimension, b: Dimension) -> Dimension:
    both = (a.codes >= 0) & (b.codes >= 0)
    width = len(b.labels)
    product = np.where(both, a.codes * width + b.codes, -1)
    counts = np.bincount(product + 1, minlength=len(a.labels) * width + 1)[1:]
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    kept = kept[counts[kept] > 0]
    new = np.full(len(counts) + 1, -1, dtype=np.int32)
    new[kept] = np.arange(len(kept))
    labels = tuple(f"{a.labels[k // width]}{AND}{b.labels[k % width]}" for k in kept)
    return Dimension(
        (*a.names, *b.names),
        new[product],
        labels,
        is_named=a.is_named and b.is_named,
        is_declared=a.is_declared and b.is_declared,
    )


def _sayable(text: str) -> bool:
    """A segment's name goes into alerts, keys and messages; two of them fit into one line."""
    return len(text) <= LONGEST and text.isprintable() and AND not in text


def _worth_cutting(reference: ReferenceProfile | None) -> list[tuple[str, FeatureProfile]]:
    """The most important features where that is known, else the first ones."""
    if reference is None:
        return []
    weight: Mapping[str, float] = getattr(reference, "importance", None) or {}
    ordered = sorted(reference.features.items(), key=lambda pair: -weight.get(pair[0], 0.0))
    return ordered[:MOST_FEATURES]


def _parted(text: str) -> dict[str, str]:
    if "=" not in text:
        return {COLUMN: text} if text else {}
    pairs = (part.partition("=") for part in text.replace(",", ";").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _met(
    rows: Predictions, texts: Mapping[str, Sequence[str | None]], condition: str
) -> NDArray[np.bool_] | None:
    """The rows that meet one condition of a segment's name."""
    for name in sorted({*texts, *rows.features}, key=len, reverse=True):
        if name in texts and condition.startswith(f"{name}="):
            wanted = condition.removeprefix(f"{name}=")
            return np.array([value == wanted for value in texts[name]], dtype=bool)
        if name in rows.features and name in condition:
            met = _number_met(rows.features[name], *condition.partition(name)[::2])
            if met is not None:
                return met
    return None


def _number_met(values: Floats, before: str, after: str) -> NDArray[np.bool_] | None:
    """`before` and `after` stand around the name, as in `10<=` and `<20`."""
    if not before and after == MISSING:
        return ~np.isfinite(values)
    try:
        low = float(before.removesuffix("<=")) if before else -np.inf
        if not before and after.startswith(">="):
            return np.asarray(values >= float(after[2:]))
        if not before and after.startswith("="):
            return np.asarray(np.isclose(values, float(after[1:]), rtol=1e-5, atol=0.0))
        if after.startswith("<"):
            return np.asarray((values >= low) & (values < float(after[1:])))
    except ValueError:
        return None
    return None
