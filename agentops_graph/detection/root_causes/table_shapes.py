"""Finds the times in a table of a file, and turns one row per value into one series per metric."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from agentops_graph.detection.root_causes.panel import is_time, numbers
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from agentops_graph.detection.root_causes.panel import Frame

OPTION = "name it with --time-column"
LOOKED_AT = 1000  # rows that tell whether a column of text holds times
MOST_NAMED = 8


def frame_of(table: pd.DataFrame, file: str, time_column: str | None = None) -> Frame:
    """A table as `rank_root_causes` takes it. Raises InputError without rows or clear times."""
    if not len(table):
        raise InputError("has no rows", field=file)
    clock = _clock(table, file, time_column)
    if numbers(table[clock], is_clock=True) is None:
        shown = str(table[clock].iloc[0])[:40]
        problem = f"column {clock!r} holds no times: {shown!r}; write 2026-02-28T14:05:00Z"
        raise InputError(problem, field=file)
    by_word = {str(name).strip().lower(): name for name in table.columns if name != clock}
    if _is_long(table, by_word):
        return _by_series(table, clock, by_word)
    rest = [n for n in table.columns if n != clock and not _is_clock(table, n)]
    return table[[clock, *rest]].rename(columns={clock: "time"})


def suggestion(word: str, known: Collection[str]) -> str:
    """`; did you mean ...?`, or else which names there are."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    left = len(known) - MOST_NAMED
    more = f" and {left} more" if left > 0 else ""
    return f"; known are {', '.join(sorted(known)[:MOST_NAMED])}{more}"


def _clock(table: pd.DataFrame, file: str, asked: str | None) -> Any:
    columns = {str(name): name for name in table.columns}
    if asked is not None:
        if asked not in columns:
            raise InputError(f"has no column {asked!r}{suggestion(asked, columns)}", field=file)
        return columns[asked]
    called = [name for name in table.columns if is_time(name)]
    found = called[:1] or [name for name in table.columns if _holds_times(table[name])]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(map(str, found[:MOST_NAMED]))
        raise InputError(f"columns {several} all hold times; {OPTION}", field=file)
    raise InputError(f"no column is called `time` or holds dates; {OPTION}", field=file)


def _is_clock(table: pd.DataFrame, name: Any) -> bool:
    return is_time(name) or table[name].dtype.kind == "M"


def _holds_times(column: pd.Series) -> bool:
    """Dates, or text that is dates throughout; numbers may be anything."""
    import pandas as pd

    if column.dtype.kind == "M":
        return True
    given = column.dropna().head(LOOKED_AT)
    if not len(given) or not all(isinstance(value, str) for value in given):
        return False
    if pd.to_numeric(given, errors="coerce").notna().any():
        return False
    return bool(pd.to_datetime(given, errors="coerce", utc=True, format="ISO8601").notna().all())


def _is_long(table: pd.DataFrame, by_word: dict[str, Any]) -> bool:
    """One row per value: a column `metric` of names beside a column `value`."""
    if not {"metric", "value"} <= set(by_word) or len(by_word) > 3:
        return False
    if len(by_word) == 3 and "component" not in by_word:
        return False
    names = table[by_word["metric"]].dropna()
    return len(names) > 0 and all(isinstance(name, str) for name in names.head(LOOKED_AT))


def _by_series(table: pd.DataFrame, clock: Any, by_word: dict[str, Any]) -> Frame:
    keys = [by_word[word] for word in ("component", "metric") if word in by_word]
    times = numbers(table[clock], is_clock=True)
    values = numbers(table[by_word["value"]])
    if times is None or values is None:
        raise InputError("the column `value` holds no numbers", field="value")
    places = table.groupby(keys, sort=False).indices
    return {
        tuple(map(str, name)) if isinstance(name, tuple) else name: (times[rows], values[rows])
        for name, rows in places.items()
    }
