"""One look at a version of a text model during a health window, by its logged requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.call_triggers import percentiles
from agentops_graph.detection.performance import Estimate
from agentops_graph.detection.text_quality import quality, scores_of, settled
from agentops_graph.detection.text_scorers import SCORERS
from agentops_graph.domain.health import Look
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.call_measures import NO_CALLS, rows_of, sampled

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.domain.component import Component
    from agentops_graph.domain.outputs import Calls
    from agentops_graph.ports import Warehouse

LATENCY_ROWS = 100  # fewer have no 99th percentile


def has_spoken(warehouse: Warehouse, component: Component, since: datetime, now: datetime) -> bool:
    """Whether requests to it are logged in that time."""
    return len(_calls(warehouse, component, since, now)) > 0


def look_at_outputs(
    warehouse: Warehouse,
    component: Component,
    version: str,
    since: datetime,
    end: datetime,
    now: datetime,
) -> Look:
    """Requests to that version, the share that failed, mean latency and, on enough outputs, the
    primary metric; those from `end` to `now` are measured apart."""
    inside = _of_version(_calls(warehouse, component, since, end), version)
    after = _of_version(_calls(warehouse, component, end, now), version) if end < now else NO_CALLS
    return Look(
        at=now,
        since=since,
        rows=len(inside) + len(after),
        metrics=_metrics(warehouse, component, inside, since, end),
        rows_inside=len(inside),
        metrics_after=_metrics(warehouse, component, after, end, now),
    )


def _metrics(
    warehouse: Warehouse, component: Component, calls: Calls, since: datetime, until: datetime
) -> dict[str, float]:
    if not len(calls):
        return {}
    metrics = {"error_rate": float(calls.failed.mean())}
    known = calls.latency_ms[np.isfinite(calls.latency_ms)]
    if len(known):
        metrics["latency_mean"] = float(known.mean())
    if len(known) >= LATENCY_ROWS:
        metrics["latency_p99"] = percentiles(known)["latency_p99"]
    name = component.metric.name
    if name in SCORERS:
        sample = sampled(warehouse, component, calls, since, until)
        scores = scores_of(name, sample.exchanges)
        found = quality(name, sample, scores, component.sampling.least)
        metrics |= {name: found.value} if isinstance(found, Estimate) else {}
    return metrics


def _calls(warehouse: Warehouse, component: Component, since: datetime, until: datetime) -> Calls:
    try:
        return warehouse.calls(component.name, since, until)
    except NotEnoughDataError:
        return NO_CALLS


def _of_version(calls: Calls, version: str) -> Calls:
    chosen = rows_of(calls, [row for row, name in enumerate(calls.version) if name == version])
    return rows_of(chosen, settled(chosen))
