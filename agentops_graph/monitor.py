"""The monitor: measures every component and admits what crossed its threshold."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from agentops_graph.blindness import watch_sources
from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.component import Component
from agentops_graph.domain.incident import OPEN
from agentops_graph.domain.ledger import Admission
from agentops_graph.domain.schedule import blind_after
from agentops_graph.domain.sight import Sight, Turn
from agentops_graph.domain.story import Told, kin_of, standing_of, upstream_first
from agentops_graph.errors import NotEnoughDataError, PortError
from agentops_graph.gathering.charts import with_charts
from agentops_graph.gathering.recent import RECENT, ReadOnce
from agentops_graph.gathering.sighted import Looked, look_at
from agentops_graph.pause_end import heard
from agentops_graph.ports import Ports

log = logging.getLogger(__name__)
EVERY_S = 60.0  # as the setting has it by default


@dataclass(frozen=True)
class Tick:
    """What one round saw: admissions, readings by component, and where it could not look."""

    admissions: list[Admission] = field(default_factory=list)
    readings: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    unjudged: list[str] = field(default_factory=list)  # components nobody may call healthy
    rested: list[str] = field(default_factory=list)  # crossed a line minutes after their incident
    blind: dict[str, Sight] = field(default_factory=dict)  # those that can't be seen for too long
    ended: list[str] = field(default_factory=list)  # incidents of sources that answer again

    @property
    def looked(self) -> bool:
        return bool(self.readings or self.unjudged)


def tick(ports: Ports, *, opened_by: str = "monitor", every_s: float = EVERY_S) -> Tick:
    """One round over all components, due or not. A quiet one opens nothing."""
    recent, known = primed(ports), sights(ports)
    looks = [
        look_at(ports, component, recent, known.get(name) or Sight(component=name))
        for name, component in ports.components.items()
    ]
    seen = told_of(ports, looks, opened_by=opened_by)
    if ports.rounds is not None:
        ports.rounds.settle([Turn(sight=looked.sight) for looked in looks])
    return with_sources(ports, seen, looks, every_s=every_s, opened_by=opened_by)


def primed(ports: Ports) -> ReadOnce:
    """The ledger's listing for one round, read before any source is asked: a ledger that does not
    answer fails the round, and is not taken for a source that does not."""
    recent = ReadOnce(ports.log)
    recent.listed(limit=RECENT)
    return recent


def sights(ports: Ports) -> dict[str, Sight]:
    return {} if ports.rounds is None else {s.component: s for s in ports.rounds.sights()}


def told_of(ports: Ports, looks: Sequence[Looked], *, opened_by: str) -> Tick:
    """Admits what the looks claim, causes before their effects."""
    seen = Tick()
    for looked in looks:
        if looked.readings is not None:
            seen.readings[looked.name] = looked.readings
        if looked.notes:
            seen.notes[looked.name] = looked.notes
        if not looked.is_judged:
            seen.unjudged.append(looked.name)
    claims = [claim for looked in looks for claim in looked.claims]
    lineage = ports.lineage.current()
    if lineage.troubles:
        seen.notes["lineage"] = lineage.troubles
    for claim in upstream_first(claims, ports.components, lineage):
        _admit(ports, claim, seen, opened_by)
    return seen


def with_sources(
    ports: Ports, seen: Tick, looks: Iterable[Looked], *, every_s: float, opened_by: str
) -> Tick:
    """Adds what these looks say of their sources; asked once their sights are settled."""
    found, now = watch_sources(ports, every_s=every_s, opened_by=opened_by), ports.clock.now()
    seen.admissions.extend(found.admissions)
    seen.ended.extend(found.ended)
    for looked in looks:
        after_s = blind_after(ports.components[looked.name], every_s)
        if looked.sight.is_blind(after_s, now):
            seen.blind[looked.name] = looked.sight
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
    claim = _pictured(ports, component, claim)
    kin = kin_of(claim, ports.components, now, ports.lineage.current())
    seen.admissions.append(ports.incidents.admit(claim, opened_by=opened_by, at=now, kin=kin))
    heard(ports, seen.admissions[-1])


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


def _pictured(ports: Ports, component: Component, claim: AlertClaim) -> AlertClaim:
    """With its charts; a source that died since the look must not cost the alert."""
    try:
        return with_charts(ports.warehouse, component, claim)
    except (NotEnoughDataError, PortError) as error:
        log.warning("%s is told without charts: %s", component.name, error)
        return claim


def _silenced(ports: Ports, claim: AlertClaim) -> bool:
    now = ports.clock.now()
    return any(
        silence.covers(claim.affected_component, claim.alert_type, now)
        for silence in ports.silences.active(now)
    )
