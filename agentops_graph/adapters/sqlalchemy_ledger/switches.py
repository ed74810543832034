"""The kill switch."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database


class LedgerSwitches:
    """Implements `Switches`; the executor reads the row inside its own statement."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def pause_actions(self, *, everything: bool, by: str, at: datetime) -> None:
        value = "all" if everything else "actions"
        with self._db.write() as c:
            c.execute(delete(t.switches).where(t.switches.c.name == "pause"))
            c.execute(insert(t.switches).values(name="pause", value=value))
            append(c, self._db.audit_key, "actions.paused", actor=by, via="cli", at=at, value=value)

    def resume_actions(self, *, by: str, at: datetime) -> None:
        with self._db.write() as c:
            c.execute(delete(t.switches).where(t.switches.c.name == "pause"))
            append(c, self._db.audit_key, "actions.resumed", actor=by, via="cli", at=at)

    def paused(self) -> str | None:
        with self._db.read() as c:
            value = c.execute(
                select(t.switches.c.value).where(t.switches.c.name == "pause")
            ).scalar_one_or_none()
        return None if value is None else str(value)
