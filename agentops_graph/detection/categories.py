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
RARE_SHARE = 0.01  # categories below it share a bin: hundreds of bins are all noise
MOST_NAMES = 1000
FREE_TEXT = 0.2


@dataclass(frozen=True)
class CategoryDrift:
    """How far one categorical feature is from its reference.

    The bins are the categories with 1% of the reference or more, the rarer ones together, all
    unseen ones together, and missing values.
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


def common_names(reference: CategoryProfile) -> list[str]:
    """The categories with a bin of their own."""
    least = RARE_SHARE * reference.rows
    return [name for name, rows in reference.counts.items() if rows >= least]


def binned(reference: CategoryProfile, current: CategoryProfile) -> Floats:
    """Rows per bin, before and now: the common categories, the rare ones, unseen, missing.

    The reference's unseen share is what its categories seen once let expect, so that a long tail
    which always brings new names is no drift.
    """
    common = common_names(reference)
    rare = reference.counts.keys() - set(common)
    expected = sum(1 for name in rare if reference.counts[name] == 1)
    before = [float(reference.counts[name]) for name in common]
    before += [sum(reference.counts[name] for name in rare) - expected, expected, reference.missing]
    now = [float(current.counts.get(name, 0)) for name in common]
    known = sum(current.counts.get(name, 0) for name in reference.counts)
    unseen = current.rows - current.missing - known
    now += [known - sum(now), unseen, current.missing]
    return np.array([before, now], dtype=np.float64)


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
