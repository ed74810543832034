"""One look of the monitor at one component: what it claims, and how well it could be seen."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agentops_graph.domain.sight import WAREHOUSE, Miss, Sight, fault_of
from agentops_graph.errors import NotEnoughDataError, PortError
from agentops_graph.gathering.gap import look_back
from agentops_graph.gathering.judged import may_be_called_healthy
from agentops_graph.gathering.measure import Measurement, measure
from agentops_graph.gathering.recent import repaired_at, settled_at

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.domain.alert import AlertClaim
    from agentops_graph.domain.component import Component
    from agentops_graph.gathering.recent import Listing
    from agentops_graph.ports import Ports

log = logging.getLogger(__name__)
LONGEST_WHY = 1000

# What a computation over rows that nobody foresaw may raise.
ODD = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError)


@dataclass(frozen=True)
class Looked:
    """What one look gave; without readings it could not be measured."""

    sight: Sight  # after the look
    readings: dict[str, float] | None = None
    claims: list[AlertClaim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_judged: bool = False  # something was found, or it may be called healthy

    @property
    def name(self) -> str:
        return self.sight.component

    def with_next(self, due_at: datetime) -> Looked:
        return replace(self, sight=self.sight.model_copy(update={"due_at": due_at}))


def look_at(ports: Ports, component: Component, recent: Listing, sight: Sight) -> Looked:
    """Measures it now. A source that fails, or rows so odd that they can't be computed with, cost
    this component its look, and no other component anything."""
    now = ports.clock.now()
    since = settled_at(recent, component, now)
    try:
        found = _measured(ports, component, recent, now, since)
        seen = sight.answered(now, found.readings)
        claims, seen = look_back(ports.warehouse, component, found, seen, now, since)
    except NotEnoughDataError as error:
        return _unready(component, sight, error, now)
    except PortError as error:
        log.warning("%s can't be measured: %s", component.name, error)
        return missed(sight, miss_of(error), now)
    except ODD as error:
        log.exception("%s can't be measured", component.name)
        why = f"can't be measured: {type(error).__name__} over its rows; the log tells where"
        source = f"rows of {component.name}"[:200]
        return missed(sight, Miss(source=source, fault="garbled", why=why), now)
    is_judged = bool(claims) or may_be_called_healthy(component, found)
    return Looked(seen, found.readings, claims, found.notes, is_judged)


def _measured(
    ports: Ports, component: Component, recent: Listing, now: datetime, since: datetime | None
) -> Measurement:
    notes = [] if ports.batches is None else ports.batches.take_in(component, now)
    repaired = repaired_at(recent, component, now)
    found = measure(ports.warehouse, component, now, since=since, repaired=repaired)
    found.notes.extend(notes)
    return found


def missed(sight: Sight, miss: Miss, at: datetime, *, asked: bool = True) -> Looked:
    return Looked(sight.unanswered(at, miss, asked=asked), notes=[miss.why])


def miss_of(error: PortError) -> Miss:
    """What did not answer, and how; the warehouse, unless the error names another source."""
    why = str(error)[:LONGEST_WHY] or type(error).__name__
    return Miss(source=error.source or WAREHOUSE, fault=fault_of(why), why=why)


def _unready(
    component: Component, sight: Sight, error: NotEnoughDataError, now: datetime
) -> Looked:
    """Nothing was ever there: nothing is expected. What was there and is gone can't be seen."""
    log.warning("%s can't be measured: %s", component.name, error)
    why = str(error)
    if sight.seen_at is not None:
        return missed(sight, Miss(source=WAREHOUSE, fault="gone", why=why[:LONGEST_WHY]), now)
    return Looked(sight.model_copy(update={"looked_at": now}), notes=[why])
