"""A model's p99 as another system measured it, where its own log says nothing of latency."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.changepoint import onset_of
from agentops_graph.errors import NotEnoughDataError

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.gathering.model_measures import Sheet
    from agentops_graph.ports import Warehouse

COLUMN = "latency_p99"
LEVEL_POINTS = 3  # one slow minute is not an alert
BACK = timedelta(hours=6)  # the level that was left


def measure_logged_latency(warehouse: Warehouse, window: Window, sheet: Sheet) -> None:
    """The median of the window's `latency_p99` in MODEL_METRICS, held against the limit."""
    name, limit = window.component.name, window.component.thresholds.latency_p99_ms
    try:
        series = warehouse.series("model_metrics", name, window.start - BACK, window.end)
    except NotEnoughDataError:
        return
    values = series.columns.get(COLUMN, np.full(len(series), np.nan))
    known = np.isfinite(values)
    times, values = series.timestamps[known], values[known]
    now = values[times >= window.start.timestamp()]
    if len(now) < LEVEL_POINTS:
        return
    sheet.readings[COLUMN] = float(np.median(now))
    if sheet.readings[COLUMN] <= limit:
        return
    onset = onset_of(times, np.log1p(np.maximum(values, 0)))
    found = window.finding(
        "latency",
        "warning",
        COLUMN,
        sheet.readings[COLUMN],
        limit,
        f"Prediction latency p99 {sheet.readings[COLUMN]:.0f} ms, limit {limit:.0f} ms",
        onset=None if onset is None else onset.at,
    )
    sheet.findings.append(found)
