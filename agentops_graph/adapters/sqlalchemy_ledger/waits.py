"""Timers and jobs: every wait and everything a runner does next is a row."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, exists, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, insert_new, iso, when
from agentops_graph.adapters.sqlalchemy_ledger.readable import readable
from agentops_graph.adapters.sqlalchemy_ledger.writers import is_dead
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.ledger import Job, Timer
from agentops_graph.faults import fault

# A detached process that has not claimed its work by then never started.
START_WITHIN_S = 120.0
_WAITING = t.timers.c.done.is_(False)
# A claim from what is now the future was made before the clock was put back.
_UNCLAIMED = or_(
    t.timers.c.claimed_until.is_(None),
    t.timers.c.claimed_until <= bindparam("now"),
    t.timers.c.claimed_at > bindparam("now"),
)
_CLAIMED = (
    update(t.timers)
    .where(t.timers.c.timer_id == bindparam("id"), _WAITING, _UNCLAIMED)
    .values(claimed_at=bindparam("now"), claimed_until=bindparam("until"))
)
# Those due, and those that a clock which was put back has met or may have left behind.
_MET = (
    select(t.timers)
    .where(
        _WAITING,
        _UNCLAIMED,
        or_(
            t.timers.c.due_at <= bindparam("now"),
            t.timers.c.set_at > bindparam("now"),
            t.timers.c.back_due_at.is_not(None),
        ),
    )
    .order_by(t.timers.c.due_at)
)
_INSTANTS = ("due_at", "set_at", "back_due_at")
_OF_WORK = ("key", "incident_id", "state", "writer", "done_by", "error", "beat_clock", "beat")
_IS_UNENDED = t.work.c.state.in_(("open", "running"))
_ANY_UNENDED = select(t.work.c.key).where(_IS_UNENDED)
_UNENDED = select(*(t.work.c[name] for name in _OF_WORK)).where(_IS_UNENDED)


def _without(table: Table, *waits: ColumnElement[bool]) -> ColumnElement[bool]:
    return ~exists().where(table.c.incident_id == t.incidents.c.incident_id, *waits)


# The agent's own open incidents that nothing would ever resume.
_ORPHANS = select(t.incidents.c.incident_id).where(
    t.IS_OPEN,
    t.incidents.c.status != "escalated",
    _without(t.jobs, t.jobs.c.done.is_(False)),
    _without(t.approvals, t.approvals.c.status == "pending"),
    # The end of a pause waits for an incident that a person has; it brings no other one back.
    _without(t.timers, t.timers.c.done.is_(False), t.timers.c.kind != "again"),
    _without(t.work, _IS_UNENDED),
)


class LedgerTimers:
    """Implements `Timers`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def set(self, timer: Timer) -> bool:
        instants = {k: v and iso(v) for k, v in timer if k in _INSTANTS}
        still = select(t.timers.c.timer_id).where(t.timers.c.timer_id == timer.timer_id, _WAITING)
        with self._db.write() as c:
            if insert_new(c, t.timers, **timer.model_dump() | instants):
                return True
            return c.execute(still).first() is not None

    def due(self, at: datetime) -> list[Timer]:
        with self._db.read() as c:
            met = readable(c.execute(_MET, {"now": iso(at)}), _timer, "timers")
        seen = [timer.seen(at) for timer in met]
        for before, after in zip(met, seen, strict=True):
            if after != before:
                self._put_behind(before, after)
        return [timer for timer in seen if timer.is_due(at)]

    def _put_behind(self, before: Timer, after: Timer) -> None:
        """Unless another runner, or its end, was first."""
        with self._db.write() as c:
            c.execute(
                update(t.timers)
                .where(
                    t.timers.c.timer_id == before.timer_id,
                    _WAITING,
                    t.timers.c.back_due_at.is_not_distinct_from(
                        before.back_due_at and iso(before.back_due_at)
                    ),
                )
                .values(back_due_at=after.back_due_at and iso(after.back_due_at))
            )

    def claim(self, timer_id: str, *, until: datetime, at: datetime) -> bool:
        values = {"id": timer_id, "now": iso(at), "until": iso(until)}
        with self._db.write() as c:
            return c.execute(_CLAIMED, values).rowcount == 1

    def done(self, timer_id: str) -> None:
        with self._db.write() as c:
            c.execute(update(t.timers).where(t.timers.c.timer_id == timer_id).values(done=True))


