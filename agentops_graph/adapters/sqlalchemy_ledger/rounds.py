"""Whose turn it is to look at a component, and how well each can be seen."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from agentops_graph.adapters.sqlalchemy_ledger.database import Database, insert_new, iso, when
from agentops_graph.adapters.sqlalchemy_ledger.sight_table import sights
from agentops_graph.adapters.sqlalchemy_ledger.writers import is_dead, this_process
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.schedule import is_due
from agentops_graph.domain.sight import Sight, Turn

MOMENTS = ("due_at", "looked_at", "seen_at", "blind_since", "gap_from", "back_at")
OF_A_TURN = ("token", "holder", "boot_id", "until")
_PLANNED = select(sights.c.component, sights.c.due_at, *(sights.c[name] for name in OF_A_TURN))
_ALL = select(sights).order_by(sights.c.component)
_OWN = update(sights).where(sights.c.component == bindparam("named"))
_HELD = _OWN.where(sights.c.token == bindparam("held"))


class LedgerRounds:
    """Implements `Rounds`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def take(
        self, every_s: Mapping[str, float], *, seconds: float, at: datetime, limit: int = 10_000
    ) -> list[Turn]:
        with self._db.read() as c:  # most of the time nothing is due, and nobody need be kept out
            if not self._due(c, every_s, at):
                return []
        with self._db.write(fenced=False) as c:
            due = self._due(c, every_s, at)[:limit]
            boot, now = self._db.lease_clock(c)
            holder = this_process().model_dump_json()
            _insert_missing(c, due)
            held = {"holder": holder, "boot_id": boot, "until": now + seconds}
            if due:
                taken = _OWN.values(token=sights.c.token + 1, **held)
                c.execute(taken, [{"named": name} for name in due])
            rows = {row["component"]: row for row in c.execute(_ALL).mappings()}
        return [Turn(sight=_sight(rows[name]), token=rows[name]["token"]) for name in due]

    def _due(self, c: Connection, every_s: Mapping[str, float], at: datetime) -> list[str]:
        """Those that nobody looks at and whose time has come, the longest due first."""
        boot, now = self._db.lease_clock(c)
        rows = {row["component"]: row for row in c.execute(_PLANNED).mappings()}
        due = [
            (row["due_at"] or "" if row else "", name)
            for name, each_s in every_s.items()
            for row in [rows.get(name)]
            if row is None
            or (is_due(when(row["due_at"]), each_s, at) and not _is_held(row, boot, now))
        ]
        return [name for _, name in sorted(due)]

    def settle(self, turns: Sequence[Turn]) -> None:
        if not turns:
            return
        own = [_stored(turn) for turn in turns if turn.token is not None]
        others = [_stored(turn) for turn in turns if turn.token is None]
        with self._db.write(fenced=False) as c:
            if own:
                c.execute(_HELD.values(holder="", until=0.0, **_columns("due_at")), own)
            _insert_missing(c, [row["named"] for row in others])
            if others:
                c.execute(_OWN.values(**_columns()), others)

    def sights(self) -> list[Sight]:
        with self._db.read() as c:
            return [_sight(row) for row in c.execute(_ALL).mappings()]


def _insert_missing(c: Connection, names: Sequence[str]) -> None:
    there = set(c.execute(select(sights.c.component)).scalars())
    for name in set(names) - there:
        insert_new(c, sights, component=name)


def _columns(*more: str) -> dict[str, Any]:
    known = set(Sight.model_fields) - {"component", "due_at"} | set(more)
    return {name: bindparam(f"new_{name}") for name in sorted(known)}


def _is_held(row: RowMapping, boot: str, now: float) -> bool:
    if not row["holder"] or row["boot_id"] != boot or row["until"] <= now:
        return False
    return not is_dead(Writer.model_validate_json(row["holder"]))


def _stored(turn: Turn) -> dict[str, Any]:
    values = turn.sight.model_dump()
    values |= {name: iso(values[name]) for name in MOMENTS if values[name] is not None}
    values["readings"] = json.dumps(values["readings"])
    fresh = {f"new_{name}": value for name, value in values.items() if name != "component"}
    return {"named": turn.sight.component, "held": turn.token, **fresh}


def _sight(row: RowMapping) -> Sight:
    values = {name: row[name] for name in Sight.model_fields}
    values["readings"] = json.loads(values["readings"])
    return Sight(**values | {name: when(values[name]) for name in MOMENTS})
