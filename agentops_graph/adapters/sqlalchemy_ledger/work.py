"""Detached work: a row that its own process claims and ends."""

import json
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import (
    Database,
    insert_new,
    iso,
    this_process,
    when,
)
from agentops_graph.domain.action import ACTION, Action
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.ledger import Work
from agentops_graph.errors import NotFoundError
from agentops_graph.faults import fault


class LedgerWork:
    """Implements `DetachedWork`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(
        self, key: str, action: Action, incident_id: str, entry_point: str, *, at: datetime
    ) -> Work:
        with self._db.write() as c:
            insert_new(
                c,
                t.work,
                key=key,
                incident_id=incident_id,
                action=action.model_dump_json(),
                entry_point=entry_point,
                state="open",
                opened_at=iso(at),
            )
            held = self._row(c, key)
            assert held is not None  # inserted or there before
        fault("work.opened")
        return held

    def claim(self, key: str) -> Work | None:
        with self._db.write() as c:
            claimed = c.execute(
                update(t.work)
                .where(t.work.c.key == key, t.work.c.state == "open")
                .values(state="running", writer=this_process().model_dump_json())
            ).rowcount
            row = self._row(c, key) if claimed else None
        fault("work.claimed")
        return row

    def progress(self, key: str, share: float, text: str) -> None:
        with self._db.write() as c:
            c.execute(
                update(t.work).where(t.work.c.key == key).values(share=share, progress=text[:500])
            )

    def finish(
        self, key: str, *, error: str | None, result: dict[str, object], at: datetime
    ) -> None:
        with self._db.write() as c:
            ended = c.execute(
                update(t.work)
                .where(t.work.c.key == key, t.work.c.state == "running")
                .values(
                    state="failed" if error else "done",
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
                c.execute(
                    insert(t.jobs).values(
                        incident_id=row.incident_id, why=f"work {key}", not_before=iso(at)
                    )
                )
            fault("work.before_finish")
        fault("work.finished")

    def find(self, key: str) -> Work | None:
        with self._db.read() as c:
            return self._row(c, key)

    @staticmethod
    def _row(c: Connection, key: str) -> Work | None:
        row = c.execute(select(t.work).where(t.work.c.key == key)).mappings().first()
        if row is None:
            return None
        stored = dict(row)
        stored["action"] = ACTION.validate_json(stored["action"])
        stored["result"] = json.loads(stored["result"])
        stored["opened_at"] = when(stored["opened_at"])
        stored["ended_at"] = when(stored["ended_at"])
        if stored["writer"] is not None:
            stored["writer"] = Writer.model_validate_json(stored["writer"])
        return Work(**stored)
