"""Who moved first around an onset, told only where the rhythm of the series can tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from agentops_graph.gathering.case import seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agentops_graph.gathering.case import Case

EARLIEST = timedelta(hours=1)  # before the onset; a cause needs a while to reach the component
LATEST = timedelta(minutes=30)  # after it; what began later did not cause it
# Batches come every few minutes: a shorter lead says nothing about who was first.
LEAD_S = 60.0


@dataclass(frozen=True)
class Began:
    """When a series began to move; `within_s` is how far its rows lie apart."""

    component: str
    at: float
    within_s: float
    is_input: bool = False  # of the component's own rows: what came in, and not what it made of it

    def leads(self, other: Began) -> bool:
        """Clearly before the other. What came in leads what was made of it at the same time."""
        slack = max(LEAD_S, self.within_s, other.within_s)
        return self.at <= other.at + (slack if self.is_input else -slack)


def is_near(case: Case, began: Began) -> bool:
    """Whether a move may have to do with the alert: about as old as its onset."""
    latest = max(case.latest_onset, case.onset + LATEST).timestamp() + began.within_s
    return (case.onset - EARLIEST).timestamp() <= began.at <= latest


def first_signals(
    own: str, upstream: Collection[str], near: Iterable[Began], *, can_tell: bool
) -> dict[str, float]:
    """The signals of the moves near the onset; nothing where none is clearly first.

    `can_tell` says that something upstream has series, so that their silence means something.
    """
    moves = sorted(near, key=lambda one: one.at)
    here = next((one for one in moves if one.component == own), None)
    others = [one for one in moves if one.component != own]
    fed = [one for one in others if one.is_input or one.component in upstream]
    if here is None:
        return {"upstream_moved_first": seen(True)} if fed and upstream else {}
    signals = {}
    is_first = not any(not here.leads(one) or one.leads(here) for one in others)
    if upstream and any(one.leads(here) for one in fed):
        signals["upstream_moved_first"] = seen(True)
    elif upstream and can_tell and is_first:
        signals["upstream_moved_first"] = seen(False)
    if is_first or any(one.leads(here) for one in others):
        signals["moved_first_here"] = seen(is_first)
    return signals