def _timer(row: Any) -> Timer:
    stored = {k: row[k] for k in Timer.model_fields}
    return Timer(**stored | {k: when(stored[k]) for k in _INSTANTS})


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
                # The clock may have been put back: one that was never tried is due, and one that
                # was put off in what is now the future is tried early. An attempt writes its own
                # time, so that none follows the other at once.
                or_(
                    t.jobs.c.not_before <= iso(at),
                    t.jobs.c.attempts == 0,
                    t.jobs.c.put_off_at > iso(at),
                ),
            )
            .order_by(t.jobs.c.job_id)
            .limit(100)
        )
        if incident_id is not None:
            query = query.where(t.jobs.c.incident_id == incident_id)
        with self._db.read() as c:
            return readable(c.execute(query), lambda row: Job(**row), "jobs")

    def finish(self, job_id: int) -> None:
        with self._db.write() as c:
            c.execute(update(t.jobs).where(t.jobs.c.job_id == job_id).values(done=True))

    def put_off(self, job_id: int, until: datetime, error: str, *, at: datetime) -> None:
        put_off = {"not_before": iso(until), "put_off_at": iso(at), "error": error}
        with self._db.write() as c:
            c.execute(
                update(t.jobs)
                .where(t.jobs.c.job_id == job_id)
                .values(attempts=t.jobs.c.attempts + 1, **put_off)
            )

    def adopt_orphans(self, at: datetime) -> int:
        with self._db.read() as c:  # every runner asks all the time, and mostly there is nothing
            if not c.execute(_ORPHANS).first() and not c.execute(_ANY_UNENDED).first():
                return 0
        with self._db.write() as c:
            self._end_dead_work(c, at)
            ids = list(c.execute(_ORPHANS).scalars())
            for incident_id in ids:
                c.execute(
                    insert(t.jobs).values(incident_id=incident_id, why="orphan", not_before=iso(at))
                )
            return len(ids)

    def _end_dead_work(self, c: Connection, at: datetime) -> None:
        """Work whose process is proved dead, or never came to claim it."""
        clock = self._db.lease_clock(c)
        for work, error in readable(
            c.execute(_UNENDED), lambda row: (row, _why_ended(c, row, *clock)), "work"
        ):
            if error is None:
                continue
            c.execute(
                update(t.work)
                .where(t.work.c.key == work["key"], t.work.c.state == work["state"])
                .values(state="failed", error=error, ended_at=iso(at))
            )
            c.execute(
                insert(t.jobs).values(
                    incident_id=work["incident_id"], why=f"work {work['key']}", not_before=iso(at)
                )
            )


def _why_ended(c: Connection, row: Any, boot: str, now: float) -> str | None:
    """None while it may still be done. How long its process may take to start is counted on the
    clock of leases, which nobody puts back; from this look on, if it was opened on another."""
    if row["state"] == "open":
        if row["beat_clock"] != boot or row["beat"] is None:
            mine = (t.work.c.key == row["key"], t.work.c.state == "open")
            c.execute(update(t.work).where(*mine).values(beat_clock=boot, beat=now))
            return None
        return "its process never started" if now - row["beat"] >= START_WITHIN_S else None
    if row["done_by"] or not is_dead(Writer.model_validate_json(row["writer"])):
        return None  # what it only followed may go on
    return f"its process died: {row['error']}" if row["error"] else "its process died"
