"""When a component is looked at: every so often, each at a place of its own in the interval."""

import zlib
from datetime import UTC, datetime, timedelta

from agentops_graph.domain.component import Component

SLOTS = 12  # of an interval; those of one slot are one round and share what it reads
LEAST_BLIND_S = 300.0
LOOKS_MISSED = 3


def every_of(component: Component, default_s: float) -> float:
    """Seconds between two looks at it."""
    return component.every_s or default_s


def blind_after(component: Component, default_s: float) -> float:
    """Seconds from the first look that was missed until that is an alert: by default three missed
    looks, and five minutes at least."""
    missed_s = (LOOKS_MISSED - 1) * every_of(component, default_s)
    return component.blind_after_s or max(LEAST_BLIND_S, missed_s)


def next_due(name: str, every_s: float, after: datetime) -> datetime:
    """The component's next place in time: always the same one of the interval, so that thousands
    do not come at once, and from half to one and a half intervals away."""
    phase = zlib.crc32(name.encode()) % SLOTS / SLOTS * every_s
    earliest = after.timestamp() + every_s / 2 - phase
    return datetime.fromtimestamp((earliest // every_s + 1) * every_s + phase, UTC)


def is_due(due_at: datetime | None, every_s: float, now: datetime) -> bool:
    """True when its time has come; a time further off than any look is set for comes of a clock
    that was put back, or of a longer interval that was set before."""
    if due_at is None or due_at <= now:
        return True
    return due_at - now > timedelta(seconds=2 * every_s)
