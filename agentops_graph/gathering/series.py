"""Metric series of a window and of the time before it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.changepoint import onset_of
from agentops_graph.domain.frames import Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.frames import Floats, SeriesTable
    from agentops_graph.ports import Warehouse

HISTORY = timedelta(hours=24)  # a day, so that night and day are both in what is usual
SEASON = timedelta(days=14)  # two weekends; a feed has few batches, so it is always read


def before_and_now(
    warehouse: Warehouse, table: SeriesTable, window: Window, back: timedelta = HISTORY
) -> tuple[Series, Series]:
    """The window's rows and those of the time before it, in one read."""
    both = warehouse.series(table, window.component.name, window.start - back, window.end)
    inside = both.timestamps >= window.start.timestamp()
    return part_of(both, inside), part_of(both, ~inside)


def part_of(series: Series, rows: NDArray[np.bool_]) -> Series:
    """The chosen rows."""
    return Series(series.timestamps[rows], {n: v[rows] for n, v in series.columns.items()})


def joined(earlier: Series, now: Series) -> Series:
    """Both, one after the other."""
    if not len(earlier):
        return now
    columns = {n: np.concatenate([earlier.columns[n], v]) for n, v in now.columns.items()}
    return Series(np.concatenate([earlier.timestamps, now.timestamps]), columns)


def onset_in(earlier: Series, now: Series, measured: Callable[[Series], Floats]) -> float | None:
    """When the measure changed, with the time before as the level it left."""
    times, values = now.timestamps, measured(now)
    if len(earlier):
        times = np.concatenate([earlier.timestamps, times])
        values = np.concatenate([measured(earlier), values])
    onset = onset_of(times, values)
    return None if onset is None else onset.at


def column(name: str) -> Callable[[Series], Floats]:
    """Reads that measure of a series."""
    return lambda series: series.columns[name]
