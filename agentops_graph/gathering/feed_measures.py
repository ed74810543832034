"""Measures pipelines on their batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import feed_triggers, triggers
from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.loaded_twice import loaded_twice, twins_of
from agentops_graph.detection.season import DAY_S, without_season
from agentops_graph.domain.frames import Series
from agentops_graph.gathering.batch_measures import named, unreadable
from agentops_graph.gathering.series import (
    HISTORY,
    SEASON,
    before_and_now,
    joined,
    onset_in,
    part_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.gathering.model_measures import Sheet
    from agentops_graph.ports import Warehouse

DUE_FROM = 12  # batches that tell how far apart they are


def measure_pipeline(warehouse: Warehouse, window: Window, sheet: Sheet) -> None:
    """Violations and volume of a feed's batches."""
    now, season = before_and_now(warehouse, "data_quality", window, SEASON)
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
    sheet.readings["duplicate_share"] = 0.0 if twins is None else twins.share
    _keep(sheet, loaded_twice(window, twins, ratio))
    onset = onset_in(earlier, now, feed_triggers.violation_rates)
    _keep(sheet, named(warehouse, window, feed_triggers.quality(window, now, onset)))
    _keep(sheet, unreadable(warehouse, window))


def volume_onset(earlier: Series, now: Series) -> float | None:
    """When a feed's records left what is usual at this time of day; for an empty window, when its
    next batch was due. In logarithms, because day and night differ by a factor."""
    if not len(now):
        if len(earlier) < DUE_FROM:
            return None
        return float(earlier.timestamps[-1] + np.median(np.diff(earlier.timestamps[-DUE_FROM:])))
    both = joined(earlier, now)
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


def _from(series: Series, start: datetime) -> Series:
    return part_of(series, series.timestamps >= start.timestamp())


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)
