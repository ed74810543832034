"""From when on a component is measured: not over what an incident has already settled."""

from datetime import datetime, timedelta

from agentops_graph.domain.component import Component
from agentops_graph.ports import IncidentLog

RECENT = 500  # incidents looked through for the component's last one


def settled_at(log: IncidentLog, component: Component, now: datetime) -> datetime | None:
    """When the component's last incident was resolved, if its window still reaches back to before
    that; the old bad rows in it would only tell the same story again. A model is measured on the
    rows of the version that predicts now, so only what a feed did to it counts."""
    window_start = now - timedelta(seconds=component.thresholds.drift_window_s)
    if component.kind == "model":
        return _feed_settled_at(log, component, window_start, now)
    ended = [
        incident.ended_at
        for incident in log.listed(limit=RECENT)
        if incident.component == component.name
        and incident.status == "resolved"
        and incident.ended_at is not None
        and window_start < incident.ended_at <= now  # a clock put back must not blind anyone
    ]
    return max(ended) if ended else None


def _feed_settled_at(
    log: IncidentLog, component: Component, window_start: datetime, now: datetime
) -> datetime | None:
    """When an incident of something else was resolved that the model's alert had joined."""
    if not component.feeds:
        return None
    ended = [
        one.ended_at
        for one in log.told(window_start)
        if one.component == component.name != one.root
        and one.status == "resolved"
        and one.ended_at is not None
        and one.ended_at <= now
    ]
    return max(ended, default=None)
