"""One look at a model version during a health window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.performance import estimate
from agentops_graph.detection.psi import aggregate
from agentops_graph.domain.health import Look
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.drift_measures import shift_between
from agentops_graph.gathering.output_look import has_spoken, look_at_outputs

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.ports import Warehouse

LATENCY_ROWS = 100  # fewer have no 99th percentile


def look(
    warehouse: Warehouse,
    component: Component,
    version: str,
    since: datetime,
    now: datetime,
    *,
    window_ends_at: datetime | None = None,
) -> Look:
    """Rows of that version since then, their error rate and mean latency (ms), and, from 200 rows
    on, the primary metric and the aggregate PSI (`drift_score`). Rows after the window's end are
    measured apart: they count as fresh data and never as a breach inside the window."""
    end = now if window_ends_at is None else min(now, window_ends_at)
    if component.speaks and has_spoken(warehouse, component, since, now):
        return look_at_outputs(warehouse, component, version, since, end, now)
    inside = warehouse.predictions(component.name, since, end, version=version)
    after: dict[str, float] = {}
    rows_after = 0
    if end < now:
        later = warehouse.predictions(component.name, end, now, version=version)
        after, rows_after = _metrics(warehouse, component, version, later), later.rows
    return Look(
        at=now,
        since=since,
        rows=inside.rows + rows_after,
        metrics=_metrics(warehouse, component, version, inside),
        rows_inside=inside.rows,
        metrics_after=after,
    )


def _metrics(
    warehouse: Warehouse, component: Component, version: str, rows: Predictions
) -> dict[str, float]:
    metrics: dict[str, float] = {}
    if len(rows):
        metrics["error_rate"] = float(np.isnan(rows.prediction).mean())
    latency = rows.latency_ms[np.isfinite(rows.latency_ms)]
    if len(latency):
        metrics["latency_mean"] = float(latency.mean())
    if len(latency) >= LATENCY_ROWS:
        metrics["latency_p99"] = float(np.quantile(latency, 0.99))
    needed = component.thresholds.drift_min_rows
    found = estimate(component.metric, rows.label, rows.prediction, rows.confidence, rows.ids)
    if found is not None and found.rows >= needed:
        metrics[component.metric.name] = found.value
    score = _drift_score(warehouse, component, version, rows) if len(rows) >= needed else None
    if score is not None:
        metrics["drift_score"] = score
    return metrics


def _drift_score(
    warehouse: Warehouse, component: Component, version: str, rows: Predictions
) -> float | None:
    try:
        reference = warehouse.reference(component.name, version)
    except NotEnoughDataError:
        return None
    if reference is None:
        return None
    return aggregate(shift_between(reference, rows).by_feature)
