"""Whether an alert that was told still holds: it ends under its clear level, not at its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agentops_graph.gathering.judged import OF_A_LOG, was_measured
from agentops_graph.gathering.measure import Measurement, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from agentops_graph.domain.alert import AlertType
    from agentops_graph.domain.component import Component
    from agentops_graph.ports import Warehouse

# Lines that are crossed upwards from nothing; their clear level is a share of them.
FROM_ZERO = (
    "metric_drop",
    "safety_drop",
    "aggregate_psi",
    "output_psi",
    "missing_shift",
    "unseen_share",
    "correlation_shift",
    "latency_p99_ms",
    "anomaly_rate",
    "quality_violations",
    "agent_latency_p95_ms",
    "agent_error_rate",
    "agent_cost_per_request",
    "memory_mb",
    "session_minutes",
    "stalled_sessions",
    "policy_false_positive_rate",
)
FROM_ONE = ("volume_low", "volume_high", "cost_ratio")  # lines away from the usual, which is 1


Standing = Literal["holds", "lingers", "over", "unmeasured"]


@dataclass(frozen=True)
class Held:
    """How an alert stands on live data. It `lingers` between its clear level and its line."""

    state: Standing
    seen: Measurement


def held_now(
    warehouse: Warehouse,
    component: Component,
    alert_type: AlertType,
    now: datetime,
    *,
    told: Collection[str] = OF_A_LOG,
    segment: str | None = None,
    since: datetime | None = None,
    repaired: Callable[[], datetime | None] = lambda: None,
) -> Held:
    """Measures it; once more at the clear level when its line is no longer crossed. What was told
    of a segment is over only when the segment itself could be judged. Raises NotEnoughDataError
    as `measure` does."""
    seen = measure(warehouse, component, now, since=since, repaired=repaired)
    if _has(seen, alert_type, segment):
        return Held("holds", seen)
    if not was_measured(alert_type, component.metric.name, seen, segment, told=told):
        return Held("unmeasured", seen)
    if component.alerting.clear_at == 1:
        return Held("over", seen)
    closer = measure(warehouse, eased(component), now, since=since, repaired=repaired)
    return Held("lingers" if _has(closer, alert_type, segment) else "over", seen)


def eased(component: Component) -> Component:
    """The component with its lines at their clear level: at 80% of the way from what is well."""
    share, lines = component.alerting.clear_at, component.thresholds
    clear = {name: share * getattr(lines, name) for name in FROM_ZERO}
    clear |= {name: 1 + share * (getattr(lines, name) - 1) for name in FROM_ONE}
    return component.model_copy(update={"thresholds": lines.model_copy(update=clear)})


def _has(seen: Measurement, alert_type: AlertType, segment: str | None) -> bool:
    """Of the segment, or of the whole; another segment's trouble is another story."""
    found = [finding for finding in seen.findings if finding.alert_type == alert_type]
    parts = [finding for finding in found if finding.segment]
    if segment is None or not parts:
        return bool(found)
    return any(segment in (finding.segment, *finding.covers) for finding in parts)
