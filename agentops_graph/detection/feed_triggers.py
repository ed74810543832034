"""The triggers of pipelines, from their batches, and what is usual for any series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.season import seasonal_range

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.frames import Floats, Series

STEADY_WINDOWS = 3  # earlier windows that make an expectation


def violation_rates(batches: Series) -> Floats:
    """Per batch the worse of its share of violating records and its share of missing values."""
    records = np.maximum(np.nan_to_num(batches.columns["record_count"]), 1)
    violations = np.nan_to_num(batches.columns["schema_violations"]) / records
    return np.maximum(np.minimum(violations, 1), np.nan_to_num(batches.columns["null_rate"]))


def violation_rate(batches: Series) -> float:
    """`violation_rates` over all records; 0 without a record. A census, so it needs no interval."""
    records = np.nan_to_num(batches.columns["record_count"])
    if records.sum() <= 0:
        return 0.0
    return float(np.average(violation_rates(batches), weights=records))


def quality(window: Window, batches: Series, onset: float | None) -> Finding | None:
    """More than the allowed share of the window's records breaks the schema or is missing."""
    limit, rate = window.component.thresholds.quality_violations, violation_rate(batches)
    if rate <= limit:
        return None
    records = int(np.nansum(batches.columns["record_count"]))
    summary = f"Data quality violations in {rate:.1%} of {records} records, limit {limit:.0%}"
    return window.finding(
        "data_quality",
        "warning",
        "quality_violations",
        rate,
        limit,
        summary,
        onset=onset,
        rows=records,
    )


def usual_totals(earlier: Series, column: str, window: Window) -> tuple[float, float] | None:
    """The quiet and the busy total (10th and 90th percentile) of a column over earlier windows of
    the same length: those at this time of day from three days on, before that all of them, so
    that night and day are both usual. None while there are too few."""
    if not len(earlier):
        return None
    length = (window.end - window.start).total_seconds()
    back = np.floor((window.start.timestamp() - earlier.timestamps) / length).astype(np.int64)
    oldest = int(back.max())
    if oldest < STEADY_WINDOWS:
        return None
    # The oldest window is only partly covered.
    whole = (back >= 0) & (back < oldest)
    totals = np.bincount(
        back[whole], weights=np.nan_to_num(earlier.columns[column][whole]), minlength=oldest
    )
    seasonal = seasonal_range(np.asarray(totals, dtype=np.float64), length)
    if seasonal is not None:
        return seasonal
    quiet, busy = np.quantile(totals, [0.1, 0.9])
    return float(quiet), float(busy)
