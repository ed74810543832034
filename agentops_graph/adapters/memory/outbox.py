"""The outbox and the audit, in memory."""

from collections.abc import Callable, Iterator
from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger, seconds_now
from agentops_graph.audit_ports import silent
from agentops_graph.domain.action import Notice
from agentops_graph.domain.approval import Door
from agentops_graph.domain.ledger import Anchor, AuditFault, Notification
from agentops_graph.domain.record import Scalar
from agentops_graph.domain.redaction import redacted_within


class MemoryOutbox:
    """Implements `Outbox`; a notice's approval by policy is its row of the audit."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def put(
        self, incident_id: str, notice: Notice, *, marker: str, reason: str, at: datetime
    ) -> None:
        ledger, notice = self._ledger, redacted_within(notice)
        with ledger.lock:
            ledger.stop_at_fence()
            if any(held.marker == marker for held, _ in ledger.outbox.values()):
                return
            number = ledger.number("notice")
            queued = Notification(
                notification_id=number,
                incident_id=incident_id,
                approval_id=f"N-{number}",
                notice=notice,
                marker=marker,
                state="queued",
            )
            ledger.outbox[number] = (queued, at)
            ledger.write_down(
                "notice.queued",
                actor="policy",
                via="policy",
                at=at,
                incident_id=incident_id,
                approval_id=queued.approval_id,
                action=notice.action,
                reason=reason,
            )

    def waiting(self, at: datetime) -> list[Notification]:
        with self._ledger.lock:
            rows = list(self._ledger.outbox.values())
        queued = [(held, start) for held, start in rows if held.state == "queued"]
        # One that was never tried is due, also when the clock was put back since; so is one that
        # was put off in what is now the future.
        put_off_at = self._ledger.notices_put_off
        due = [
            held
            for held, start in queued
            if start <= at or not held.attempts or put_off_at.get(held.notification_id, at) > at
        ]
        return [held for held in due if not self._is_being_sent(held.notification_id)][:100]

    def _is_being_sent(self, number: int) -> bool:
        return self._ledger.claims.get(number, 0.0) > seconds_now()

    def claim(self, waiting: Notification, seconds: float, *, at: datetime) -> Notification | None:
        number = waiting.notification_id
        with self._ledger.lock:
            if number not in [due.notification_id for due in self.waiting(at)]:
                return None
            held, start = self._ledger.outbox[number]
            claimed = held.model_copy(update={"claim": held.claim + 1})
            self._ledger.outbox[number] = (claimed, start)
            self._ledger.claims[number] = seconds_now() + seconds
            return claimed

    def sent(self, claimed: Notification, reference: str, *, at: datetime) -> None:
        number = claimed.notification_id
        with self._ledger.lock:
            held, start = self._ledger.outbox[number]
            is_first = held.state != "sent"
            if is_first:
                result = {"state": "sent", "reference": reference, "error": None}
                sent = held.model_copy(update=result | {"attempts": held.attempts + 1})
                self._ledger.outbox[number] = (sent, start)
                self._ledger.claims.pop(number, None)
            self._ledger.write_down(
                "notice.sent" if is_first else "notice.late_result",
                actor="policy",
                via="runner",
                at=at,
                incident_id=held.incident_id,
                approval_id=held.approval_id,
                reference=reference,
            )

    def failed(
        self, claimed: Notification, error: str, *, retry_at: datetime | None, at: datetime
    ) -> None:
        number = claimed.notification_id
        with self._ledger.lock:
            held, start = self._ledger.outbox[number]
            if held.state != "queued" or held.claim != claimed.claim:
                return  # another sends it, or has
            state = "failed" if retry_at is None else held.state
            result = {"state": state, "error": error[:1000], "attempts": held.attempts + 1}
            failed = held.model_copy(update=result)
            self._ledger.outbox[number] = (failed, retry_at or start)
            self._ledger.notices_put_off[number] = at
            self._ledger.claims.pop(number, None)

    def listed(self, incident_id: str | None = None) -> list[Notification]:
        with self._ledger.lock:
            rows = [held for held, _ in self._ledger.outbox.values()]
        return [held for held in rows if incident_id in (None, held.incident_id)]


class MemoryAudit:
    """Implements `AuditLog`; no one outside the process can reach its rows, so no chain is kept."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def write(self, what: str, *, actor: str, via: Door, at: datetime, **fields: Scalar) -> None:
        incident_id = fields.pop("incident_id", None)
        named = None if incident_id is None else str(incident_id)
        with self._ledger.lock:
            self._ledger.write_down(what, actor=actor, via=via, at=at, incident_id=named, **fields)

    def rows(self, incident_id: str | None = None, limit: int = 1000) -> list[dict[str, Scalar]]:
        with self._ledger.lock:
            rows = [dict(row) for row in self._ledger.audit]
        return [row for row in rows if incident_id in (None, row["incident_id"])][-limit:]

    def last_row(self) -> int:
        return len(self._ledger.audit)

    def anchor(self) -> None:
        """There is nothing outside this process to anchor against."""

    def anchored(self) -> Anchor | None:
        return None

    def verify(self, told: Callable[[int], None] = silent) -> AuditFault | None:
        for expected, row in enumerate(self._ledger.audit, start=1):
            if row["seq"] != expected:
                return AuditFault(row=expected, problem=f"row {expected} is missing")
        told(len(self._ledger.audit))
        return None

    def exported(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        incident_id: str | None = None,
    ) -> Iterator[dict[str, Scalar]]:
        for row in self.rows(incident_id, limit=len(self._ledger.audit)):
            at = datetime.fromisoformat(str(row["at"]))
            if (since is None or at >= since) and (until is None or at < until):
                yield row | {"hash": "", "previous": ""}
