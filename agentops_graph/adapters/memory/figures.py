"""The figures of a scrape, counted in memory."""

from collections import Counter
from datetime import datetime, timedelta

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.delivery_ports import Backlog, Tally

LATELY = timedelta(days=1)


class MemoryFigures:
    """Implements `Figures`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def backlog(self, at: datetime) -> Backlog:
        ledger = self._ledger
        with ledger.lock:
            pending = [a.requested_at for a in ledger.approvals.values() if a.status == "pending"]
            queued = [due for held, due in ledger.outbox.values() if held.state == "queued"]
            states = (effect.state for effect in ledger.effects.values())
            return Backlog(
                open_incidents=Counter(
                    (i.status, i.alert_type, i.severity)
                    for i in ledger.incidents.values()
                    if i.is_open
                ),
                ended_lately=Counter(
                    (i.status, i.alert_type)
                    for i in ledger.incidents.values()
                    if i.ended_at is not None and i.ended_at > at - LATELY
                ),
                alerts=len(ledger.alerts),
                incidents=len(ledger.incidents),
                approvals_pending=len(pending),
                oldest_pending_at=min(pending, default=None),
                effects_open=Counter(state for state in states if state in ("intent", "unknown")),
                jobs_waiting=sum(not queued.is_done for queued in ledger.jobs.values()),
                notices_waiting=len(queued),
                oldest_notice_at=min(queued, default=None),
                heard_at=max(ledger.deliveries.values(), default=None),
            )

    def written_since(self, seq: int | None, limit: int = 10_000) -> Tally:
        with self._ledger.lock:
            ends_at = len(self._ledger.audit)
            rows = [] if seq is None else self._ledger.audit[seq : seq + limit]
        counts = Counter(str(row["what"]) for row in rows)
        return Tally(seq=ends_at if seq is None else seq + len(rows), counts=counts)
