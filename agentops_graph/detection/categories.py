"""How far a categorical feature moved: chi-square, and an index that sees new categories."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.distances import jensen_shannon, stability_index
from agentops_graph.domain.profile import CategoryProfile

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

MOST_TERMS = 10_000
ENOUGH = 1e-15
RARE_SHARE = 0.01
ROWS_PER_BIN = 10
REFERENCE_ROWS_PER_BIN = 25
MOST_NAMES = 1000
FREE_TEXT = 0.2


@dataclass(frozen=True)
class CategoryDrift:
    """How far one categorical feature is from its reference.

    The bins are the categories, rare ones sharing some; those seen once or never; missing values.
    """

    psi: float  # 0 and up, over the bins
    js: float  # 0 to 1, over the same bins
    chi_square: float  # 0 and up; grows with the rows
    p_value: float  # chance of a chi-square this large without drift
    cramers_v: float  # 0 to 1, the chi-square without the rows
    unseen: tuple[str, ...]  # categories the reference never had, most frequent first
    unseen_share: float  # of the rows
    missing_shift: float  # share of missing values now, minus before: -1 to 1


def category_profile(values: Iterable[object]) -> CategoryProfile:
    """Counts per category; None and NaN count as missing, other values by their text."""
    tallied = Counter(values)
    missing = sum(rows for value, rows in tallied.items() if value is None or value != value)
    counts: dict[str, int] = {}
    for value, rows in tallied.items():
        if value is not None and value == value:
            counts[str(value)] = counts.get(str(value), 0) + rows
    return CategoryProfile(counts=dict(sorted(counts.items())), missing=missing)


def is_free_text(profile: CategoryProfile) -> bool:
    """Names, notes and ids: so many values that new ones are no news.

    The share of values seen once is the chance that the next one is new (Good, Biometrika 40,
    1953).
    """
    once = sum(1 for rows in profile.counts.values() if rows == 1)
    present = max(profile.rows - profile.missing, 1)
    return len(profile.counts) > MOST_NAMES or (once > FREE_TEXT * present and once > 2)


def category_drift(reference: CategoryProfile, current: CategoryProfile) -> CategoryDrift:
    """The measures between two counts of categories; all 0 (p 1) when either has no rows."""
    new = {name: rows for name, rows in current.counts.items() if name not in reference.counts}
    table = binned(reference, current)
    statistic, freedom = chi_square(table)
    rows = max(current.rows, 1)
    seen = bool(reference.rows and current.rows)
    return CategoryDrift(
        psi=float(stability_index(table[0], table[1])),
        js=float(jensen_shannon(table[0], table[1])),
        chi_square=statistic,
        p_value=chi_square_tail(statistic, freedom),
        cramers_v=math.sqrt(min(statistic / table.sum(), 1.0)) if table.sum() else 0.0,
        unseen=tuple(sorted(new, key=lambda name: (-new[name], name))),
        unseen_share=sum(new.values()) / rows,
        missing_shift=current.missing / rows - reference.missing / reference.rows if seen else 0.0,
    )


def bin_of_each(reference: CategoryProfile, rows: int) -> dict[str, int]:
    """The bin of every category that the reference has more than once, when `rows` are counted.

    A category has a bin of its own if it has 1% of the reference, 25 of its rows, and 10 of the
    rows are expected in it. Others share bins of that size: hundreds of bins with a row or two
    each would be noise, and one bin for them all would hide what happens among them. They are
    taken by name, because those that were frequent by luck must not meet in a bin.
    """
    repeated = {name: count for name, count in reference.counts.items() if count > 1}
    total = sum(repeated.values())
    least = max(RARE_SHARE * total, ROWS_PER_BIN / max(rows, 1) * total, REFERENCE_ROWS_PER_BIN)
    places: dict[str, int] = {}
    for name, count in repeated.items():
        if count >= least:
            places[name] = len(places)
    place, held = len(places), 0
    left = sum(count for name, count in repeated.items() if name not in places)
    for name in sorted(repeated.keys() - places.keys()):
        places[name] = place
        held, left = held + repeated[name], left - repeated[name]
        if held >= least and left >= least:
            place, held = place + 1, 0
    return places


def binned(reference: CategoryProfile, current: CategoryProfile) -> Floats:
    """Rows per bin, before and now: those of `bin_of_each`, once or never seen, missing.

    How many categories the reference has once and twice says how much of the next rows is of those
    it has once or never (Good, Biometrika 40, 1953): a long tail that always brings new names is
    no drift.
    """
    present = current.rows - current.missing
    places = bin_of_each(reference, present)
    bins = max(places.values(), default=-1) + 1
    table = np.zeros((2, bins + 2))
    for name, place in places.items():
        table[0, place] += reference.counts[name]
        table[1, place] += current.counts.get(name, 0)
    once, twice = (sum(rows == n for rows in reference.counts.values()) for n in (1, 2))
    expected = once + 2 * twice if once else 0
    if table[0].sum() > expected:
        table[0] *= 1 - (expected - once) / table[0].sum()
        table[0, bins] = expected
    else:
        table[0, bins] = once
    table[1, bins] = present - table[1, :bins].sum()
    table[:, -1] = reference.missing, current.missing
    return table


def chi_square(table: Floats) -> tuple[float, int]:
    """Pearson's statistic of homogeneity of a 2 x categories table, and its degrees of freedom.

    Pearson, Phil. Mag. 50 (1900). Categories that neither row has are left out; (0, 0) when a row
    is empty or one category is left.
    """
    table = table[:, table.sum(axis=0) > 0]
    rows = table.sum(axis=1, keepdims=True)
    if table.shape[1] < 2 or not rows.all():
        return 0.0, 0
    expected = rows * table.sum(axis=0, keepdims=True) / table.sum()
    return float(np.sum((table - expected) ** 2 / expected)), table.shape[1] - 1


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Upper tail of the chi-squared distribution: the regularised incomplete gamma function.

    Series below the mean, Lentz's continued fraction above it: DLMF 8.11.4 and 8.9.2.
    """
    if freedom < 1 or statistic <= 0:
        return 1.0
    a, x = freedom / 2, statistic / 2
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        return max(0.0, 1.0 - front * _series(a, x))
    return min(1.0, front * _fraction(a, x))


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for n in range(1, MOST_TERMS):
        term *= x / (a + n)
        total += term
        if term < total * ENOUGH:
            break
    return total


def _fraction(a: float, x: float) -> float:
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    value = d
    for n in range(1, MOST_TERMS):
        step = -n * (n - a)
        b += 2
        d = 1 / (step * d + b or tiny)
        c = b + step / c or tiny
        value *= c * d
        if abs(c * d - 1) < ENOUGH:
            break
    return value
