"""The monitor: measures every component and admits what crossed its threshold."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.component import Component
from agentops_graph.domain.incident import OPEN
from agentops_graph.domain.ledger import Admission
from agentops_graph.domain.story import Told, kin_of, standing_of, upstream_first
from agentops_graph.errors import NotEnoughDataError, PortError
from agentops_graph.gathering.charts import with_charts
from agentops_graph.gathering.judged import may_be_called_healthy
from agentops_graph.gathering.measure import Measurement, measure
from agentops_graph.gathering.recent import ReadOnce, repaired_at, settled_at
from agentops_graph.ports import Ports

log = logging.getLogger(__name__)

# What a computation over rows that nobody foresaw may raise.
ODD = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError)


@dataclass(frozen=True)
class Tick:
    """What one round saw: admissions, readings by component, and where it could not look."""

    admissions: list[Admission] = field(default_factory=list)
    readings: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    unjudged: list[str] = field(default_factory=list)  # components nobody may call healthy
    rested: list[str] = field(default_factory=list)  # crossed a line minutes after their incident


def tick(ports: Ports, *, opened_by: str = "monitor") -> Tick:
    """One round over all components. A quiet round writes nothing."""
    seen, claims, recent = Tick(), list[AlertClaim](), ReadOnce(ports.log)
    for component in ports.components.values():
        claims += _claims(ports, component, seen, recent)
    lineage = ports.lineage.current()
    if lineage.troubles:
        seen.notes["lineage"] = lineage.troubles
    for claim in upstream_first(claims, ports.components, lineage):
        _admit(ports, claim, seen, opened_by)
    return seen


def _admit(ports: Ports, claim: AlertClaim, seen: Tick, opened_by: str) -> None:
    """Opens an incident, or joins the one that tells this story; a story that was told is not told
    again, and one that has just ended rests. What decides is read from the ledger each time, so it
    holds over restarts and beside other monitors."""
    now = ports.clock.now()
    component = ports.components[claim.affected_component]
    cool_down_s = component.alerting.cool_down_s
    told = ports.log.told(now - timedelta(seconds=cool_down_s))
    standing = standing_of(claim, told, cool_down_s, now)
    if standing == "told" and _adds_a_loss(ports, claim, told):
        standing = "worse"
    if standing == "resting":
        seen.rested.append(f"{claim.affected_component}: {claim.alert_type}")
    if standing in ("told", "resting") or _silenced(ports, claim):
        return
    claim = with_charts(ports.warehouse, component, claim)
    kin = kin_of(claim, ports.components, now, ports.lineage.current())
    seen.admissions.append(ports.incidents.admit(claim, opened_by=opened_by, at=now, kin=kin))


def _adds_a_loss(ports: Ports, claim: AlertClaim, told: Sequence[Told]) -> bool:
    """True when the claim holds a critical finding of a kind that its open incident never heard of:
    an open drift must not swallow the fall of the metric that comes after it."""
    critical = {f.alert_type for f in claim.findings if f.severity == "critical"}
    if len(critical) < 2:
        return False
    open_ones = {one.incident_id for one in told if one.status in OPEN and one.tells(claim)}
    alerts = [alert for incident in open_ones for alert in ports.log.alerts(incident)]
    known = {alert.alert_type for alert in alerts}
    known |= {finding.alert_type for alert in alerts for finding in alert.findings}
    return not critical <= known


def _claims(ports: Ports, component: Component, seen: Tick, recent: ReadOnce) -> list[AlertClaim]:
    """What a look at one component claims. Rows so odd that they can't be computed with cost that
    component its look, and no other."""
    try:
        found = _look(ports, component, seen, recent)
        claims = [] if found is None else found.grouped()
    except ODD as error:
        log.exception("%s can't be measured", component.name)
        seen.notes[component.name] = [
            f"can't be measured: {type(error).__name__} over its rows; the log tells where"
        ]
        found, claims = None, []
    if found is None or not (found.findings or may_be_called_healthy(component, found)):
        seen.unjudged.append(component.name)
    if found is not None:
        seen.readings[component.name] = found.readings
    return claims


def _look(ports: Ports, component: Component, seen: Tick, recent: ReadOnce) -> Measurement | None:
    try:
        now = ports.clock.now()
        since = settled_at(recent, component, now)
        notes = [] if ports.batches is None else ports.batches.take_in(component, now)
        found = measure(
            ports.warehouse,
            component,
            now,
            since=since,
            repaired=repaired_at(recent, component, now),
        )
        found.notes.extend(notes)
    except (NotEnoughDataError, PortError) as error:
        log.warning("%s can't be measured: %s", component.name, error)
        seen.notes[component.name] = [str(error)]
        return None
    if found.notes:
        seen.notes[component.name] = found.notes
    return found


def _silenced(ports: Ports, claim: AlertClaim) -> bool:
    now = ports.clock.now()
    return any(
        silence.covers(claim.affected_component, claim.alert_type, now)
        for silence in ports.silences.active(now)
    )
