"""The figures of a scrape, from indexes that hold what is open or new."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, when
from agentops_graph.delivery_ports import Backlog, Tally

LATELY = timedelta(days=1)


class LedgerFigures:
    """Implements `Figures`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def backlog(self, at: datetime) -> Backlog:
        incident = t.incidents.c
        place = (incident.status, incident.alert_type)
        with self._db.read() as c:
            waiting = t.approvals.c.status == "pending", t.approvals.c.kind == "action"
            asked, oldest = _count_and_oldest(c, t.approvals.c.requested_at, *waiting)
            queued, oldest_notice = _count_and_oldest(c, t.outbox.c.not_before, t.IS_QUEUED)
            unsettled = _by(c, (t.effects.c.state,), t.IS_UNSETTLED)
            heard_at = c.execute(select(func.max(t.deliveries.c.at))).scalar_one()
            return Backlog(
                open_incidents=_by(c, (*place, incident.severity), t.IS_OPEN),
                ended_lately=_by(c, place, incident.ended_at > iso(at - LATELY)),
                alerts=_numbered(c, "alert %"),
                incidents=_numbered(c, "incident %"),
                approvals_pending=asked,
                oldest_pending_at=oldest,
                effects_open={state: number for (state,), number in unsettled.items()},
                jobs_waiting=_count_and_oldest(c, t.jobs.c.not_before, t.jobs.c.done.is_(False))[0],
                notices_waiting=queued,
                oldest_notice_at=oldest_notice,
                heard_at=when(heard_at),
            )

    def written_since(self, seq: int | None, limit: int = 10_000) -> Tally:
        with self._db.read() as c:
            if seq is None:
                return Tally(seq=c.execute(select(func.max(t.audit.c.seq))).scalar_one() or 0)
            query = select(t.audit.c.seq, t.audit.c.what).where(t.audit.c.seq > seq)
            rows = c.execute(query.order_by(t.audit.c.seq).limit(limit)).all()
        return Tally(seq=rows[-1].seq if rows else seq, counts=Counter(row.what for row in rows))


def _by(c: Connection, columns: tuple[Any, ...], wanted: Any) -> dict[Any, int]:
    found = c.execute(select(*columns, func.count()).where(wanted).group_by(*columns))
    return {tuple(row[:-1]): int(row[-1]) for row in found}


def _count_and_oldest(c: Connection, time: Any, *wanted: Any) -> tuple[int, datetime | None]:
    number, oldest = c.execute(select(func.count(), func.min(time)).where(*wanted)).one()
    return int(number), when(oldest)


def _numbered(c: Connection, names: str) -> int:
    """How many were ever given a number; there is one counter for each day or year."""
    counters = t.counters.c
    return int(
        c.execute(select(func.sum(counters.value)).where(counters.name.like(names))).scalar_one()
        or 0
    )
