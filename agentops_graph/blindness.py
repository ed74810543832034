"""A source that can't be read is an incident of its own, until it answers again."""

import json
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agentops_graph.closing import last_diagnosis, resolution_of, tell_people
from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.incident import Incident, Resolution, TimelineEvent
from agentops_graph.domain.ledger import Admission, Chapter
from agentops_graph.domain.schedule import blind_after
from agentops_graph.domain.sight import OF_A_SOURCE, Sight, name_of_source
from agentops_graph.domain.standing import spoken
from agentops_graph.errors import PortError
from agentops_graph.ports import Ports

NAMED = 5  # components in a line that people read
RAISING_S = 30.0
AFTER_ESCALATION = 2  # the step of a resolution that follows the one of the hand-over


@dataclass(frozen=True)
class Blindness:
    """What a round found out about its sources."""

    admissions: list[Admission] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)  # incidents whose source answers again


def watch_sources(ports: Ports, *, every_s: float, opened_by: str) -> Blindness:
    """Opens one incident for each source that has not answered for too long, whatever number of
    components it leaves blind, and ends those whose source answers all of them again. What is known
    stands in the ledger, so it holds over restarts and beside other monitors."""
    found = Blindness()
    if ports.rounds is None:
        return found
    now = ports.clock.now()
    dark = [s for s in ports.rounds.sights() if s.blind_since and s.component in ports.components]
    held = {incident.component: incident for incident in open_ones(ports)}
    behind: dict[str, list[Sight]] = {}
    for sight in dark:
        behind.setdefault(name_of_source(sight.source or ""), []).append(sight)
    for name, those in sorted(behind.items()):
        after = {s.component: blind_after(ports.components[s.component], every_s) for s in those}
        if name not in held and any(s.is_blind(after[s.component], now) for s in those):
            found.admissions.extend(_raised(ports, name, those, now, opened_by))
    for name in sorted(set(held) - set(behind)):
        found.ended.extend(_ended(ports, held[name], now))
    return found


def open_ones(ports: Ports) -> list[Incident]:
    """The open incidents of sources that we opened ourselves."""
    told = ports.log.told(ports.clock.now())
    named = {one.incident_id for one in told if one.root.startswith(OF_A_SOURCE)}
    found = [ports.incidents.get(each) for each in sorted(named)]
    return [i for i in found if i.is_open and is_of_a_source(i) and _is_raised_here(ports, i)]


def _is_raised_here(ports: Ports, incident: Incident) -> bool:
    """True when an alert of it did not come from outside: whoever opened it."""
    rows = ports.audit.rows(incident.incident_id)
    fields = [str(row["fields"]) for row in rows if row["what"] == "alert.received"]
    told = {json.loads(each).get("alert_id") for each in fields}
    return any(a.alert_id not in told for a in ports.log.alerts(incident.incident_id))


def is_of_a_source(incident: Incident) -> bool:
    return incident.alert_type == "provider_outage" and incident.component.startswith(OF_A_SOURCE)


def _raised(
    ports: Ports, name: str, behind: Sequence[Sight], now: datetime, opened_by: str
) -> Iterable[Admission]:
    """By one monitor of several: whoever gets the lease looks once more whether it is told."""
    lease = ports.leases.acquire(name, f"{socket.gethostname()}:{os.getpid()}", RAISING_S)
    if lease is None:
        return
    try:
        claim = blind_claim(name, behind, now)
        is_told = any(incident.component == name for incident in open_ones(ports))
        is_silenced = any(
            silence.covers(name, claim.alert_type, now) for silence in ports.silences.active(now)
        )
        if not is_told and not is_silenced:
            yield ports.incidents.admit(claim, opened_by=opened_by, at=now)
    finally:
        ports.leases.release(lease)


def blind_claim(name: str, behind: Sequence[Sight], now: datetime) -> AlertClaim:
    """One claim for all that a source leaves blind."""
    since = min(s.blind_since for s in behind if s.blind_since)
    names = sorted(s.component for s in behind)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    source = name.removeprefix(OF_A_SOURCE)
    return AlertClaim(
        severity="critical",
        alert_type="provider_outage",
        affected_component=name[:200],
        metrics={
            "blind_s": (now - since).total_seconds(),
            "components_blind": float(len(names)),
            "missed_looks": float(max(s.missed for s in behind)),
        },
        timestamp=now,
        onset_at=since,
        summary=(
            f"Blind since {since:%H:%M} UTC: {source} can't be read, so nobody watches "
            f"{', '.join(names[:NAMED])}{more}"
        )[:2000],
    )


def _ended(ports: Ports, incident: Incident, now: datetime) -> Iterable[str]:
    """Its end, with how long nothing could be seen; one of several monitors writes it."""
    began = incident.onset_at or incident.opened_at
    source, lasted = incident.component.removeprefix(OF_A_SOURCE), spoken(_seconds(began, now))
    summary = f"Seen again: {source} answers after {lasted} in which nobody could look"
    note = TimelineEvent(
        incident_id=incident.incident_id,
        at=now,
        agent="Monitor",
        node="detect",
        kind="note",
        text=f"{summary}; what happened since {began:%Y-%m-%d %H:%M} UTC is looked at now",
        fields={"blind_s": _seconds(began, now)},
    )
    with ports.incidents.together():
        still = {"status": incident.status, "plan_number": incident.plan_number}
        changes = {"status": "resolved", "ended_at": now, "summary": summary}
        if not ports.incidents.update_if(incident.incident_id, still, note, **changes):
            return
        resolution = _written_down(ports, incident, summary, now)
    _remembered(ports, incident, resolution)
    yield incident.incident_id


def _written_down(ports: Ports, incident: Incident, summary: str, now: datetime) -> Resolution:
    chapter = Chapter(
        incident_id=incident.incident_id,
        kind="resolution",
        plan_number=incident.plan_number,
        step=AFTER_ESCALATION,
    )
    made = resolution_of(ports, incident, "resolved", now).model_copy(update={"summary": summary})
    resolution = Resolution.model_validate(ports.incidents.keep(chapter, made))
    tell_people(ports, incident.incident_id, resolution, now, line=summary)
    ports.jobs.enqueue(incident.incident_id, "its source answers again", at=now)
    return resolution


def _remembered(ports: Ports, incident: Incident, resolution: Resolution) -> None:
    """In the warehouse's history too, which may be just what was down."""
    diagnosis = last_diagnosis(ports, incident.incident_id)
    cause = diagnosis.root_cause if diagnosis else "its source did not answer"
    ended = ports.incidents.get(incident.incident_id)
    try:
        ports.history.record_incident(ended, resolution, cause)
    except PortError as error:
        note = TimelineEvent(
            incident_id=incident.incident_id,
            at=ports.clock.now(),
            agent="Monitor",
            node="detect",
            kind="error",
            text=f"closed, but not written into the warehouse's history: {error}"[:1000],
        )
        ports.incidents.update(incident.incident_id, note)


def _seconds(began: datetime, now: datetime) -> float:
    return max(0.0, (now - began).total_seconds())
