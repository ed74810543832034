"""Incidents, alerts, kept records and the timeline, in memory."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.alert import SEVERITY_ORDER, Alert, AlertClaim
from agentops_graph.domain.incident import OPEN, RECOVERED, Incident, TimelineEvent
from agentops_graph.domain.ledger import Admission, Chapter
from agentops_graph.domain.record import Record
from agentops_graph.domain.redaction import redacted_json, redacted_within
from agentops_graph.domain.stakes import Stakes
from agentops_graph.domain.story import Kin, Told, gravest, seen_note
from agentops_graph.errors import NotFoundError

# Past incidents that ship as reports have numbers below this; ours start above.
FIRST_NUMBER = 1000


class MemoryIncidents:
    """Implements `Incidents` and `IncidentLog`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def admit(
        self, claim: AlertClaim, *, opened_by: str, at: datetime, kin: Sequence[Kin] = ()
    ) -> Admission:
        ledger, claim = self._ledger, redacted_within(claim)
        with ledger.lock:
            day = claim.timestamp.date().isoformat()
            alert = claim.with_id(f"alert_{day}_{ledger.number(f'alert {day}'):03d}")
            held = self._open_one(claim)
            story = None if held else self._story_of(kin)
            incident_id = held or story or self._opened(claim, opened_by, at)
            ledger.alerts.append((incident_id, alert))
            if held:
                self._note(held, alert, at, f"seen again as {alert.alert_id}: {alert.feed_line}")
            if story:
                self._join(story, alert, opened_by, at)
            return Admission(alert=alert, incident_id=incident_id, is_new=not (held or story))

    def _open_one(self, claim: AlertClaim) -> str | None:
        held = next((i for i in self._ledger.incidents.values() if _same_story(i, claim)), None)
        if held is not None:
            return held.incident_id
        place = (claim.affected_component, claim.segment or None, claim.alert_type)
        joined = (
            incident
            for incident, alert in self._of_open()
            if (alert.affected_component, alert.segment or None, alert.alert_type) == place
        )
        found = min(joined, key=_age, default=None)
        return None if found is None else found.incident_id

    def _story_of(self, kin: Sequence[Kin]) -> str | None:
        fitting = (
            incident
            for incident, alert in self._of_open()
            if incident.status != "escalated"
            and any(k.fits(alert) and incident.opened_at >= k.opened_since for k in kin)
        )
        found = min(fitting, key=_age, default=None)
        return None if found is None else found.incident_id

    def _of_open(self) -> Iterator[tuple[Incident, Alert]]:
        for incident_id, alert in self._ledger.alerts:
            incident = self._ledger.incidents[incident_id]
            if incident.is_open:
                yield incident, alert

    def _join(self, story: str, alert: Alert, by: str, at: datetime) -> None:
        component = alert.affected_component
        text = f"{alert.alert_id} on {component} belongs to this: {alert.feed_line}"
        self._note(story, alert, at, text)
        self._ledger.write_down(
            "incident.joined",
            actor=by,
            via="runner",
            at=at,
            incident_id=story,
            alert_id=alert.alert_id,
            component=component,
            alert_type=alert.alert_type,
        )

    def _opened(self, claim: AlertClaim, opened_by: str, at: datetime) -> str:
        ledger = self._ledger
        incident_id = f"INC-{at.year}-{FIRST_NUMBER + ledger.number(f'incident {at.year}')}"
        ledger.incidents[incident_id] = Incident(
            incident_id=incident_id,
            component=claim.affected_component,
            segment=claim.segment or None,
            alert_type=claim.alert_type,
            severity=claim.severity,
            status="detected",
            title=claim.summary or claim.alert_type.replace("_", " "),
            opened_by=opened_by,
            onset_at=claim.onset_at,
            opened_at=at,
            **Stakes.among(claim.metrics).of_incident,
        )
        ledger.enqueue(incident_id, "alert", at)
        ledger.write_down(
            "incident.opened",
            actor=opened_by,
            via="runner",
            at=at,
            incident_id=incident_id,
            component=claim.affected_component,
            alert_type=claim.alert_type,
        )
        return incident_id

    def _note(self, incident_id: str, alert: Alert, at: datetime, text: str) -> None:
        held = self._ledger.incidents[incident_id]
        worse = SEVERITY_ORDER[alert.severity] > SEVERITY_ORDER[held.severity]
        changed: dict[str, float | str] = Stakes.among(alert.metrics).of_incident
        if worse:
            changed["severity"] = alert.severity
        self.update(incident_id, seen_note(incident_id, text, at), **changed)

    def get(self, incident_id: str) -> Incident:
        held = self._ledger.incidents.get(incident_id)
        if held is None:
            raise NotFoundError(f"no incident {incident_id!r}")
        return held

    def update(
        self, incident_id: str, event: TimelineEvent | None = None, **changes: object
    ) -> None:
        ledger = self._ledger
        with ledger.lock:
            ledger.stop_at_fence()
            if changes and incident_id in ledger.incidents:
                held = ledger.incidents[incident_id]
                changed = Incident(**(dict(held) | changes))
                reopens = "status" in changes and changed.is_open and not held.is_open
                ledger.incidents[incident_id] = held if reopens else changed
            if event is not None:
                seq = len(ledger.timeline) + 1
                ledger.timeline.append(event.model_copy(update={"seq": seq}))

    def update_if(
        self, incident_id: str, still: Mapping[str, object], event: TimelineEvent, **changes: object
    ) -> bool:
        with self._ledger.lock:
            row = self._ledger.incidents.get(incident_id)
            if row is None or not still.items() <= dict(row).items():
                return False
            self.update(incident_id, event, **changes)
            return True

    def together(self) -> AbstractContextManager[None]:
        """Joins nothing: a write here takes no time, and what a failing block wrote stays."""
        return nullcontext()

    def keep(self, chapter: Chapter, record: Record) -> dict[str, object]:
        with self._ledger.lock:
            self._ledger.stop_at_fence()
            held = self._ledger.records.setdefault(chapter, redacted_json(record.model_dump_json()))
        return _loaded(held)

    def kept(self, incident_id: str, kind: str) -> list[tuple[Chapter, dict[str, object]]]:
        with self._ledger.lock:
            found = [
                (chapter, text)
                for chapter, text in self._ledger.records.items()
                if chapter.incident_id == incident_id and chapter.kind == kind
            ]
        found.sort(key=lambda row: (row[0].plan_number, row[0].step))
        return [(chapter, _loaded(text)) for chapter, text in found]

    def listed(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        with self._ledger.lock:
            rows = [i for i in self._ledger.incidents.values() if i.is_open or not open_only]
        return sorted(rows, key=lambda i: i.opened_at, reverse=True)[:limit]

    def alerts(self, incident_id: str | None = None, limit: int = 100) -> list[Alert]:
        with self._ledger.lock:
            rows = [a for held, a in self._ledger.alerts if incident_id in (None, held)]
        newest = sorted(rows, key=lambda a: (a.timestamp, a.alert_id), reverse=True)[:limit]
        return newest[::-1]

    def told(self, since: datetime) -> list[Told]:
        with self._ledger.lock:
            recovered = {r["incident_id"] for r in self._ledger.audit if r["what"] == RECOVERED}
            rows = [
                _told(self._ledger.incidents[incident_id], alert, recovered)
                for incident_id, alert in self._ledger.alerts
            ]
        return gravest(
            [r for r in rows if r.status in OPEN or (r.ended_at is not None and r.ended_at > since)]
        )

    def timeline(self, incident_id: str) -> list[TimelineEvent]:
        with self._ledger.lock:
            return [e for e in self._ledger.timeline if e.incident_id == incident_id]


def _same_story(incident: Incident, claim: AlertClaim) -> bool:
    place = (incident.component, incident.segment, incident.alert_type)
    return incident.is_open and place == (
        claim.affected_component,
        claim.segment or None,
        claim.alert_type,
    )


def _age(incident: Incident) -> tuple[datetime, str]:
    return incident.opened_at, incident.incident_id


def _told(incident: Incident, alert: Alert, recovered: Collection[object]) -> Told:
    return Told(
        incident_id=incident.incident_id,
        root=incident.component,
        component=alert.affected_component,
        segment=alert.segment or None,
        alert_type=alert.alert_type,
        severity=alert.severity,
        excess=alert.excess,
        status=incident.status,
        opened_by=incident.opened_by,
        ended_at=incident.ended_at,
        is_recovered=incident.incident_id in recovered,
    )


def _loaded(payload: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(payload)
    return document
