"""From when on a component is measured: not over what an incident has already settled."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from agentops_graph.domain.component import Component
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.story import Told

SETTLED = ("resolved", "closed")  # by what was done, or by a person who says that it is over
RECENT = 500  # incidents looked through for the component's last one


class Listing(Protocol):
    """What this needs of an `IncidentLog`."""

    def listed(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]: ...
    def told(self, since: datetime) -> list[Told]: ...


def repaired_at(log: Listing, component: Component, now: datetime) -> Callable[[], datetime | None]:
    """Tells, when it is asked, when the component's last incident was settled."""
    return lambda: max(
        (
            incident.ended_at
            for incident in log.listed(limit=RECENT)
            if incident.component == component.name
            and incident.status in SETTLED
            and incident.ended_at is not None
            and incident.ended_at <= now
        ),
        default=None,
    )


def settled_at(log: Listing, component: Component, now: datetime) -> datetime | None:
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
        and incident.status in SETTLED
        and incident.ended_at is not None
        and window_start < incident.ended_at <= now  # a clock put back must not blind anyone
    ]
    return max(ended) if ended else None


class ReadOnce:
    """The listing of one round: what was read for a component is not read again for the next."""

    def __init__(self, log: Listing) -> None:
        self._log = log
        self._listed: dict[tuple[bool, int], list[Incident]] = {}
        self._told: tuple[datetime, list[Told]] | None = None

    def listed(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        key = (open_only, limit)
        if key not in self._listed:
            self._listed[key] = self._log.listed(open_only=open_only, limit=limit)
        return self._listed[key]

    def told(self, since: datetime) -> list[Told]:
        if self._told is None or since < self._told[0]:
            self._told = since, self._log.told(since)
        return [one for one in self._told[1] if one.ended_at is None or one.ended_at > since]


def _feed_settled_at(
    log: Listing, component: Component, window_start: datetime, now: datetime
) -> datetime | None:
    """When an incident of something else was settled that the model's alert had joined."""
    ended = [
        one.ended_at
        for one in log.told(window_start)
        if one.component == component.name != one.root
        and one.status in SETTLED
        and one.ended_at is not None
        and one.ended_at <= now
    ]
    return max(ended, default=None)
