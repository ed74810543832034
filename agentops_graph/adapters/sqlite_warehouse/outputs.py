"""Reads what agents were asked and answered: figures of all requests, texts of a chosen few."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agentops_graph.adapters.sqlite_warehouse.columns import seconds, time_text
from agentops_graph.adapters.sqlite_warehouse.layout import columns_in, quoted, time_column
from agentops_graph.adapters.sqlite_warehouse.tables import nothing_in, reading
from agentops_graph.domain.outputs import NAME_LIMIT, TEXT_LIMIT, Calls, Exchange
from agentops_graph.warehouse.outputs import FIGURES, NAMES, TEXTS, calls_in


class SqliteAgentLog:
    """The part of the warehouse's file that holds AGENT_OUTPUTS."""

    path: Path

    def calls(self, agent: str, since: datetime, until: datetime) -> Calls:
        with reading(self.path, "AGENT_OUTPUTS") as connection:
            columns = call_columns(columns_in(connection, self.path, "AGENT_OUTPUTS"))
            bound = {"agent": agent, "since": time_text(since), "until": time_text(until)}
            rows = self._read(connection, columns, "", bound)
        return calls_in(seconds([row[0] for row in rows]), [row[1:] for row in rows])

    def exchanges(
        self, agent: str, since: datetime, until: datetime, ids: Sequence[str]
    ) -> dict[str, Exchange]:
        with reading(self.path, "AGENT_OUTPUTS") as connection:
            there = {n.lower() for n in columns_in(connection, self.path, "AGENT_OUTPUTS")}
            name = _cut("request_id", NAME_LIMIT, there)
            columns = ", ".join([name, *(_cut(text, TEXT_LIMIT, there) for text in TEXTS)])
            chosen = f" AND {name} IN (SELECT value FROM json_each(:ids))"
            bound = {"agent": agent, "since": time_text(since), "until": time_text(until)}
            rows = self._read(connection, columns, chosen, bound | {"ids": json.dumps(list(ids))})
        # Of several attempts the last one counts.
        return {str(name): Exchange(*(str(t or "") for t in texts)) for _, name, *texts in rows}

    def _read(
        self, connection: sqlite3.Connection, columns: str, more: str, bound: dict[str, str]
    ) -> list[tuple[Any, ...]]:
        time = time_column(connection, "AGENT_OUTPUTS")
        if time is None:
            raise nothing_in(self.path, "AGENT_OUTPUTS", "is empty")
        return connection.execute(
            f"SELECT {time} AS at, {columns} FROM AGENT_OUTPUTS WHERE agent_name = :agent "
            f"AND {time} >= :since AND {time} < :until{more} ORDER BY at, rowid",
            bound,
        ).fetchall()


def call_columns(present: Iterable[str]) -> str:
    """For a SELECT; names are cut, for an error may bring a whole page along."""
    there = {name.lower() for name in present}
    names = [_cut(name, NAME_LIMIT, there) for name in NAMES]
    figures = [quoted(name) if name in there else "NULL" for name in FIGURES]
    return ", ".join([*names, *figures])


def _cut(name: str, longest: int, there: set[str]) -> str:
    column = quoted(name) if name in there else "NULL"
    return f"SUBSTR(CAST({column} AS TEXT), 1, {longest})"
