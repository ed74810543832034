"""The outbox: notices that wait to be sent, each with an approval decided by policy."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import (
    SERVER_CLOCK,
    Database,
    iso,
    next_number,
)
from agentops_graph.adapters.sqlalchemy_ledger.readable import readable
from agentops_graph.adapters.sqlalchemy_ledger.writers import is_dead, this_process
from agentops_graph.domain.action import NOTICE, Notice
from agentops_graph.domain.approval import canonical_json
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.ledger import Notification
from agentops_graph.domain.redaction import redacted_within

_DUE = select(t.outbox).where(
    t.IS_QUEUED,
    # The clock may have been put back: one that was never tried is due, and one that was put off
    # in what is now the future is tried early. An attempt writes its own time.
    or_(
        t.outbox.c.not_before <= bindparam("now"),
        t.outbox.c.attempts == 0,
        t.outbox.c.put_off_at > bindparam("now"),
    ),
)
_WAITING = _DUE.order_by(t.outbox.c.notification_id).limit(100)


class LedgerOutbox:
    """Implements `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(
        self, incident_id: str, notice: Notice, *, marker: str, reason: str, at: datetime
    ) -> None:
        notice = redacted_within(notice)  # before the digest: it leaves for other systems
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
            clock = self._db.lease_clock(c)
            seen = readable(
                c.execute(_WAITING, {"now": iso(at)}),
                lambda row: (_notification(row), _is_being_sent(row, *clock)),
                "outbox",
            )
        return [waiting for waiting, is_being_sent in seen if not is_being_sent]

    def claim(self, waiting: Notification, seconds: float, *, at: datetime) -> Notification | None:
        with self._db.write() as c:
            boot, now = self._db.lease_clock(c)
            one = _DUE.where(t.outbox.c.notification_id == waiting.notification_id)
            row = c.execute(one, {"now": iso(at)}).mappings().first()
            if row is None or _is_being_sent(row, boot, now):
                return None
            taken = {
                "claim": row["claim"] + 1,
                "claimed_by": this_process().model_dump_json(),
                "claimed_until": now + seconds,
            }
            claimed = c.execute(
                update(t.outbox)
                .where(
                    t.outbox.c.notification_id == row["notification_id"],
                    # On Postgres another may have claimed it, or sent it, since this was read.
                    t.outbox.c.claim == row["claim"],
                    t.IS_QUEUED,
                )
                .values(**taken)
            ).rowcount
        return _notification(dict(row) | taken) if claimed else None

    def sent(self, claimed: Notification, reference: str, *, at: datetime) -> None:
        ended = {"state": "sent", "reference": reference, "error": None, "claimed_by": None}
        with self._db.write() as c:
            # Whoever's claim it is by now: it was sent, so nobody need send it any more.
            is_first = c.execute(
                update(t.outbox)
                .where(
                    t.outbox.c.notification_id == claimed.notification_id,
                    t.outbox.c.state != "sent",
                )
                .values(attempts=t.outbox.c.attempts + 1, **ended)
            ).rowcount
            append(
                c,
                self._db.audit_key,
                "notice.sent" if is_first else "notice.late_result",
                actor="policy",
                via="runner",
                at=at,
                incident_id=claimed.incident_id,
                approval_id=claimed.approval_id,
                reference=reference,
            )

    def failed(
        self, claimed: Notification, error: str, *, retry_at: datetime | None, at: datetime
    ) -> None:
        again = {"state": "failed"} if retry_at is None else {"not_before": iso(retry_at)}
        with self._db.write() as c:
            c.execute(
                update(t.outbox)
                .where(
                    t.outbox.c.notification_id == claimed.notification_id,
                    t.outbox.c.claim == claimed.claim,  # else another sends it, or has
                    t.IS_QUEUED,
                )
                .values(
                    error=error[:1000],
                    attempts=t.outbox.c.attempts + 1,
                    claimed_by=None,
                    put_off_at=iso(at),
                    **again,
                )
            )

    def listed(self, incident_id: str | None = None) -> list[Notification]:
        query = select(t.outbox).order_by(t.outbox.c.notification_id)
        if incident_id is not None:
            query = query.where(t.outbox.c.incident_id == incident_id)
        with self._db.read() as c:
            return [_notification(row) for row in c.execute(query).mappings()]


def _is_being_sent(row: Any, boot: str, now: float) -> bool:
    """True while a process that may be alive has its claim."""
    if not row["claimed_by"] or row["claimed_until"] <= now:
        return False
    writer = Writer.model_validate_json(row["claimed_by"])
    # On one host the claim's seconds are those of the boot it was written in.
    return boot in (SERVER_CLOCK, writer.boot_id) and not is_dead(writer)


def _notification(row: Any) -> Notification:
    unseen = ("not_before", "put_off_at", "claimed_by", "claimed_until")
    stored = {k: v for k, v in dict(row).items() if k not in unseen}
    return Notification(**stored | {"notice": NOTICE.validate_json(stored["notice"])})
