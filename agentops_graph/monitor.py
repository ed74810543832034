"""The monitor: measures every component and admits what crossed its threshold."""

import logging
from dataclasses import dataclass, field

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.component import Component
from agentops_graph.domain.ledger import Admission
from agentops_graph.errors import NotEnoughDataError, PortError
from agentops_graph.gathering.judged import may_be_called_healthy
from agentops_graph.gathering.measure import Measurement, measure
from agentops_graph.gathering.recent import settled_at
from agentops_graph.gathering.stories import is_told_by
from agentops_graph.ports import Ports

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tick:
    """What one round saw: admissions, readings by component, and where it could not look."""

    admissions: list[Admission] = field(default_factory=list)
    readings: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    unjudged: list[str] = field(default_factory=list)  # components nobody may call healthy


def tick(ports: Ports, *, opened_by: str = "monitor") -> Tick:
    """One round over all components. A quiet round writes nothing."""
    seen = Tick()
    for component in ports.components.values():
        found = _look(ports, component, seen)
        if found is None or not (found.findings or may_be_called_healthy(component, found)):
            seen.unjudged.append(component.name)
        if found is None:
            continue
        seen.readings[component.name] = found.readings
        for claim in found.grouped():
            if not _already_told(ports, claim) and not _silenced(ports, claim):
                seen.admissions.append(
                    ports.incidents.admit(claim, opened_by=opened_by, at=ports.clock.now())
                )
    return seen


def _look(ports: Ports, component: Component, seen: Tick) -> Measurement | None:
    try:
        now = ports.clock.now()
        since = settled_at(ports.log, component, now)
        found = measure(ports.warehouse, component, now, since=since)
    except (NotEnoughDataError, PortError) as error:
        log.warning("%s can't be measured: %s", component.name, error)
        seen.notes[component.name] = [str(error)]
        return None
    if found.notes:
        seen.notes[component.name] = found.notes
    return found


def _already_told(ports: Ports, claim: AlertClaim) -> bool:
    """An open incident of the same story is not told again and again by its own monitor."""
    return any(
        is_told_by(incident, claim) for incident in ports.log.listed(open_only=True, limit=1000)
    )


def _silenced(ports: Ports, claim: AlertClaim) -> bool:
    now = ports.clock.now()
    return any(
        silence.covers(claim.affected_component, claim.alert_type, now)
        for silence in ports.silences.active(now)
    )
