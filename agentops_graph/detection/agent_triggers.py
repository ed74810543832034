"""The triggers of agents, from their metric series: limits, outages, leaks, rises and spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.clustered import Z_ALARM, mean_floor, share_of
from agentops_graph.detection.leak import leak_of
from agentops_graph.detection.rise import CLEAR_RISE, rise_since, said_since
from agentops_graph.detection.usual_share import usual_share
from agentops_graph.domain.alert import AlertType, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.component import Thresholds
    from agentops_graph.domain.frames import Floats, Series

MIN_POINTS = 3  # one slow minute is not an alert
QUIET_SHARE = 0.25  # of a limit; under it a rise is not worth a page
SEASONAL = ("latency_p95", "error_rate", "cost_per_request")
Z_RISE = 4.0  # one-sided 0.003%: what is within its limit has to be surer, at 720 looks a month
DOWN = 0.5  # of the requests of each of the last rows fail: whatever the hour's share, it is down
FEWEST_DOWN = 20  # requests


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
    is_mean: bool = False


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
        is_mean=True,
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
    """A limit that the window crosses; a share or a mean must cross it beyond its noise."""
    value, allowed = agent_reading(limit, series), limit.threshold(window.component.thresholds)
    if value is None or value <= allowed:
        return None
    everything = np.ones(len(series), dtype=bool)
    if (limit.is_share or limit.is_mean) and surely(series, limit, everything) <= allowed:
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
        rows=int(np.nansum(series.columns["requests"])),
    )


def surely(series: Series, limit: Limit, rows: np.ndarray, z: float = Z_ALARM) -> float:
    """What a share or a mean over those rows certainly exceeds."""
    values = series.columns[limit.column]
    rows = rows & np.isfinite(values)
    values, requests = values[rows], np.nan_to_num(series.columns["requests"][rows])
    if limit.is_mean:
        return mean_floor(values, requests)
    hits = values * requests if requests.sum() > 0 else values
    return share_of(hits, requests, z)[1]


def outage_now(window: Window, times: Floats, failed: Floats, requests: Floats) -> Finding | None:
    """Everything fails since a few rows: of each of the last ones at least half, and of no fewer
    than 20 requests. Minutes of it don't yet show in the share of an hour."""
    known = np.isfinite(failed) & (requests > 0)
    times, failed, requests = times[known], failed[known], requests[known]
    healthy = np.flatnonzero(failed < DOWN * requests)
    first = int(healthy[-1]) + 1 if len(healthy) else 0
    count = float(requests[first:].sum())
    if len(times) - first < MIN_POINTS or count < FEWEST_DOWN:
        return None
    allowed = window.component.thresholds.agent_error_rate
    share = float(failed[first:].sum()) / count
    minutes = max(1, round((window.end.timestamp() - float(times[first])) / 60))
    summary = f"Agent error rate {share:.0%} in the last {minutes} min, limit {allowed:.0%}"
    return window.finding(
        "provider_outage",
        "critical",
        "error_rate",
        share,
        allowed,
        summary,
        onset=float(times[first]),
        rows=int(count),
    )


def leaking(window: Window, series: Series) -> Finding | None:
    """Memory under its limit that will reach it soon; `series` ends with the window and may begin
    days before."""
    limits, memory = window.component.thresholds, series.columns["memory_mb"]
    found = leak_of(series.timestamps, memory, limits.memory_mb, limits.leak_hours)
    if found is None:
        return None
    return window.finding(
        "memory_bloat",
        "warning",
        "memory_mb",
        found.level,
        limits.memory_mb,
        f"Memory {found.level:.0f} MB grows by {found.growth:.0f} MB an hour and will reach the "
        f"limit of {limits.memory_mb:.0f} MB in {found.hours:.1f} h "
        f"({found.soonest:.1f} to {found.latest:.1f})",
        onset=found.since,
        figures={"memory_growth_mb_per_hour": found.growth, "hours_to_limit": found.hours},
    )


def token_rise(window: Window, series: Series) -> Finding | None:
    """Tokens per request far over what is usual at this time of day, where no cost is logged that
    would say the same in dollars; `series` ends with the window and begins days before."""
    lately = series.timestamps >= window.start.timestamp()
    if np.nansum(series.columns["cost_per_request"][lately]) > 0:
        return None
    start, values = window.start.timestamp(), series.columns["tokens_per_request"]
    found = rise_since(series.timestamps, values, start)
    if found is None:
        return None
    return window.finding(
        "cost_spike",
        "warning",
        "tokens_per_request",
        found.level,
        CLEAR_RISE * found.expected,
        f"{found.level:.0f} tokens per request, usual at this time {found.expected:.0f}"
        f"{said_since(found.onset)}",
        baseline=found.expected,
        onset=None if found.onset is None else found.onset.at,
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
    usual = found.expected
    if limit.is_share:
        asked = np.nan_to_num(series.columns["requests"])
        usual = max(usual, usual_share(series.timestamps, values * asked, asked, start))
        if surely(series, limit, lately, Z_RISE) <= usual:
            return None
    said = limit.wording.format(value=found.level, limit=allowed)
    return window.finding(
        limit.alert_type,
        "warning",
        limit.column,
        found.level,
        CLEAR_RISE * usual,
        f"{said}, usual at this time {usual:.3g}{said_since(found.onset)}",
        baseline=usual,
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
