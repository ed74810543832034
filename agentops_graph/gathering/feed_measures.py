"""Measures pipelines on their batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import feed_triggers, triggers
from agentops_graph.domain.frames import Series
from agentops_graph.gathering.batch_measures import named, unreadable
from agentops_graph.gathering.series import HISTORY, SEASON, before_and_now, onset_in

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.gathering.model_measures import Sheet
    from agentops_graph.ports import Warehouse


def measure_pipeline(warehouse: Warehouse, window: Window, sheet: Sheet) -> None:
    """Violations and volume of a feed's batches."""
    now, season = before_and_now(warehouse, "data_quality", window, SEASON)
    earlier = _from(season, window.start - HISTORY)
    sheet.readings["batches"] = float(len(now))
    usual = expected_records(window, season)
    records = float(np.nansum(now.columns["record_count"])) if len(now) else 0.0
    if usual is not None:
        sheet.readings["volume_ratio"] = triggers.volume_ratio(records, usual)
        _keep(sheet, triggers.volume(window, records, usual, unit="records"))
    if not len(now):
        sheet.notes.append("no batch in the window")
        return
    sheet.readings["records"] = records
    sheet.readings["quality_violations"] = feed_triggers.violation_rate(now)
    sheet.readings["null_rate"] = float(np.nan_to_num(now.columns["null_rate"]).max())
    onset = onset_in(earlier, now, feed_triggers.violation_rates)
    _keep(sheet, named(warehouse, window, feed_triggers.quality(window, now, onset)))
    _keep(sheet, unreadable(warehouse, window))


def expected_records(window: Window, earlier: Series) -> tuple[float, float] | None:
    """Quiet and busy totals: as set, else learnt from the fortnight before; None while unknown."""
    per_hour = window.component.expected_rows_per_hour
    if per_hour is None:
        return feed_triggers.usual_totals(earlier, "record_count", window)
    if not len(earlier):
        return None  # the feed is as young as the window
    return per_hour * window.hours, per_hour * window.hours


def _from(series: Series, start: datetime) -> Series:
    late = series.timestamps >= start.timestamp()
    return Series(series.timestamps[late], {n: v[late] for n, v in series.columns.items()})


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)
