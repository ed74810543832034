"""The outbox: notices that wait to be sent, each with an approval decided by policy."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, next_number
from agentops_graph.domain.action import NOTICE, Notice
from agentops_graph.domain.approval import canonical_json
from agentops_graph.domain.ledger import Notification

_WAITING = (
    select(t.outbox)
    .where(
        t.IS_QUEUED,
        # One that was never tried is due, also when the clock was put back since.
        or_(t.outbox.c.not_before <= bindparam("now"), t.outbox.c.attempts == 0),
    )
    .order_by(t.outbox.c.notification_id)
    .limit(100)
)


class LedgerOutbox:
    """Implements `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(
        self, incident_id: str, notice: Notice, *, marker: str, reason: str, at: datetime
    ) -> None:
        known = select(t.outbox.c.notification_id).where(t.outbox.c.marker == marker)
        with self._db.write() as c:
            if c.execute(known).first() is not None:
                return
            number = next_number(c, "notice")
            # Again: on Postgres one with the same marker may have been put while this one queued.
            if not self._db.is_sqlite and c.execute(known).first() is not None:
                return
            approval_id, text = f"N-{number}", notice.model_dump_json()
            digest = hashlib.sha256(canonical_json(notice.model_dump(mode="json"))).hexdigest()
            decided = {"decided_by": "policy", "decided_via": "policy", "decided_at": iso(at)}
            c.execute(
                insert(t.approvals).values(
                    approval_id=approval_id,
                    incident_id=incident_id,
                    plan_number=0,
                    step=number,
                    kind="notice",
                    action=notice.action,
                    target=notice.target,
                    proposal=text,
                    digest=digest,
                    status="approved",
                    policy_reason=reason,
                    requested_by="agentops",
                    requested_at=iso(at),
                    expires_at=iso(at),
                    **decided,
                )
            )
            c.execute(
                insert(t.outbox).values(
                    incident_id=incident_id,
                    approval_id=approval_id,
                    notice=text,
                    marker=marker,
                    state="queued",
                    not_before=iso(at),
                )
            )
            append(
                c,
                self._db.audit_key,
                "notice.queued",
                actor="policy",
                via="policy",
                at=at,
                incident_id=incident_id,
                approval_id=approval_id,
                action=notice.action,
                digest=digest,
            )

    def waiting(self, at: datetime) -> list[Notification]:
        with self._db.read() as c:
            rows = c.execute(_WAITING, {"now": iso(at)}).mappings()
            return [_notification(row) for row in rows]

    def sent(self, notification_id: int, reference: str, *, at: datetime) -> None:
        with self._db.write() as c:
            row = c.execute(
                update(t.outbox)
                .where(t.outbox.c.notification_id == notification_id)
                .values(
                    state="sent",
                    reference=reference,
                    attempts=t.outbox.c.attempts + 1,
                    error=None,
                )
                .returning(t.outbox.c.incident_id, t.outbox.c.approval_id)
            ).one()
            append(
                c,
                self._db.audit_key,
                "notice.sent",
                actor="policy",
                via="runner",
                at=at,
                incident_id=row.incident_id,
                approval_id=row.approval_id,
                reference=reference,
            )

    def failed(self, notification_id: int, error: str, *, retry_at: datetime | None) -> None:
        again = {"state": "failed"} if retry_at is None else {"not_before": iso(retry_at)}
        with self._db.write() as c:
            c.execute(
                update(t.outbox)
                .where(t.outbox.c.notification_id == notification_id)
                .values(error=error[:1000], attempts=t.outbox.c.attempts + 1, **again)
            )

    def listed(self, incident_id: str | None = None) -> list[Notification]:
        query = select(t.outbox).order_by(t.outbox.c.notification_id)
        if incident_id is not None:
            query = query.where(t.outbox.c.incident_id == incident_id)
        with self._db.read() as c:
            return [_notification(row) for row in c.execute(query).mappings()]


def _notification(row: Any) -> Notification:
    stored = {k: v for k, v in dict(row).items() if k != "not_before"}
    return Notification(**stored | {"notice": NOTICE.validate_json(stored["notice"])})
