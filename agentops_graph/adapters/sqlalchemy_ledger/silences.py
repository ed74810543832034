"""Silences and maintenance windows, as rows that every process reads."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, next_number, when
from agentops_graph.domain.ledger import Silence
from agentops_graph.errors import NotFoundError


class LedgerSilences:
    """Implements `Silences`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, silence: Silence) -> Silence:
        with self._db.write() as c:
            numbered = silence.model_copy(update={"silence_id": f"S-{next_number(c, 'silence')}"})
            values = numbered.model_dump() | {
                "starts_at": iso(numbered.starts_at),
                "ends_at": iso(numbered.ends_at),
            }
            c.execute(insert(t.silences).values(**values))
            append(
                c,
                self._db.audit_key,
                f"{numbered.kind}.added",
                actor=numbered.by,
                via="cli",
                at=numbered.starts_at,
                silence_id=numbered.silence_id,
                component=numbered.component,
                until=iso(numbered.ends_at),
            )
            return numbered

    def end(self, silence_id: str, *, by: str, at: datetime) -> Silence:
        with self._db.write() as c:
            row = (
                c.execute(select(t.silences).where(t.silences.c.silence_id == silence_id))
                .mappings()
                .first()
            )
            if row is None:
                raise NotFoundError(f"no silence {silence_id!r}; `agentops silences` lists them")
            held = _silence(row)
            if held.ends_at <= at:
                return held
            c.execute(
                update(t.silences)
                .where(t.silences.c.silence_id == silence_id)
                .values(ends_at=iso(at))
            )
            append(
                c,
                self._db.audit_key,
                f"{held.kind}.ended",
                actor=by,
                via="cli",
                at=at,
                silence_id=silence_id,
            )
            return held.model_copy(update={"ends_at": at})

    def active(self, at: datetime) -> list[Silence]:
        query = (
            select(t.silences).where(t.silences.c.ends_at > iso(at)).order_by(t.silences.c.ends_at)
        )
        with self._db.read() as c:
            return [_silence(row) for row in c.execute(query).mappings()]


def _silence(row: Any) -> Silence:
    stored = dict(row)
    return Silence(
        **stored | {"starts_at": when(stored["starts_at"]), "ends_at": when(stored["ends_at"])}
    )
