"""The triggers of an agent's single requests: latency, errors, cost, wrong refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.agent_triggers import outage_now
from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.clustered import Z_ALARM, mean_floor
from agentops_graph.detection.intervals import percentile_floor, wilson
from agentops_graph.detection.providers import blame, by_minute

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.outputs import Calls

PERCENTILES = (50, 95, 99)
FEWEST_CALLS = 20  # under it neither a share nor a percentile says anything


def percentiles(latency_ms: Floats) -> dict[str, float]:
    """`latency_p50`, `latency_p95` and `latency_p99` of single requests; empty without any."""
    known = latency_ms[np.isfinite(latency_ms)]
    if not len(known):
        return {}
    values = np.percentile(known, PERCENTILES)
    return {f"latency_p{p}": float(v) for p, v in zip(PERCENTILES, values, strict=True)}


def latency(window: Window, calls: Calls) -> Finding | None:
    """p95 above its limit, and above it even at the lower end of the percentile's interval."""
    limit = window.component.thresholds.agent_latency_p95_ms
    known = calls.latency_ms[np.isfinite(calls.latency_ms)]
    floor = percentile_floor(known, 0.95)
    if floor is None or floor <= limit:
        return None
    seen = percentiles(known)
    onset = onset_of(calls.timestamps, np.log1p(np.maximum(calls.latency_ms, 0)))
    return window.finding(
        "latency",
        "warning",
        "latency_p95",
        seen["latency_p95"],
        limit,
        f"Agent latency p95 {seen['latency_p95']:.0f} ms, limit {limit:.0f} ms",
        onset=None if onset is None else onset.at,
        rows=len(known),
        figures={name: seen[name] for name in ("latency_p50", "latency_p99")},
    )


def errors(window: Window, calls: Calls) -> Finding | None:
    """More requests fail than allowed, beyond the noise of errors that come in bursts; or all have
    failed lately. Says whose fault it looks like. `calls` holds a request's last attempt only."""
    limit = window.component.thresholds.agent_error_rate
    everything = np.ones(len(calls), dtype=bool)
    value, low, _ = by_minute(calls, everything)
    now = outage_now(window, calls.timestamps, calls.failed, everything.astype(np.float64))
    if low <= limit and now is None:
        return None
    found = blame(calls)
    onset = onset_of(calls.timestamps, calls.failed)
    summary = f"Agent error rate {value:.1%}, limit {limit:.0%}"
    finding = (
        now
        if low <= limit and now is not None
        else window.finding(
            "provider_outage",
            "critical",
            "error_rate",
            value,
            limit,
            summary,
            onset=None if onset is None else onset.at,
            rows=len(calls),
        )
    )
    if found is None:
        return finding
    said = {"summary": f"{finding.summary}: {found.said}", "figures": found.figures}
    return finding.model_copy(update=said)


def cost(window: Window, calls: Calls) -> Finding | None:
    """The mean cost of a request is surely above its limit; one absurd request is not enough."""
    limit = window.component.thresholds.agent_cost_per_request
    known = np.isfinite(calls.cost)
    if int(known.sum()) < FEWEST_CALLS:
        return None
    costs = calls.cost[known]
    value = float(costs.mean())
    if mean_floor(costs, np.ones(len(costs))) <= limit:
        return None
    onset = onset_of(calls.timestamps[known], np.log1p(np.maximum(costs, 0)))
    return window.finding(
        "cost_spike",
        "warning",
        "cost_per_request",
        value,
        limit,
        f"Cost per request ${value:.3f}, limit ${limit:.2f}",
        onset=None if onset is None else onset.at,
        rows=len(costs),
    )


def wrong_refusals(window: Window, calls: Calls) -> Finding | None:
    """The share of reviewed refusals that were wrong is surely above its limit."""
    limit = window.component.thresholds.policy_false_positive_rate
    reviewed = calls.false_positive[np.isfinite(calls.false_positive)]
    if not len(reviewed):
        return None
    share = float(np.mean(reviewed > 0))
    low, high = wilson(share, len(reviewed), Z_ALARM)
    if low <= limit:
        return None
    return window.finding(
        "policy_false_positives",
        "warning",
        "policy_false_positive_rate",
        share,
        limit,
        f"Policy false positives {share:.1%} ({low:.1%} to {high:.1%}) of {len(reviewed)} "
        f"reviewed refusals, limit {limit:.0%}",
        rows=len(reviewed),
    )
