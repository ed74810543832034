"""What must hold over a whole data folder at any time, whatever was killed: read from its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from agentops_graph.adapters.sqlalchemy_ledger import (
    Database,
    LedgerApprovals,
    LedgerAudit,
    LedgerEffects,
    LedgerIncidents,
    LedgerOutbox,
)
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.effect import Effect
from agentops_graph.domain.incident import Incident

ENDED = ("resolved", "suppressed", "closed")
KEY = b"test key"


@dataclass(frozen=True)
class Books:
    """Everything that is compared."""

    incidents: list[Incident]
    approvals: dict[str, Approval]
    effects: list[Effect]
    carried_out: list[str] | None  # what the outside says; None when it keeps no file
    orphaned_alerts: list[str]
    coming_back: set[str]  # incidents with a job, timer or detached work
    told: set[str]  # incidents of which a hand-over notice stands in the outbox
    audited: Counter[tuple[str, str]]  # (what, key or approval)
    chain: str | None


def violations(home: Path, *, audit_key: bytes = KEY) -> list[str]:
    """Every broken promise in words, read from `ledger.db` and `effects.txt`; empty when whole.

    Holds at any moment, also in the middle of the work: an incident that nobody has ended yet is
    fine as long as a row will bring a runner back to it.
    """
    books = _read(home, audit_key)
    return [
        *_of_the_outside(books),
        *(broken for effect in books.effects for broken in _of_effect(books, effect)),
        *(
            broken
            for approval in books.approvals.values()
            for broken in _of_approval(books, approval)
        ),
        *(broken for incident in books.incidents for broken in _of_incident(books, incident)),
        *(f"alert {alert} belongs to no incident" for alert in books.orphaned_alerts),
        *([f"audit: {books.chain}"] if books.chain else []),
    ]


def _read(home: Path, audit_key: bytes) -> Books:
    database = Database(f"sqlite:///{home / 'ledger.db'}", audit_key=audit_key)
    record = home / "effects.txt"
    try:
        audit = LedgerAudit(database)
        with database.read() as c:
            orphaned = c.execute(
                text(
                    "SELECT alert_id FROM alerts WHERE incident_id NOT IN "
                    "(SELECT incident_id FROM incidents)"
                )
            ).scalars()
            waiting = c.execute(
                text(
                    "SELECT incident_id FROM jobs WHERE NOT done UNION "
                    "SELECT incident_id FROM timers WHERE NOT done UNION "
                    "SELECT incident_id FROM work WHERE state IN ('open', 'running')"
                )
            ).scalars()
            orphaned_alerts, coming_back = list(orphaned), set(waiting)
            audited = Counter(
                (row.what, row.subject)
                for row in c.execute(
                    text(
                        "SELECT what, coalesce(json_extract(fields, '$.key'), "
                        "json_extract(fields, '$.approval_id')) AS subject FROM audit"
                    )
                )
            )
        return Books(
            incidents=LedgerIncidents(database).listed(limit=100_000),
            approvals={a.approval_id: a for a in LedgerApprovals(database).listed()},
            effects=LedgerEffects(database).listed(),
            carried_out=record.read_text().split() if record.exists() else None,
            orphaned_alerts=orphaned_alerts,
            coming_back=coming_back,
            told={
                n.incident_id
                for n in LedgerOutbox(database).listed()
                if n.marker.endswith(":handed_over")
            },
            audited=audited,
            chain=audit.verify(),
        )
    finally:
        database.close()


def _of_the_outside(books: Books) -> Iterator[str]:
    known = {effect.key for effect in books.effects}
    for key, times in Counter(books.carried_out or []).items():
        if times > 1:
            yield f"{key} was carried out {times} times"
        if key not in known:
            yield f"{key} was carried out without an intent"


def _of_effect(books: Books, effect: Effect) -> Iterator[str]:
    approval = books.approvals.get(effect.approval_id)
    if approval is None:
        yield f"{effect.key} has no approval"
        return
    if approval.status != "approved":
        yield f"{effect.key} was begun on an approval that is {approval.status}"
    if approval.decided_by is None or approval.decided_via is None:
        yield f"nobody approved {effect.key}"
    yield from _of_votes(effect, approval)
    if approval.digest != approval.proposal.digest:
        yield f"{effect.key}: the digest is not the one of what {approval.approval_id} asks for"
    if books.audited["effect.intent", effect.key] != 1:
        yield f"{effect.key} has {books.audited['effect.intent', effect.key]} intents in the audit"
    yield from _of_state(books, effect)
    if books.carried_out is not None:
        yield from _of_outcome(books, effect)


def _of_votes(effect: Effect, approval: Approval) -> Iterator[str]:
    if len(approval.approvers) < approval.quorum:
        yield f"{effect.key} was begun on {len(approval.approvers)} of {approval.quorum} approvals"
    if approval.four_eyes and approval.requested_by in approval.approvers:
        yield f"{effect.key} was approved by {approval.requested_by}, who asked for it"


def _of_outcome(books: Books, effect: Effect) -> Iterator[str]:
    happened = effect.key in (books.carried_out or [])
    by_person = books.audited["effect.reconciled", effect.key]
    if effect.state == "done" and not happened and not by_person:
        yield f"{effect.key} is called done and did not happen"
    if effect.state == "failed" and happened and not by_person:
        yield f"{effect.key} is called failed and happened"


def _of_state(books: Books, effect: Effect) -> Iterator[str]:
    incident = next((i for i in books.incidents if i.incident_id == effect.incident_id), None)
    if incident is None:
        yield f"{effect.key} belongs to no incident"
        return
    if effect.state == "intent" and incident.status in (*ENDED, "escalated"):
        yield f"{effect.key} is still an intent and {incident.incident_id} is {incident.status}"
    # Between the result and the hand-over a runner is still on its way.
    is_asked = incident.needs_reconcile or effect.incident_id in books.coming_back
    if effect.state == "unknown" and not is_asked:
        yield f"{effect.key} is unknown and nobody is asked to reconcile it"


def _of_approval(books: Books, approval: Approval) -> Iterator[str]:
    name, incident_id = approval.approval_id, approval.proposal.incident_id
    incident = next((i for i in books.incidents if i.incident_id == incident_id), None)
    if incident is None:
        yield f"{name} belongs to no incident"
        return
    if approval.status == "pending":
        if incident.status in (*ENDED, "escalated"):
            yield f"{name} is pending and {incident_id} is {incident.status}"
        if incident_id not in books.coming_back:
            yield f"{name} is pending and no timer will end it"
        return
    if approval.decided_by is None or approval.decided_at is None:
        yield f"{name} is {approval.status} by nobody"
    if books.audited[f"approval.{approval.status}", name] != 1:
        yield f"the audit does not say once that {name} was {approval.status}"


def _of_incident(books: Books, incident: Incident) -> Iterator[str]:
    name = incident.incident_id
    if incident.status in ENDED:
        if incident.ended_at is None:
            yield f"{name} is {incident.status} without an end"
    elif incident.status == "escalated":
        if incident.owner is None:
            yield f"{name} is escalated and nobody owns it"
        if name not in books.told:
            yield f"{name} is escalated and nobody was told"
    elif name not in books.coming_back:
        yield f"{name} is {incident.status} and nothing will bring a runner back to it"
