"""Incidents, alerts, kept records and the timeline."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import (
    Database,
    insert_new,
    iso,
    next_number,
    when,
)
from agentops_graph.adapters.sqlalchemy_ledger.stories import (
    open_one,
    story_of,
    told_since,
    write_alert,
)
from agentops_graph.domain.alert import SEVERITY_ORDER, Alert, AlertClaim
from agentops_graph.domain.incident import GRAPH_VERSION, OPEN, Incident, TimelineEvent
from agentops_graph.domain.ledger import Admission, Chapter
from agentops_graph.domain.record import Record
from agentops_graph.domain.redaction import redacted_json, redacted_within
from agentops_graph.domain.stakes import Stakes
from agentops_graph.domain.story import Kin, Told, seen_note
from agentops_graph.errors import NotFoundError
from agentops_graph.faults import fault

# Past incidents that ship as reports have numbers below this; ours start above.
FIRST_NUMBER = 1000
_INSTANTS = ("onset_at", "opened_at", "diagnosed_at", "acted_at", "ended_at")

_BY_ID = select(t.incidents).where(t.incidents.c.incident_id == bindparam("id"))
_CHANGE = update(t.incidents).where(t.incidents.c.incident_id == bindparam("id"))
# What has ended stays ended, even when an old checkpoint is played back.
_CHANGE_OPEN = _CHANGE.where(t.incidents.c.status.in_(OPEN))
_KEPT = (
    select(t.records)
    .where(t.records.c.incident_id == bindparam("id"), t.records.c.kind == bindparam("of"))
    .order_by(t.records.c.plan_number, t.records.c.step)
)
_TELL = insert(t.timeline)


class LedgerIncidents:
    """Implements `Incidents` and `IncidentLog`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def admit(
        self, claim: AlertClaim, *, opened_by: str, at: datetime, kin: Sequence[Kin] = ()
    ) -> Admission:
        claim = redacted_within(claim)  # the one door that every alert comes in by
        try:
            admission = self._admitted(claim, opened_by, at, kin)
        except IntegrityError:
            # Another process opened the same story in the same moment; now we join it.
            admission = self._admitted(claim, opened_by, at, kin)
        fault("admission.after_commit")
        return admission

    def _admitted(
        self, claim: AlertClaim, opened_by: str, at: datetime, kin: Sequence[Kin]
    ) -> Admission:
        with self._db.write() as c:
            day = claim.timestamp.date().isoformat()
            alert = claim.with_id(f"alert_{day}_{next_number(c, f'alert {day}'):03d}")
            held = open_one(c, claim)
            story = None if held else story_of(c, kin)
            incident_id = held or story or self._opened(c, claim, opened_by, at)
            write_alert(c, alert, incident_id)
            if held:
                self._note(c, held, alert, at, f"seen again as {alert.alert_id}: {alert.feed_line}")
            if story:
                self._join(c, story, alert, opened_by, at)
            fault("admission.before_commit")
            return Admission(alert=alert, incident_id=incident_id, is_new=not (held or story))

    def _join(self, c: Connection, story: str, alert: Alert, by: str, at: datetime) -> None:
        component = alert.affected_component
        text = f"{alert.alert_id} on {component} belongs to this: {alert.feed_line}"
        self._note(c, story, alert, at, text)
        append(
            c,
            self._db.audit_key,
            "incident.joined",
            actor=by,
            via="runner",
            at=at,
            incident_id=story,
            alert_id=alert.alert_id,
            component=component,
            alert_type=alert.alert_type,
        )

    def _opened(self, c: Connection, claim: AlertClaim, opened_by: str, at: datetime) -> str:
        number = FIRST_NUMBER + next_number(c, f"incident {at.year}")
        incident_id = f"INC-{at.year}-{number}"
        c.execute(
            insert(t.incidents).values(
                incident_id=incident_id,
                component=claim.affected_component,
                segment=claim.segment or "",
                alert_type=claim.alert_type,
                severity=claim.severity,
                status="detected",
                title=claim.summary or claim.alert_type.replace("_", " "),
                opened_by=opened_by,
                graph_version=GRAPH_VERSION,
                onset_at=iso(claim.onset_at) if claim.onset_at else None,
                opened_at=iso(at),
                **Stakes.among(claim.metrics).of_incident,
            )
        )
        c.execute(insert(t.jobs).values(incident_id=incident_id, why="alert", not_before=iso(at)))
        append(
            c,
            self._db.audit_key,
            "incident.opened",
            actor=opened_by,
            via="runner",
            at=at,
            incident_id=incident_id,
            component=claim.affected_component,
            alert_type=claim.alert_type,
        )
        return incident_id

    @staticmethod
    def _note(c: Connection, incident_id: str, alert: Alert, at: datetime, text: str) -> None:
        """On the timeline; an alert that is graver than its incident makes that as grave."""
        held = c.execute(
            select(t.incidents.c.severity).where(t.incidents.c.incident_id == incident_id)
        ).scalar_one()
        changed: dict[str, float | str] = Stakes.among(alert.metrics).of_incident
        if SEVERITY_ORDER[alert.severity] > SEVERITY_ORDER[held]:
            changed["severity"] = alert.severity
        if changed:
            _change(c, incident_id, changed, {})
        _write_event(c, seen_note(incident_id, text, at))

    def get(self, incident_id: str) -> Incident:
        with self._db.read() as c:
            row = c.execute(_BY_ID, {"id": incident_id}).mappings().first()
        if row is None:
            raise NotFoundError(
                f"no incident {incident_id!r}; `agentops incidents` lists those there are"
            )
        return _incident(row)

    def update(
        self, incident_id: str, event: TimelineEvent | None = None, **changes: object
    ) -> None:
        with self._db.write() as c:
            if changes:
                _change(c, incident_id, changes, {})
            if event is not None:
                _write_event(c, event)

    def update_if(
        self, incident_id: str, still: Mapping[str, object], event: TimelineEvent, **changes: object
    ) -> bool:
        with self._db.write() as c:
            is_changed = _change(c, incident_id, changes, still)
            if is_changed:
                _write_event(c, event)
        return is_changed

    def together(self) -> AbstractContextManager[None]:
        return self._db.together()

    def keep(self, chapter: Chapter, record: Record) -> dict[str, object]:
        key, payload = chapter.model_dump(), redacted_json(record.model_dump_json())
        with self._db.write() as c:
            if insert_new(c, t.records, **key, payload=payload):
                return _loaded(payload)
            held = c.execute(
                select(t.records.c.payload).where(
                    *(t.records.c[name] == value for name, value in key.items())
                )
            ).scalar_one()
        return _loaded(held)

    def kept(self, incident_id: str, kind: str) -> list[tuple[Chapter, dict[str, object]]]:
        with self._db.read() as c:
            rows = c.execute(_KEPT, {"id": incident_id, "of": kind}).mappings().all()
        return [
            (Chapter(**{k: v for k, v in row.items() if k != "payload"}), _loaded(row["payload"]))
            for row in rows
        ]

    def listed(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        query = select(t.incidents).order_by(t.incidents.c.opened_at.desc()).limit(limit)
        if open_only:
            query = query.where(t.IS_OPEN)
        with self._db.read() as c:
            return [_incident(row) for row in c.execute(query).mappings()]

    def alerts(self, incident_id: str | None = None, limit: int = 100) -> list[Alert]:
        newest = (t.alerts.c.at.desc(), t.alerts.c.alert_id.desc())
        query = select(t.alerts.c.payload).order_by(*newest).limit(limit)
        if incident_id is not None:
            query = query.where(t.alerts.c.incident_id == incident_id)
        with self._db.read() as c:
            found = [Alert.model_validate_json(text) for text in c.execute(query).scalars()]
        return found[::-1]

    def told(self, since: datetime) -> list[Told]:
        with self._db.read() as c:
            return told_since(c, since)

    def timeline(self, incident_id: str) -> list[TimelineEvent]:
        query = (
            select(t.timeline.c.seq, t.timeline.c.payload)
            .where(t.timeline.c.incident_id == incident_id)
            .order_by(t.timeline.c.seq)
        )
        with self._db.read() as c:
            rows = c.execute(query).all()
        return [
            TimelineEvent.model_validate_json(row.payload).model_copy(update={"seq": row.seq})
            for row in rows
        ]


def _change(
    c: Connection, incident_id: str, changes: Mapping[str, object], still: Mapping[str, object]
) -> bool:
    change = _CHANGE_OPEN if changes.get("status") in OPEN else _CHANGE
    for column, value in still.items():
        change = change.where(t.incidents.c[column] == value)
    values = {k: iso(v) if isinstance(v, datetime) else v for k, v in changes.items()}
    return bool(c.execute(change, {"id": incident_id, **values}).rowcount)


def _write_event(c: Connection, event: TimelineEvent) -> None:
    row = {"incident_id": event.incident_id, "at": iso(event.at)}
    c.execute(_TELL, row | {"payload": event.model_dump_json()})


def _incident(row: Any) -> Incident:
    values = dict(row)
    values["segment"] = values["segment"] or None
    values |= {name: when(values[name]) for name in _INSTANTS}
    return Incident(**values)


def _loaded(payload: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(payload)
    return document
