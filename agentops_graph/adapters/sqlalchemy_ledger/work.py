"""Detached work: a row that its own process claims, keeps alive and ends."""

import json
import math
import signal
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import (
    Database,
    insert_new,
    iso,
    when,
)
from agentops_graph.adapters.sqlalchemy_ledger.readable import readable
from agentops_graph.adapters.sqlalchemy_ledger.whereabouts import signalled, whereabouts
from agentops_graph.adapters.sqlalchemy_ledger.writers import this_process
from agentops_graph.domain.action import ACTION, Action
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.ledger import Work
from agentops_graph.errors import NotFoundError
from agentops_graph.faults import fault

# Asked to end, a process has so long to write down what it holds before it is made to.
GRACE_S = 30.0
_OTHERS = t.effects.alias("others")
_TARGET_IS_FREE = ~(
    select(_OTHERS.c.key)
    .where(_OTHERS.c.target == t.effects.c.target, _OTHERS.c.state.in_(("intent", "unknown")))
    .exists()
)


class LedgerWork:
    """Implements `DetachedWork`.

    Heartbeats are on the clock of leases (this boot's on SQLite, the server's on Postgres): the
    wall clock may be put forward and make a living process look silent for hours, or back and hide
    that one is. A heartbeat on the clock of another boot can't be compared; whoever finds one
    counts from then on. How long work has been running its own process measures and writes down,
    so that no clock but its own ends it.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(
        self,
        key: str,
        action: Action,
        incident_id: str,
        entry_point: str,
        *,
        at: datetime,
        longest_s: float | None = None,
    ) -> Work:
        with self._db.write() as c:
            boot, now = self._db.lease_clock(c)
            insert_new(
                c,
                t.work,
                key=key,
                incident_id=incident_id,
                action=action.model_dump_json(),
                entry_point=entry_point,
                state="open",
                opened_at=iso(at),
                longest_s=longest_s,
                beat_clock=boot,
                beat=now,
            )
            held = self._row(c, key)
            assert held is not None  # inserted or there before
        fault("work.opened")
        return held

    def claim(self, key: str) -> Work | None:
        with self._db.write() as c:
            boot, now = self._db.lease_clock(c)
            claimed = c.execute(
                update(t.work)
                .where(t.work.c.key == key, t.work.c.state == "open")
                .values(
                    state="running",
                    writer=this_process().model_dump_json(),
                    beat_clock=boot,
                    beat=now,
                )
            ).rowcount
            row = self._row(c, key) if claimed else None
        fault("work.claimed")
        return row

    def progress(self, key: str, share: float, text: str, *, done_by: str | None = None) -> None:
        more = {} if done_by is None else {"done_by": done_by}
        with self._db.write() as c:
            c.execute(
                update(t.work)
                .where(t.work.c.key == key)
                .values(share=share, progress=text[:500], **more)
            )

    def beat(self, key: str, ran_s: float | None = None) -> None:
        more = {} if ran_s is None else {"ran_s": ran_s}
        with self._db.write() as c:
            boot, now = self._db.lease_clock(c)
            c.execute(
                update(t.work)
                .where(t.work.c.key == key, t.work.c.state == "running")
                .values(beat_clock=boot, beat=now, **more)
            )

    def underway(self) -> list[Work]:
        with self._db.read() as c:
            rows = c.execute(select(t.work).where(t.work.c.state == "running"))
            return readable(rows, lambda row: self._work(c, dict(row)), "work")

    def lose(self, work: Work, *, why: str, at: datetime) -> bool:
        with self._db.write() as c:
            lost = c.execute(
                update(t.work)
                .where(
                    t.work.c.key == work.key,
                    t.work.c.state == "running",
                    t.work.c.beat == work.beat,
                )
                .values(state="lost", error=why)
            ).rowcount
            if lost:
                self._doubt(c, work, why, at)
                self._resume(c, work, at)
                self._audit(c, "work.lost", work, at, why=why)
            fault("work.before_lost")
        fault("work.lost")
        return bool(lost)

    def _doubt(self, c: Connection, work: Work, why: str, at: datetime) -> None:
        """What the effect began may be going on: until a person says, nothing else starts there."""
        doubted = c.execute(
            update(t.effects)
            .where(t.effects.c.key == work.key, t.effects.c.state == "done", _TARGET_IS_FREE)
            .values(state="unknown", error=why)
        ).rowcount
        if doubted:
            mine = t.incidents.c.incident_id == work.incident_id
            c.execute(update(t.incidents).where(mine).values(needs_reconcile=True))
            self._audit(c, "effect.unknown", work, at, error=why)

    def tell_to_end(self, work: Work, *, why: str, at: datetime) -> bool:
        how = self._told(work, why, at)
        fault("work.before_signal")
        return how is not None and work.writer is not None and signalled(work.writer, how)

    def _told(self, work: Work, why: str, at: datetime) -> signal.Signals | None:
        """Writes down that it is told, and by which signal; None when it was told before."""
        if work.writer is None or whereabouts(work.writer) != "here":
            return None
        with self._db.write() as c:
            _, now = self._db.lease_clock(c)
            mine = (t.work.c.key == work.key, t.work.c.state == "running")
            asked = update(t.work).where(*mine, t.work.c.told.is_(None))
            if c.execute(asked.values(told=now, error=why)).rowcount:
                self._audit(c, "work.told_to_end", work, at, why=why)
                return signal.SIGTERM
            made = update(t.work).where(*mine, t.work.c.told <= now - GRACE_S)
            return signal.SIGKILL if c.execute(made.values(told=math.inf)).rowcount else None

    def finish(
        self, key: str, *, error: str | None, result: dict[str, object], at: datetime
    ) -> Work:
        state = "failed" if error else "done"
        with self._db.write() as c:
            ended = c.execute(
                update(t.work)
                .where(t.work.c.key == key, t.work.c.state == "running")
                .values(
                    state=state,
                    error=error,
                    result=json.dumps(result),
                    share=1.0,
                    ended_at=iso(at),
                )
            ).rowcount
            row = self._row(c, key)
            if row is None:
                raise NotFoundError(f"there is no work {key!r}")
            if ended:
                self._resume(c, row, at)
            elif row.state == "lost" and row.late is None:
                said = error or str(result.get("summary", "no summary"))
                row = row.model_copy(update={"late": f"{state}: {said}"[:1000]})
                c.execute(update(t.work).where(t.work.c.key == key).values(late=row.late))
                self._audit(c, "work.late_result", row, at, state=state, said=said[:1000])
                fault("work.before_late")
            fault("work.before_finish")
        fault("work.finished")
        return row

    @staticmethod
    def _resume(c: Connection, work: Work, at: datetime) -> None:
        c.execute(
            insert(t.jobs).values(
                incident_id=work.incident_id, why=f"work {work.key}", not_before=iso(at)
            )
        )

    def _audit(self, c: Connection, what: str, work: Work, at: datetime, **fields: str) -> None:
        append(
            c,
            self._db.audit_key,
            what,
            actor="runner",
            via="runner",
            at=at,
            incident_id=work.incident_id,
            key=work.key,
            **fields,
        )

    def find(self, key: str) -> Work | None:
        with self._db.read() as c:
            return self._row(c, key)

    def _row(self, c: Connection, key: str) -> Work | None:
        row = c.execute(select(t.work).where(t.work.c.key == key)).mappings().first()
        return None if row is None else self._work(c, dict(row))

    def _work(self, c: Connection, stored: dict[str, Any]) -> Work:
        stored["action"] = ACTION.validate_json(stored["action"])
        stored["result"] = json.loads(stored["result"])
        stored["opened_at"] = when(stored["opened_at"])
        stored["ended_at"] = when(stored["ended_at"])
        beat_clock, _ = stored.pop("beat_clock"), stored.pop("told")
        if stored["writer"] is not None:
            stored["writer"] = Writer.model_validate_json(stored["writer"])
        if stored["state"] == "running":
            boot, now = self._db.lease_clock(c)
            is_known = beat_clock == boot and stored["beat"] is not None
            stored["silent_s"] = max(0.0, now - stored["beat"]) if is_known else None
            stored["whereabouts"] = whereabouts(stored["writer"])
        return Work(**stored)
