"""Choosing and joining rows of a prediction log or a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import compress
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from agentops_graph.domain.frames import Predictions, Series

if TYPE_CHECKING:
    from collections.abc import Callable

Mask = NDArray[np.bool_]
Rows = TypeVar("Rows", Predictions, Series)


def picked(rows: Predictions, mask: Mask) -> Predictions:
    """The rows where the mask is true, in the same order."""
    if mask.all():
        return rows

    def chosen(column: Any) -> Any:
        return column[mask] if isinstance(column, np.ndarray) else list(compress(column, mask))

    return _each_column(rows, chosen)


def sliced(rows: Rows, first: int, last: int) -> Rows:
    """The rows from `first` to before `last`; arrays are views."""
    span = slice(first, last)
    return _each_column(rows, lambda column: column[span])


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows one after the other; a column that one part lacks is NaN, or None, in its rows."""
    lengths = [len(part) for part in parts]
    columns: dict[str, Any] = {}
    for field in fields(parts[0]):
        held = [getattr(part, field.name) for part in parts]
        if field.name == "stands_for":
            columns[field.name] = _together(held, lengths)
        elif all(isinstance(value, dict) for value in held):
            names = dict.fromkeys(name for value in held for name in value)
            columns[field.name] = {
                name: _end_to_end([value.get(name) for value in held], lengths) for name in names
            }
        else:
            columns[field.name] = _end_to_end(held, lengths)
    return replace(parts[0], **columns)


def _together(counts: list[int | None], lengths: list[int]) -> int | None:
    """The rows that the parts stand for; None where all of them are here."""
    if all(count is None for count in counts):
        return None
    pairs = zip(counts, lengths, strict=True)
    return sum(length if count is None else count for count, length in pairs)


def _each_column(rows: Rows, change: Callable[[Any], Any]) -> Rows:
    changed: dict[str, Any] = {}
    for field in fields(rows):
        held = getattr(rows, field.name)
        if isinstance(held, dict):
            changed[field.name] = {name: change(column) for name, column in held.items()}
        elif held is not None and field.name != "stands_for":
            changed[field.name] = change(held)
    if isinstance(rows, Predictions) and rows.stands_for is not None:
        share = len(changed["timestamps"]) / max(len(rows), 1)
        changed["stands_for"] = round(rows.stands_for * share)
    return replace(rows, **changed)


def _end_to_end(columns: list[Any], lengths: list[int]) -> Any:
    known = next((column for column in columns if column is not None), None)
    if known is None:
        return None
    if isinstance(known, np.ndarray):
        missing = None if known.dtype == object else np.nan
        filled = [
            np.full(length, missing) if column is None else column
            for column, length in zip(columns, lengths, strict=True)
        ]
        return np.concatenate(filled)
    return [
        value
        for column, length in zip(columns, lengths, strict=True)
        for value in ([None] * length if column is None else column)
    ]
