"""Between rows and arrays: names, labels and numbers."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentops_graph.domain.classes import class_code

Floats = NDArray[np.float64]
PLAIN = frozenset({float, int, bool, type(None)})

LARGEST = 1e75  # whose fourth power, which a spread needs, is still finite


def numbers(values: Iterable[Any]) -> Floats:
    """Floats with NaN for what is missing; a class name becomes a number that stays the same."""
    listed = list(values)
    try:
        return sane(np.array(listed, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        return sane(np.array([class_code(value) for value in listed], dtype=np.float64))


def named(column: Iterable[Any]) -> list[str] | None:
    """Names with "" for none; None when no row has one, as in most logs."""
    found = names(column)
    return found if any(found) else None


def names(column: Iterable[Any]) -> list[str]:
    """Names, each held once however often it stands; "" for none."""
    return [sys.intern(str(name or "")) for name in column]


def joined_names(parts: Sequence[tuple[list[str] | None, int]]) -> list[str] | None:
    """The names of parts of so many rows, one after another; None when no part has any."""
    if all(held is None for held, _ in parts):
        return None
    return [name for held, count in parts for name in (held or [""] * count)]


def joined(parts: list[Floats]) -> Floats:
    """The parts one after another; a single one as it is."""
    if not parts:
        return np.empty(0, dtype=np.float64)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def joined_features(parts: list[dict[str, Floats]], rows: Sequence[int]) -> dict[str, Floats]:
    """One array per feature that any part has, NaN where a part lacks it; `rows` are the lengths
    of the parts."""
    names = dict.fromkeys(name for part in parts for name in part)
    missing = [np.broadcast_to(np.float64("nan"), (count,)) for count in rows]
    return {
        name: joined([part.get(name, nan) for part, nan in zip(parts, missing, strict=True)])
        for name in names
    }


def measured(values: Iterable[Any]) -> Floats:
    """Floats with NaN for whatever is not a number, or is too large to be one."""
    listed = list(values)
    # Nearly every column is of one of these, and numpy turns them seven times as fast.
    plain = PLAIN.issuperset(map(type, listed))
    try:
        found = np.array(listed if plain else [_measured(value) for value in listed], dtype=float)
    except OverflowError:  # an integer of more than 308 digits
        found = np.array([_measured(value) for value in listed], dtype=np.float64)
    return sane(found)


def sane(values: Floats) -> Floats:
    """The same array; infinity, and what no measurement can be, is NaN."""
    values[~(np.abs(values) <= LARGEST)] = np.nan
    return values


def _measured(value: Any) -> float | None:
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else None
    if isinstance(value, float):
        return value
    if not isinstance(value, str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
