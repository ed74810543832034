"""Reads a frame of time series, in any of the usual shapes, into series of known components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from agentops_graph.detection.root_causes.names import Pair, pair_of
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    import pandas as pd

    from agentops_graph.domain.frames import Floats

TIME_NAMES = ("time", "timestamp", "ts", "datetime", "date", "unix_timestamp", "epoch", "at")
MOST_SERIES = 20_000
MOST_ROWS = 1_000_000

Moment = float | int | str | datetime | np.datetime64
Frame = Any  # a pandas DataFrame, or a mapping as `read_panel` describes


@dataclass(frozen=True)
class Track:
    """One metric of one component; times ascend, and every value is finite."""

    component: str
    metric: str
    column: str
    times: Floats
    values: Floats


def read_panel(frame: Frame, columns: Mapping[Any, Pair] | None = None) -> list[Track]:
    """The series of a frame.

    A DataFrame has its times in a column named like one (`time`, `timestamp`, ...) or in its
    index. A mapping holds arrays of one length, the times among them under such a name, or per
    name a pair (times, values). `columns` says which component and metric a column is; the others
    are read from their names. Text, booleans and other things that are no numbers are left out,
    as are rows without a time; of rows with the same time the last one counts. A series that is
    all missing stays, empty, so that its component is still ranked.
    """
    named = dict(columns or {})
    tracks = []
    for column, times, values in _columns_of(frame):
        component, metric = named.get(column) or pair_of(column)
        kept_times, kept = _in_order(times, values)
        label = "_".join(map(str, column)) if isinstance(column, tuple) else str(column)
        tracks.append(Track(component, metric, label, kept_times, kept))
    if not tracks:
        raise InputError(
            "the frame holds no numeric series beside its times", field="rank_root_causes"
        )
    return tracks


def seconds_of(moment: Moment) -> float:
    """A moment as a number: seconds since the epoch of a date (without a zone it is UTC), a
    number as it is."""
    if isinstance(moment, str):
        return _spelled(moment)
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.timestamp()
    if isinstance(moment, np.datetime64):
        return float(moment.astype("datetime64[us]").astype(np.int64)) / 1e6
    number = float(moment)
    if not np.isfinite(number):
        raise InputError("has to be a moment, not a missing number", field="onset")
    return number


def _spelled(text: str) -> float:
    try:
        return seconds_of(float(text))
    except ValueError:
        pass
    try:
        return seconds_of(datetime.fromisoformat(text.strip()))
    except ValueError:
        raise InputError(
            f"{text[:40]!r} is no time; write 2026-02-28T14:05:00Z or seconds", field="onset"
        ) from None


def _columns_of(frame: Frame) -> Iterator[tuple[Hashable, Floats, Floats]]:
    if _is_table(frame):
        yield from _of_table(frame)
    elif isinstance(frame, Mapping):
        yield from _of_mapping(frame)
    else:
        raise InputError(
            f"a {type(frame).__name__} is no frame; give a DataFrame or a mapping of arrays",
            field="rank_root_causes",
        )


def _is_table(frame: Frame) -> TypeGuard[pd.DataFrame]:
    return hasattr(frame, "columns") and hasattr(frame, "index")


def _of_table(frame: pd.DataFrame) -> Iterator[tuple[Hashable, Floats, Floats]]:
    _bounded(len(frame.columns), len(frame))
    places = range(len(frame.columns))
    clock = next((at for at in places if is_time(frame.columns[at])), None)
    times = numbers(frame.index if clock is None else frame.iloc[:, clock], is_clock=True)
    if times is None:
        raise InputError("neither a column `time` nor the index holds times", field="time")
    for at in places:
        values = None if at == clock else numbers(frame.iloc[:, at])
        if values is not None:
            yield frame.columns[at], times, values


def _of_mapping(frame: Mapping[Any, Any]) -> Iterator[tuple[Hashable, Floats, Floats]]:
    clock = next((name for name in frame if is_time(name)), None)
    shared = None if clock is None else numbers(frame[clock], is_clock=True)
    _bounded(len(frame), max((np.size(column) for column in frame.values()), default=0))
    for name, column in frame.items():
        if name == clock:
            continue
        times, values = shared, numbers(column) if shared is not None else None
        if shared is None:
            if not isinstance(column, tuple) or len(column) != 2:
                raise InputError("needs `time`, or a pair (times, values) each", field=str(name))
            times, values = numbers(column[0], is_clock=True), numbers(column[1])
        if times is None or values is None:
            continue
        if len(times) != len(values):
            raise InputError(f"{len(values)} values for {len(times)} times", field=str(name))
        yield name, times, values


def _bounded(series: int, rows: int) -> None:
    if series > MOST_SERIES or rows > MOST_ROWS:
        raise InputError(
            f"{series} series of {rows} rows are too many; at most {MOST_SERIES} of {MOST_ROWS}",
            field="rank_root_causes",
        )


def is_time(name: Hashable) -> bool:
    """Whether a column is called as one of times is."""
    parts = name if isinstance(name, tuple) else (name,)
    return str(parts[0]).strip().lower() in TIME_NAMES and not any(map(str, parts[1:]))


def numbers(column: Any, *, is_clock: bool = False) -> Floats | None:
    """The column as numbers, dates as seconds; None when it is neither."""
    if getattr(getattr(column, "dtype", None), "tz", None) is not None:
        column = np.asarray(column, dtype="datetime64[us]")
    array = np.asarray(column)
    if array.dtype.kind == "M":
        return _seconds(array)
    if array.dtype.kind in "iuf":
        return np.asarray(array, dtype=np.float64)
    if array.dtype.kind not in "OUST" or not array.size:
        return None
    return _of_text(array.ravel(), is_clock=is_clock)


def _of_text(array: Any, *, is_clock: bool) -> Floats | None:
    """Text and mixed things: numbers where at least half of what is given is one, or dates."""
    import pandas as pd

    if is_clock and isinstance(array[0], datetime | pd.Timestamp):
        array = array.astype(str)
    found = pd.to_numeric(pd.Series(array), errors="coerce").to_numpy(np.float64)
    if np.isfinite(found).any() or not is_clock:
        given = ~pd.isna(pd.Series(array)).to_numpy()
        return found if np.isfinite(found).sum() * 2 >= given.sum() else None
    dates = pd.to_datetime(pd.Series(array), errors="coerce", utc=True, format="ISO8601")
    return None if dates.isna().all() else _seconds(dates.dt.tz_convert(None).to_numpy())


def _seconds(dates: Any) -> Floats:
    whole = dates.astype("datetime64[us]")
    return np.where(np.isnat(whole), np.nan, whole.astype(np.int64) / 1e6)


def _in_order(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    keep = np.isfinite(times) & np.isfinite(values)
    times, values = times[keep], values[keep]
    if len(times) > 1 and not (np.diff(times) > 0).all():
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        last = np.append(np.diff(times) > 0, True)
        times, values = times[last], values[last]
    return times, values
