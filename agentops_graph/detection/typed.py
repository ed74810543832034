"""The columns of a batch as the types that its contract says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.contract import ColumnType

    Mask = NDArray[np.bool_]

# How systems write "nothing"; compared without case and surrounding blanks.
NOTHING = frozenset({"", "na", "n/a", "nan", "null", "none", "nil", "<na>", "#n/a", "nat"})
YES = {"true": True, "false": False, "t": True, "f": False, "yes": True, "no": False} | {
    "y": True,
    "n": False,
    "1": True,
    "0": False,
}
SHOWN = 40  # characters of an example


@dataclass(frozen=True)
class Typed:
    """One column: numbers (times are seconds since the epoch), or texts by code.

    A missing or wrong cell is NaN, or has the code -1.
    """

    numbers: NDArray[np.float64]  # empty for text
    codes: NDArray[np.intp]  # empty for anything else
    texts: list[str]  # by code
    missing: Mask
    wrong: Mask  # neither missing nor of the type

    def among(self, right: NDArray[np.bool_]) -> Mask:
        """Per row, what `right` says of its text; False for a row without one."""
        return np.append(right, False)[self.codes]

    def counts(self) -> dict[str, int]:
        """How often each text stands in the column."""
        tally = np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))
        return dict(zip(self.texts, tally.tolist(), strict=True))


def typed(column: Any, dtype: ColumnType) -> Typed:
    """A pandas column as `dtype`; cells that are not of it are `wrong`, never an error."""
    from pandas.api import types  # noqa: PLC0415 - slow to import

    if types.is_bool_dtype(column.dtype):
        return _booleans(column) if dtype == "boolean" else _all_wrong(column)
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return _from_numbers(column, dtype)
    if types.is_datetime64_any_dtype(column.dtype):
        return _from_times(column) if dtype == "time" else _all_wrong(column)
    codes, texts, missing = as_texts(column)
    if dtype == "text":
        return Typed(np.empty(0), codes, texts, missing, np.zeros(len(codes), dtype=np.bool_))
    values = np.append(_parsed(texts, dtype), np.nan)[codes]
    return Typed(values, np.empty(0, dtype=np.intp), [], missing, ~missing & ~np.isfinite(values))


def as_texts(column: Any) -> tuple[NDArray[np.intp], list[str], Mask]:
    """Code of every row (-1 when missing), the text of every code, and which rows are missing."""
    from pandas import factorize  # noqa: PLC0415 - slow to import

    if column.dtype == object:
        # Lists and mappings from JSON have no hash, and 1 and "1" are one text.
        column = column.map(str, na_action="ignore")
    codes, texts = factorize(column)
    named = [str(text) for text in texts]
    void = np.array([text.strip().casefold() in NOTHING for text in named], dtype=np.bool_)
    missing = (codes < 0) | np.append(void, True)[codes]
    return np.where(missing, -1, codes), named, missing


def shown(value: object) -> str:
    """A value as an example: short, on one line, its blanks visible."""
    text = f"{value:g}" if isinstance(value, float) else repr(str(value))
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _parsed(texts: list[str], dtype: ColumnType) -> NDArray[np.float64]:
    import pandas as pd  # noqa: PLC0415 - slow to import

    if dtype == "boolean":
        return np.array([YES.get(t.strip().casefold(), np.nan) for t in texts], dtype=np.float64)
    column = pd.Series(texts, dtype=object)
    if dtype == "time":
        times = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
        return _seconds(times)
    values = np.array(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    if dtype == "integer":
        padded = np.array([has_padding(text) for text in texts], dtype=np.bool_)
        values[padded | (values != np.floor(values))] = np.nan
    values[~np.isfinite(values)] = np.nan
    return values


def has_padding(text: str) -> bool:
    """True for 007, which is no way to write a number."""
    digits = text.strip().lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def _from_numbers(column: Any, dtype: ColumnType) -> Typed:
    if dtype in ("text", "time"):
        return _all_wrong(column)
    missing = np.asarray(column.isna(), dtype=np.bool_)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    right = np.isfinite(values)
    if dtype == "integer":
        right &= values == np.floor(values)
    elif dtype == "boolean":
        right &= (values == 0) | (values == 1)
    wrong = ~missing & ~right
    if wrong.any():
        values = np.where(right, values, np.nan)
    return Typed(values, np.empty(0, dtype=np.intp), [], missing, wrong)


def _from_times(column: Any) -> Typed:
    missing = np.asarray(column.isna(), dtype=np.bool_)
    none = np.zeros(len(missing), dtype=np.bool_)
    return Typed(_seconds(column), np.empty(0, dtype=np.intp), [], missing, none)


def _seconds(times: Any) -> NDArray[np.float64]:
    if times.dt.tz is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    whole = times.to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(whole), np.nan, whole.astype(np.int64) / 1e6)


def _booleans(column: Any) -> Typed:
    missing = np.asarray(column.isna(), dtype=np.bool_)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    none = np.zeros(len(values), dtype=np.bool_)
    return Typed(values, np.empty(0, dtype=np.intp), [], missing, none)


def _all_wrong(column: Any) -> Typed:
    missing = np.asarray(column.isna(), dtype=np.bool_)
    gone = np.full(len(missing), np.nan)
    return Typed(gone, np.empty(0, dtype=np.intp), [], missing, ~missing)
