"""Timers and jobs: every wait and everything a runner does next is a row."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, bindparam, exists, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import (
    Database,
    insert_new,
    is_dead,
    iso,
    when,
)
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.ledger import Job, Timer
from agentops_graph.faults import fault

# A detached process that has not claimed its work by then never started.
START_WITHIN = timedelta(seconds=120)
_DUE = (
    select(t.timers)
    .where(t.timers.c.done.is_(False), t.timers.c.due_at <= bindparam("now"))
    .order_by(t.timers.c.due_at)
)
_UNENDED = select(t.work).where(t.work.c.state.in_(("open", "running")))


def _without(table: Table, *waits: ColumnElement[bool]) -> ColumnElement[bool]:
    return ~exists().where(table.c.incident_id == t.incidents.c.incident_id, *waits)


# The agent's own open incidents that nothing would ever resume.
_ORPHANS = select(t.incidents.c.incident_id).where(
    t.IS_OPEN,
    t.incidents.c.status != "escalated",
    _without(t.jobs, t.jobs.c.done.is_(False)),
    _without(t.approvals, t.approvals.c.status == "pending"),
    _without(t.timers, t.timers.c.done.is_(False)),
    _without(t.work, t.work.c.state.in_(("open", "running"))),
)


class LedgerTimers:
    """Implements `Timers`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def set(self, timer: Timer) -> None:
        values = timer.model_dump() | {"due_at": iso(timer.due_at)}
        with self._db.write() as c:
            insert_new(c, t.timers, **values)

    def due(self, at: datetime) -> list[Timer]:
        with self._db.read() as c:
            rows = c.execute(_DUE, {"now": iso(at)}).mappings().all()
        return [
            Timer(**{k: v for k, v in row.items() if k != "done"} | {"due_at": when(row["due_at"])})
            for row in rows
        ]

    def done(self, timer_id: str) -> None:
        with self._db.write() as c:
            c.execute(update(t.timers).where(t.timers.c.timer_id == timer_id).values(done=True))


class LedgerJobs:
    """Implements `Jobs`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def enqueue(self, incident_id: str, why: str, *, at: datetime) -> None:
        with self._db.write() as c:
            c.execute(
                insert(t.jobs).values(incident_id=incident_id, why=why[:200], not_before=iso(at))
            )
        fault("job.written")

    def waiting(self, at: datetime, incident_id: str | None = None) -> list[Job]:
        query = (
            select(t.jobs.c.job_id, t.jobs.c.incident_id, t.jobs.c.why, t.jobs.c.attempts)
            .where(
                t.jobs.c.done.is_(False),
                # One that was never tried is due, also when the clock was put back since.
                or_(t.jobs.c.not_before <= iso(at), t.jobs.c.attempts == 0),
            )
            .order_by(t.jobs.c.job_id)
            .limit(100)
        )
        if incident_id is not None:
            query = query.where(t.jobs.c.incident_id == incident_id)
        with self._db.read() as c:
            return [Job(**row) for row in c.execute(query).mappings()]

    def finish(self, job_id: int) -> None:
        with self._db.write() as c:
            c.execute(update(t.jobs).where(t.jobs.c.job_id == job_id).values(done=True))

    def put_off(self, job_id: int, until: datetime, error: str) -> None:
        with self._db.write() as c:
            c.execute(
                update(t.jobs)
                .where(t.jobs.c.job_id == job_id)
                .values(not_before=iso(until), error=error, attempts=t.jobs.c.attempts + 1)
            )

    def adopt_orphans(self, at: datetime) -> int:
        with self._db.read() as c:  # every runner asks all the time, and mostly there is nothing
            if not c.execute(_ORPHANS).first() and not c.execute(_UNENDED).first():
                return 0
        with self._db.write() as c:
            self._end_dead_work(c, at)
            ids = list(c.execute(_ORPHANS).scalars())
            for incident_id in ids:
                c.execute(
                    insert(t.jobs).values(incident_id=incident_id, why="orphan", not_before=iso(at))
                )
            return len(ids)

    @staticmethod
    def _end_dead_work(c: Connection, at: datetime) -> None:
        for row in c.execute(_UNENDED).all():
            if row.state == "running" and not is_dead(Writer.model_validate_json(row.writer)):
                continue
            if row.state == "open" and row.opened_at > iso(at - START_WITHIN):
                continue
            error = "its process died" if row.state == "running" else "its process never started"
            c.execute(
                update(t.work)
                .where(t.work.c.key == row.key, t.work.c.state == row.state)
                .values(state="failed", error=error, ended_at=iso(at))
            )
            c.execute(
                insert(t.jobs).values(
                    incident_id=row.incident_id, why=f"work {row.key}", not_before=iso(at)
                )
            )
