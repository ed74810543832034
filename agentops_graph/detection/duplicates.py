"""Rows that stand in a batch before: whole ones, and those with the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

COUNTS_UP = 0.8  # of the steps from row to row
NEIGHBOURS = 3  # on either side
NEAR = 10  # usual steps from there; nearer ones are all in their place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from agentops_graph.detection.typed import Mask, Typed

    Hashes = NDArray[np.uint64]


def repeated(columns: Iterable[Typed], rows: int) -> Mask:
    """The rows that repeat an earlier one in all these columns; the first of them is none.

    Rows are compared by a 64-bit mix of their cells (Steele, Lea and Flood, OOPSLA 2014): among a
    million rows two different ones are taken for the same once in 37 million batches.
    """
    mixed: Hashes = np.zeros(rows, dtype=np.uint64)
    for column in columns:
        mixed = _scrambled(mixed ^ _bits(column))
    return repeats(mixed)


def repeats(values: NDArray[Any]) -> Mask:
    """Which values stand in the array before."""
    order = np.argsort(values, kind="stable")
    arranged = values[order]
    again = np.zeros(len(values), dtype=np.bool_)
    again[order[1:]] = arranged[1:] == arranged[:-1]
    return again


def misplaced(ids: NDArray[np.float64], again: Mask) -> Mask:
    """The repeated ones of ids that count up: of the rows with the same id the one nearest to its
    neighbours' ids is the right one. `again` as it is, where ids don't count up."""
    steps = np.diff(ids)
    if not again.any() or not np.mean(steps[np.isfinite(steps)] > 0) >= COUNTS_UP:
        return again
    filled = np.pad(np.where(np.isfinite(ids), ids, np.inf), NEIGHBOURS, constant_values=np.inf)
    middles = np.median(sliding_window_view(filled, NEIGHBOURS), axis=1)
    # Where one load ends and the next begins, only one side is like the row.
    sides = (middles[: len(ids)], middles[NEIGHBOURS + 1 :])
    off = np.minimum(*(np.where(np.isfinite(m), np.abs(ids - m), np.inf) for m in sides))
    off[off <= NEAR * np.median(steps[steps > 0])] = 0
    order = np.lexsort((off, ids))
    arranged = ids[order]
    wrong = np.zeros(len(ids), dtype=np.bool_)
    wrong[order[1:]] = arranged[1:] == arranged[:-1]
    return wrong


def _bits(column: Typed) -> Hashes:
    if len(column.numbers):
        values = column.numbers + 0.0  # -0.0 is 0.0
        values[~np.isfinite(values)] = np.nan
        return values.view(np.uint64)
    return column.codes.astype(np.int64).view(np.uint64)


def _scrambled(values: Hashes) -> Hashes:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)), dtype=np.uint64)
