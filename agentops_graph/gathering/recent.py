"""From when on a component is measured: not over what an incident has already settled."""

from collections.abc import Callable
from datetime import datetime, timedelta

from agentops_graph.domain.component import Component
from agentops_graph.ports import IncidentLog

RECENT = 500  # incidents looked through for the component's last one


def repaired_at(
    log: IncidentLog, component: Component, now: datetime
) -> Callable[[], datetime | None]:
    """Tells, when it is asked, when the component's last incident was resolved."""
    return lambda: max(
        (
            incident.ended_at
            for incident in log.listed(limit=RECENT)
            if incident.component == component.name
            and incident.status == "resolved"
            and incident.ended_at is not None
            and incident.ended_at <= now
        ),
        default=None,
    )


def settled_at(log: IncidentLog, component: Component, now: datetime) -> datetime | None:
    """When the component's last incident was resolved, if its window still reaches back to before
    that; the old bad rows in it would only tell the same story again. None for a model: it is
    measured on the rows of the version that predicts now."""
    if component.kind == "model":
        return None
    window_start = now - timedelta(seconds=component.thresholds.drift_window_s)
    ended = [
        incident.ended_at
        for incident in log.listed(limit=RECENT)
        if incident.component == component.name
        and incident.status == "resolved"
        and incident.ended_at is not None
        and window_start < incident.ended_at <= now  # a clock put back must not blind anyone
    ]
    return max(ended) if ended else None
