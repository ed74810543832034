"""The triggers of pipelines and agents, from their metric series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import wilson
from agentops_graph.detection.rise import CLEAR_RISE, rise_since, said_since
from agentops_graph.detection.season import seasonal_range
from agentops_graph.domain.alert import AlertType, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.component import Thresholds
    from agentops_graph.domain.frames import Floats, Series

STEADY_WINDOWS = 3  # earlier windows that make an expectation
MIN_POINTS = 3  # one slow minute is not an alert
QUIET_SHARE = 0.25  # of a limit; under it a rise is not worth a page
SEASONAL = ("latency_p95", "error_rate", "cost_per_request")


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


@dataclass(frozen=True)
class Limit:
    """One limit of an agent's metric, and how its window is summed up to one number."""

    column: str
    alert_type: AlertType
    severity: Severity
    threshold: Callable[[Thresholds], float]
    reading: Callable[[Floats, Floats], float]  # values and requests of the window
    wording: str
    is_share: bool = False


def _median(values: Floats, _requests: Floats) -> float:
    return float(np.median(values))


def _per_request(values: Floats, requests: Floats) -> float:
    return float(np.average(values, weights=requests if requests.sum() > 0 else None))


def _lately(values: Floats, _requests: Floats) -> float:
    """Memory that was freed is no problem: the median of the last third."""
    return float(np.median(values[-max(1, len(values) // 3) :]))


def _longest(values: Floats, _requests: Floats) -> float:
    return float(values.max())


AGENT_LIMITS = (
    Limit(
        "latency_p95",
        "latency",
        "warning",
        lambda t: t.agent_latency_p95_ms,
        _median,
        "Agent latency p95 {value:.0f} ms, limit {limit:.0f} ms",
    ),
    Limit(
        "error_rate",
        "provider_outage",
        "critical",
        lambda t: t.agent_error_rate,
        _per_request,
        "Agent error rate {value:.1%}, limit {limit:.0%}",
        is_share=True,
    ),
    Limit(
        "cost_per_request",
        "cost_spike",
        "warning",
        lambda t: t.agent_cost_per_request,
        _per_request,
        "Cost per request ${value:.3f}, limit ${limit:.2f}",
    ),
    Limit(
        "memory_mb",
        "memory_bloat",
        "warning",
        lambda t: t.memory_mb,
        _lately,
        "Memory {value:.0f} MB, limit {limit:.0f} MB",
    ),
    Limit(
        "session_minutes",
        "convergence_stall",
        "warning",
        lambda t: t.session_minutes,
        _longest,
        "A session runs for {value:.0f} minutes, limit {limit:.0f}",
    ),
    Limit(
        "policy_false_positive_rate",
        "policy_false_positives",
        "warning",
        lambda t: t.policy_false_positive_rate,
        _per_request,
        "Policy false positives {value:.1%}, limit {limit:.0%}",
        is_share=True,
    ),
)


def agent_reading(limit: Limit, series: Series) -> float | None:
    """The window's one number for a limit; None while too few points carry it."""
    values = series.columns[limit.column]
    known = np.isfinite(values)
    needed = 1 if limit.column == "session_minutes" else MIN_POINTS
    if known.sum() < needed:
        return None
    requests = np.nan_to_num(series.columns["requests"][known])
    return limit.reading(values[known], requests)


def agent_limit(
    window: Window, limit: Limit, series: Series, *, baseline: float | None, onset: float | None
) -> Finding | None:
    """A limit that the window crosses; a share must cross it beyond the noise of its requests."""
    value, allowed = agent_reading(limit, series), limit.threshold(window.component.thresholds)
    if value is None or value <= allowed:
        return None
    requests = float(np.nansum(series.columns["requests"]))
    if limit.is_share and requests > 0 and wilson(min(value, 1.0), requests)[0] <= allowed:
        return None
    return window.finding(
        limit.alert_type,
        limit.severity,
        limit.column,
        value,
        allowed,
        limit.wording.format(value=value, limit=allowed),
        baseline=baseline,
        onset=onset,
        rows=int(requests),
    )


def agent_rise(window: Window, limit: Limit, series: Series) -> Finding | None:
    """Under its limit, but far over what is usual at this time of day; `series` ends with the
    window and begins days before. Only latency, errors and cost are judged so, and only from a
    quarter of the limit on: three times next to nothing wakes nobody."""
    values, start = series.columns[limit.column], window.start.timestamp()
    allowed = limit.threshold(window.component.thresholds)
    found = rise_since(series.timestamps, values, start)
    if found is None or not QUIET_SHARE * allowed < found.level <= allowed:
        return None
    lately = series.timestamps >= start
    requests = float(np.nansum(series.columns["requests"][lately]))
    if limit.is_share and wilson(min(found.level, 1.0), requests)[0] <= found.expected:
        return None
    said = limit.wording.format(value=found.level, limit=allowed)
    return window.finding(
        limit.alert_type,
        "warning",
        limit.column,
        found.level,
        CLEAR_RISE * found.expected,
        f"{said}, usual at this time {found.expected:.3g}{said_since(found.onset)}",
        baseline=found.expected,
        onset=None if found.onset is None else found.onset.at,
        rows=int(requests),
    )


def spend(window: Window, total: float, usual: tuple[float, float] | None) -> Finding | None:
    """The window cost more than twice (as set) what a busy window usually costs."""
    allowed = window.component.thresholds.cost_ratio
    if usual is None or usual[1] <= 0 or total <= allowed * usual[1]:
        return None
    summary = f"Cost of the window ${total:.2f}, usually up to ${usual[1]:.2f}"
    return window.finding(
        "cost_spike",
        "warning",
        "total_cost",
        total,
        allowed * usual[1],
        summary,
        baseline=usual[1],
    )
