"""How well a column fits a rule that is another column's: renamed and swapped columns."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.shapes import matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentops_graph.detection.typed import Typed
    from agentops_graph.domain.contract import ColumnRule, ColumnType, Contract

FEWEST = 50  # cells that say what a column holds
ALIKE = 0.9
UNLIKE = 0.7
NAMES_ALIKE = 0.55
SAMPLE = 20_000  # rows; more change no fit by a hundredth
MOST_PAIRS = 10_000  # of names that are compared letter by letter
MOST_SUSPECTS = 40  # columns that are tried in each other's place


def fit(rule: ColumnRule, column: Typed) -> float | None:
    """From 0 to 1: one less the Kolmogorov-Smirnov distance to the rule's quantiles, or the share
    of texts that are of its categories or formats. None when the rule says too little."""
    if rule.dtype == "text":
        return _text_fit(rule, column)
    if len(rule.quantiles) < 5:
        return None
    values = column.numbers[:: max(1, len(column.numbers) // SAMPLE)]
    values = np.sort(values[np.isfinite(values)])
    if len(values) < FEWEST:
        return None
    levels = np.linspace(0, 1, len(rule.quantiles))
    points = np.asarray(rule.quantiles)
    below = np.searchsorted(values, points, side="left") / len(values)
    upto = np.searchsorted(values, points, side="right") / len(values)
    # Of a value that many rows share, several quantiles are the same: the gap may lie anywhere.
    first = levels[np.searchsorted(points, points, side="left")]
    last = levels[np.searchsorted(points, points, side="right") - 1]
    return 1 - float(np.max(np.maximum(below - last, first - upto), initial=0.0))


def _text_fit(rule: ColumnRule, column: Typed) -> float | None:
    counts = column.counts()
    total = sum(counts.values())
    if total < FEWEST or not (rule.categories or rule.formats):
        return None
    if rule.categories is not None:
        known = frozenset(rule.categories)
        return sum(n for text, n in counts.items() if text in known) / total
    return sum(matching(rule.formats, counts).values()) / total


def name_likeness(one: str, other: str) -> float:
    """From 0 to 1; 1 when only case and separators differ."""
    a, b = _plain(one), _plain(other)
    if a == b:
        return 1.0
    words = [set(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", n).casefold()))
             for n in (one, other)]  # fmt: skip
    shared = len(words[0] & words[1]) / max(min(map(len, words)), 1)
    return max(SequenceMatcher(None, a, b, autojunk=False).ratio(), 0.8 * shared)


def renamed(
    dropped: Mapping[str, ColumnRule], added: Mapping[str, Mapping[ColumnType, Typed]]
) -> dict[str, str]:
    """New name by old name. `added` holds each new column as every type that a dropped one has.

    A pair needs both: the content of the old one and a name like it. Best pairs first, each column
    once.
    """
    pairs: list[tuple[float, str, str]] = []
    for old, new in _worth_comparing(dropped, added):
        rule, columns = dropped[old], added[new]
        likeness = name_likeness(old, new)
        column = columns.get(rule.dtype)
        if column is None or likeness < NAMES_ALIKE or _mostly_wrong(column):
            continue
        held = fit(rule, column)
        if held is None or held >= (0.5 if likeness == 1.0 else ALIKE):
            pairs.append((likeness + (held or 0.0), old, new))
    found: dict[str, str] = {}
    for _, old, new in sorted(pairs, reverse=True):
        if old not in found and new not in found.values():
            found[old] = new
    return found


def _worth_comparing(dropped: Iterable[str], added: Iterable[str]) -> Iterator[tuple[str, str]]:
    """All pairs of few names; of many, which are another table, those that are only respelt."""
    old, new = list(dropped), list(added)
    if len(old) * len(new) <= MOST_PAIRS:
        yield from product(old, new)
        return
    known = {_plain(name): name for name in new}
    for name in old:
        if (plain := _plain(name)) in known:
            yield name, known[plain]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def swapped(contract: Contract, columns: Mapping[str, Typed]) -> list[tuple[str, str]]:
    """Pairs of columns that each hold what the other should, and not what they should."""
    strange = [
        name
        for name, column in columns.items()
        if (own := fit(contract.columns[name], column)) is not None and own < UNLIKE
    ]
    if len(strange) > MOST_SUSPECTS:
        return []  # that is no swap but another table
    pairs: list[tuple[str, str]] = []
    for at, one in enumerate(strange):
        for other in strange[at + 1 :]:
            rules = contract.columns[one], contract.columns[other]
            if "text" in {rule.dtype for rule in rules} and rules[0].dtype != rules[1].dtype:
                continue
            there = fit(rules[1], columns[one]), fit(rules[0], columns[other])
            if all(held is not None and held >= ALIKE for held in there):
                pairs.append((one, other))
    return pairs


def _mostly_wrong(column: Typed) -> bool:
    return bool(column.wrong.sum() > 0.5 * max(1, (~column.missing).sum()))
