"""What each column of a row may hold: a column goes in, what is stored and what is wrong comes out.

Columns are checked whole. Of values that come again and again each is looked at once.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from pydantic_core import from_json, to_json

from agentops_graph.adapters.sqlite_warehouse.values import (
    Checked,
    Faults,
    WrongError,
    each,
    is_nothing,
    told,
)
from agentops_graph.domain.record import storable
from agentops_graph.domain.rows import ABSENT
from agentops_graph.warehouse.columns import LARGEST

LONGEST_NAME = 200


def figures(name: str, values: Sequence[Any]) -> Checked:
    """Finite numbers, and None for what is missing."""
    quick = _quick_figures(values)
    if quick is not None:
        return quick, {}
    return each(name, values, _figure)


def _quick_figures(values: Sequence[Any]) -> list[Any] | None:
    kinds = set(map(type, values))
    if kinds == {str}:
        if "_" in "".join(values):  # Python's own way to group digits
            return None
        values = [value or "nan" for value in values]
    elif not kinds <= {int, float, type(None)}:
        return None
    try:
        found = np.array(values, dtype=np.float64)
    except (ValueError, OverflowError):
        return None
    stored: list[Any] = found.tolist()
    lost = ~(np.abs(found) <= LARGEST)
    if (lost & ~np.isnan(found)).any():
        return None
    for place in np.flatnonzero(lost).tolist():
        stored[place] = None
    return stored


def _figure(value: Any) -> float | int | None:
    if is_nothing(value):
        return None
    try:
        number = _number(value)
    except (ValueError, TypeError):
        raise WrongError("is no number") from None
    return _finite_one(number)


def _finite_one(number: float | int) -> float | int:
    if not math.isfinite(number):
        raise WrongError("is not finite")
    if abs(number) > LARGEST:
        raise WrongError("is larger than any measurement")
    return number


def _number(value: Any) -> float | int:
    if isinstance(value, int):  # SQLite has no room for long ones
        return float(value) if abs(value) <= LARGEST else math.inf
    if isinstance(value, str) and "_" in value:
        raise ValueError
    if isinstance(value, str | float | Decimal | np.number):
        return float(value)
    raise TypeError


def wholes(name: str, values: Sequence[Any]) -> Checked:
    """Whole numbers that SQLite can hold, and None for what is missing."""
    return each(name, values, _whole)


def _whole(value: Any) -> int | None:
    text = value.strip().casefold() if isinstance(value, str) else None
    if text in ("true", "false"):
        return int(text == "true")
    number = _figure(value)
    if number is None:
        return None
    if number != int(number):
        raise WrongError("is no whole number")
    if abs(number) >= 1 << 63:
        raise WrongError("is larger than any count")
    return int(number)


def classes(name: str, values: Sequence[Any]) -> Checked:
    """Numbers, or the names of classes; None for what is missing."""
    return each(name, values, _class)


def needed_classes(name: str, values: Sequence[Any]) -> Checked:
    """The same, and none may be missing."""
    return each(name, values, _needed_class)


def _needed_class(value: Any) -> Any:
    found = _class(value)
    if found is None:
        raise WrongError("is missing")
    return found


def _class(value: Any) -> Any:
    if not isinstance(value, str):
        return _figure(value)
    text = value.strip()
    if not text or text.casefold() == "nan":
        return None
    try:
        return _finite_one(_number(text))
    except ValueError as error:
        if isinstance(error, WrongError):
            raise
        return _name(text)


def names(name: str, values: Sequence[Any]) -> Checked:
    """Short texts that name something."""
    return each(name, values, _needed)


def labels(name: str, values: Sequence[Any]) -> Checked:
    """The same, and None for what is missing."""
    return each(name, values, lambda value: None if _is_empty(value) else _name(value))


def texts(name: str, values: Sequence[Any]) -> Checked:
    """Texts of any length, and None for what is missing."""
    return each(name, values, _text)


def _needed(value: Any) -> str:
    if value is None or value is ABSENT or (isinstance(value, str) and not value.strip()):
        raise WrongError("is missing")
    return _name(value)


def _name(value: Any) -> str:
    if isinstance(value, bool | Mapping | list | tuple | bytes):
        raise WrongError("is no name")
    text = _storable(str(value).strip())
    if len(text) > LONGEST_NAME:
        raise WrongError(f"is longer than {LONGEST_NAME} characters")
    return text


def _text(value: Any) -> str | None:
    if _is_empty(value):
        return None
    if isinstance(value, Mapping | list | tuple):
        value = to_json(value, inf_nan_mode="null", fallback=str).decode()
    return _storable(value if isinstance(value, str) else str(value))


def _is_empty(value: Any) -> bool:
    """Parquet says NaN where a column of texts was read as one of numbers."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _storable(text: str) -> str:
    try:
        return storable(text)
    except ValueError as error:
        raise WrongError(str(error)) from None


def features(name: str, values: Sequence[Any]) -> Checked:
    """JSON objects as text; what is not finite in them is null."""
    stored: list[Any] = []
    faults: Faults = {}
    for place, value in enumerate(values):
        try:
            stored.append(_object(value))
        except ValueError as error:
            stored.append(None)
            faults[place] = told(name, error, value)
    return stored, faults


def _object(value: Any) -> str:
    if isinstance(value, Mapping):
        return _storable(to_json(value, inf_nan_mode="null", fallback=str).decode())
    if not isinstance(value, str) or not value.strip():
        missing = value is None or value is ABSENT or isinstance(value, str)
        raise WrongError("is missing; a row without any has {}" if missing else "is no JSON object")
    try:
        found = from_json(value, allow_inf_nan=False)
    except ValueError:
        return _finite(value)
    if not isinstance(found, dict):
        raise WrongError("is no JSON object")
    return value if value.isprintable() else _storable(to_json(found).decode())


def _finite(text: str) -> str:
    try:
        found = from_json(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise WrongError("is no JSON object")
    return to_json(found, inf_nan_mode="null").decode()
