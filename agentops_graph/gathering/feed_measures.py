"""Measures pipelines and agents on their metric series."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import feed_triggers, triggers
from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.duplicates import loaded_twice, twins_of
from agentops_graph.detection.rise import suspected
from agentops_graph.detection.season import DAY_S, without_season
from agentops_graph.domain.frames import Series

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from numpy.typing import NDArray

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.frames import Floats, SeriesTable
    from agentops_graph.gathering.model_measures import Sheet
    from agentops_graph.ports import Warehouse

DUE_FROM = 12  # batches that tell how far apart they are
HISTORY = timedelta(hours=24)  # a day, so that night and day are both in what is usual
SEASON = timedelta(days=14)  # two weekends; a feed has few batches, so it is always read


def measure_pipeline(warehouse: Warehouse, window: Window, sheet: Sheet) -> None:
    """Violations and volume of a feed's batches."""
    now, season = _series(warehouse, "data_quality", window, SEASON)
    earlier = _from(season, window.start - HISTORY)
    sheet.readings["batches"] = float(len(now))
    usual = expected_records(window, season)
    records = float(np.nansum(now.columns["record_count"])) if len(now) else 0.0
    if usual is not None:
        sheet.readings["volume_ratio"] = triggers.volume_ratio(records, usual)
        if triggers.volume(window, records, usual):
            onset = volume_onset(season, now)
            _keep(sheet, triggers.volume(window, records, usual, unit="records", onset=onset))
    if not len(now):
        sheet.notes.append("no batch in the window")
        return
    sheet.readings["records"] = records
    sheet.readings["quality_violations"] = feed_triggers.violation_rate(now)
    sheet.readings["null_rate"] = float(np.nan_to_num(now.columns["null_rate"]).max())
    twins, ratio = twins_of(now, season), sheet.readings.get("volume_ratio", 1.0)
    _keep(sheet, loaded_twice(window, twins, ratio))
    onset = _onset(earlier, now, feed_triggers.violation_rates)
    _keep(sheet, feed_triggers.quality(window, now, onset))


def volume_onset(earlier: Series, now: Series) -> float | None:
    """When a feed's records left what is usual at this time of day; for an empty window, when its
    next batch was due. In logarithms, because day and night differ by a factor."""
    if not len(now):
        if len(earlier) < DUE_FROM:
            return None
        return float(earlier.timestamps[-1] + np.median(np.diff(earlier.timestamps[-DUE_FROM:])))
    both = _joined(earlier, now)
    times, records = both.timestamps, np.log1p(np.nan_to_num(both.columns["record_count"]))
    if times[-1] - times[0] < HISTORY.total_seconds():
        return None
    onset = onset_of(times[times >= times[-1] - DAY_S], without_season(times, records))
    return None if onset is None else onset.at


def expected_records(window: Window, earlier: Series) -> tuple[float, float] | None:
    """Quiet and busy totals: as set, else learnt from the fortnight before; None while unknown."""
    per_hour = window.component.expected_rows_per_hour
    if per_hour is None:
        return feed_triggers.usual_totals(earlier, "record_count", window)
    if not len(earlier):
        return None  # the feed is as young as the window
    return per_hour * window.hours, per_hour * window.hours


def measure_agent(warehouse: Warehouse, window: Window, sheet: Sheet) -> None:
    """An agent's limits, and its spend against what is usual."""
    now, earlier = _series(warehouse, "agent_metrics", window)
    if not len(now):
        sheet.notes.append("no agent metrics in the window")
        return
    for limit in feed_triggers.AGENT_LIMITS:
        value = feed_triggers.agent_reading(limit, now)
        if value is None:
            continue
        sheet.readings[limit.column] = value
        baseline = feed_triggers.agent_reading(limit, earlier) if len(earlier) else None
        onset = _onset(earlier, now, _column(limit.column))
        _keep(
            sheet,
            feed_triggers.agent_limit(window, limit, now, baseline=baseline, onset=onset),
        )
    total = float(np.nansum(now.columns["total_cost"]))
    sheet.readings["total_cost"] = total
    _keep(sheet, _spend(warehouse, window, total, earlier))
    _rises(warehouse, window, _joined(earlier, now), sheet)


def _rises(warehouse: Warehouse, window: Window, day: Series, sheet: Sheet) -> None:
    """Rises under the limits; the fortnight is read only when the last day makes one likely."""
    start = window.start.timestamp()
    over = {finding.metric for finding in sheet.findings}
    likely = [
        limit
        for limit in feed_triggers.AGENT_LIMITS
        if limit.column in feed_triggers.SEASONAL
        and limit.column not in over
        and suspected(day.timestamps, day.columns[limit.column], start)
    ]
    if not likely:
        return
    name = window.component.name
    season = warehouse.series("agent_metrics", name, window.start - SEASON, window.end)
    for limit in likely:
        _keep(sheet, feed_triggers.agent_rise(window, limit, season))


def _spend(warehouse: Warehouse, window: Window, total: float, earlier: Series) -> Finding | None:
    """Dear against the day before, and against this time of day in the fortnight before."""
    usual = feed_triggers.usual_totals(earlier, "total_cost", window)
    found = feed_triggers.spend(window, total, usual)
    if found is None:
        return None
    name = window.component.name
    season = warehouse.series("agent_metrics", name, window.start - SEASON, window.start)
    usual = feed_triggers.usual_totals(season, "total_cost", window)
    return feed_triggers.spend(window, total, usual)


def _series(
    warehouse: Warehouse, table: SeriesTable, window: Window, back: timedelta = HISTORY
) -> tuple[Series, Series]:
    """The window and the time before it, in one read."""
    both = warehouse.series(table, window.component.name, window.start - back, window.end)
    inside = both.timestamps >= window.start.timestamp()
    return _part(both, inside), _part(both, ~inside)


def _from(series: Series, start: datetime) -> Series:
    return _part(series, series.timestamps >= start.timestamp())


def _part(series: Series, rows: NDArray[np.bool_]) -> Series:
    return Series(series.timestamps[rows], {n: v[rows] for n, v in series.columns.items()})


def _joined(earlier: Series, now: Series) -> Series:
    if not len(earlier):
        return now
    columns = {n: np.concatenate([earlier.columns[n], v]) for n, v in now.columns.items()}
    return Series(np.concatenate([earlier.timestamps, now.timestamps]), columns)


def _onset(earlier: Series, now: Series, measured: Callable[[Series], Floats]) -> float | None:
    """When the measure changed, with the day before as the level it left."""
    times, values = now.timestamps, measured(now)
    if len(earlier):
        times = np.concatenate([earlier.timestamps, times])
        values = np.concatenate([measured(earlier), values])
    onset = onset_of(times, values)
    return None if onset is None else onset.at


def _column(name: str) -> Callable[[Series], Floats]:
    return lambda series: series.columns[name]


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)
