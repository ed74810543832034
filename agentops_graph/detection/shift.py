"""What moved in a window against its reference: every feature's index, and which ones count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.categories import (
    binned,
    category_profile,
    chi_square,
    chi_square_tail,
)
from agentops_graph.detection.columns import over_columns
from agentops_graph.detection.distances import stability_index
from agentops_graph.detection.drift import bins_of_feature
from agentops_graph.domain.categories import worded

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats, Words
    from agentops_graph.domain.profile import CategoryProfile, FeatureProfile, ReferenceProfile

# A tenth of the rows gathering in one bin of ten is 0.07, a move of a quarter of a standard
# deviation 0.06; what is smaller nobody acts on, however certain it is.
WORTH_NAMING = 0.05
CHANCE = 0.001  # of naming any feature in a window without drift
MOST_BINS = 11
LEAST_EXPECTED = 1.0  # rows of a bin; rarer ones are tested together


@dataclass(frozen=True)
class Shift:
    """How far a window is from its reference."""

    rows: int
    by_feature: dict[str, float]  # PSI of numbers and categories, worst first
    p_values: dict[str, float]  # of those worth naming
    missing: dict[str, tuple[float, float]]  # share of missing values, before and now
    drifted: tuple[str, ...]  # large enough, and beyond chance over all features; worst first
    categories: dict[str, CategoryProfile]  # the window's own, of the reference's categories


def shift_of(
    reference: ReferenceProfile,
    features: Mapping[str, Floats],
    categories: Mapping[str, Words],
    rows: int,
) -> Shift:
    """Every feature of the reference, in one pass; one that no longer arrives is all missing."""
    gone = np.full(rows, np.nan)
    columns = {name: features.get(name, gone) for name in reference.features}
    tables = over_columns(
        columns,
        lambda name, values: bins_of_feature(reference.features[name], values, reference.rows),
    )
    now = {
        name: category_profile(words_of(name, features, categories, rows))
        for name in reference.categories
    }
    tables |= {name: binned(reference.categories[name], now[name]) for name in now}
    return shift_over(tables, now, rows)


def shift_over(tables: Mapping[str, Floats], now: dict[str, CategoryProfile], rows: int) -> Shift:
    """From each feature's rows per bin, before and now."""
    by_feature = _worst_first(
        {
            name: max(0.0, index - _added_by_chance(tables[name]))
            for name, index in stability_by_feature(tables).items()
        }
    )
    chances = {
        name: chance_of(tables[name])
        for name, index in by_feature.items()
        if index >= WORTH_NAMING and rows
    }
    return Shift(
        rows=rows,
        by_feature=by_feature,
        p_values=chances,
        missing={name: _missing(table) for name, table in tables.items()},
        drifted=beyond_chance(chances, len(tables)),
        categories=now,
    )


def words_of(
    name: str, features: Mapping[str, Floats], categories: Mapping[str, Words], rows: int
) -> Words:
    """A categorical feature's words, also when only numbers arrived."""
    if name in categories:
        return categories[name]
    if name in features:
        return worded(features[name])
    return np.full(rows, None, dtype=object)


def numbers_only(
    features: Mapping[str, Floats], categories: Mapping[str, Words]
) -> dict[str, Floats]:
    """The features to profile as numbers: those with more numbers than words."""
    return {
        name: values
        for name, values in features.items()
        if not _is_worded(name, values, categories)
    }


def words_only(features: Mapping[str, Floats], categories: Mapping[str, Words]) -> dict[str, Words]:
    """The features to profile as categories: the others."""
    none = np.empty(0)
    return {
        name: words
        for name, words in categories.items()
        if _is_worded(name, features.get(name, none), categories)
    }


def stability_by_feature(tables: Mapping[str, Floats]) -> dict[str, float]:
    """PSI from rows per bin before and now; tables of one width in one call."""
    widths: dict[int, list[str]] = {}
    for name, table in tables.items():
        widths.setdefault(table.shape[1], []).append(name)
    found: dict[str, float] = {}
    for names in widths.values():
        stacked = np.stack([tables[name] for name in names])
        found |= zip(names, stability_index(stacked[:, 0], stacked[:, 1]).tolist(), strict=True)
    return found


def _added_by_chance(table: Floats) -> float:
    """What an index over many categories has above one over a number's ten bins and the missing.

    Without drift the index is (bins - 1) (1 / rows + 1 / reference rows) on average (Yurdakul,
    2018): with 50 categories and 200 rows a quarter, which no line for ten bins is made for.
    """
    beyond = max(0, int((table.sum(axis=0) > 0).sum()) - MOST_BINS)
    return float(beyond * np.sum(1 / np.maximum(table.sum(axis=1), 1.0)))


def _worst_first(by_feature: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(by_feature.items(), key=lambda pair: (-pair[1], pair[0])))


def chance_of(table: Floats) -> float:
    """Chance of a difference this large without drift: chi-square over the bins.

    Bins in which chance alone would put less than one row of either side are taken together
    (Cochran, Biometrics 10, 1954).
    """
    sides = table.sum(axis=1)
    expected = table.sum(axis=0) * sides.min() / max(float(sides.sum()), 1.0)
    rare = expected < LEAST_EXPECTED
    if rare.any() and not rare.all() and expected[rare].sum() < LEAST_EXPECTED:
        rare |= expected == expected[~rare].min()
    pooled = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    return chi_square_tail(*chi_square(pooled))


def beyond_chance(
    p_values: Mapping[str, float], tested: int, chance: float = CHANCE
) -> tuple[str, ...]:
    """The names that stay below the chance over all tests: Holm, Scand. J. Statist. 6 (1979)."""
    kept: set[str] = set()
    for rank, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda pair: pair[1])):
        if p_value > chance / (tested - rank):
            break
        kept.add(name)
    return tuple(name for name in p_values if name in kept)


def output_shift(profile: FeatureProfile, values: Floats, rows: int) -> tuple[float, float]:
    """PSI of predictions or labels and its chance; `rows` are the reference's."""
    table = bins_of_feature(profile, values[np.isfinite(values)], rows)
    # Failed predictions and missing labels have limits of their own.
    table[:, -1] = 0
    return float(stability_index(table[0], table[1])), chance_of(table)


def _is_worded(name: str, values: Floats, categories: Mapping[str, Words]) -> bool:
    if name not in categories:
        return False
    present = sum(word is not None for word in categories[name].tolist())
    return bool(np.isfinite(values).sum() <= present / 2)


def _missing(table: Floats) -> tuple[float, float]:
    before, now = (float(side[-1] / max(side.sum(), 1.0)) for side in table)
    return before, now
