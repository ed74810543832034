"""Reads what agents were asked and answered: figures of all requests, texts of a chosen few."""

import json
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from agentops_graph.adapters.sqlite_warehouse.columns import measured, seconds, time_text
from agentops_graph.adapters.sqlite_warehouse.layout import quoted
from agentops_graph.domain.outputs import NAME_LIMIT, TEXT_LIMIT, Calls, Exchange

NAMES = ("request_id", "version", "session_id", "provider", "error")
FIGURES = ("retries", "latency_ms", "cost", "tokens", "progress", "false_positive")
TEXTS = ("request", "response", "context", "expected")
NO_ERROR = ("", "0", "0.0", "false", "none", "null")


def call_columns(present: Iterable[str]) -> str:
    """For a SELECT; names are cut, for an error may bring a whole page along."""
    there = {name.lower() for name in present}
    names = [_cut(name, NAME_LIMIT, there) for name in NAMES]
    figures = [quoted(name) if name in there else "NULL" for name in FIGURES]
    return ", ".join([*names, *figures])


def calls_in(rows: Sequence[tuple[Any, ...]]) -> Calls:
    """The frame of rows of time and `call_columns`."""
    width = 1 + len(NAMES) + len(FIGURES)
    times, *columns = list(zip(*rows, strict=True)) if rows else [() for _ in range(width)]
    named = {
        name: [sys.intern(str(value or "")) for value in values]
        for name, values in zip(NAMES, columns[: len(NAMES)], strict=True)
    }
    figures = dict(zip(FIGURES, map(measured, columns[len(NAMES) :]), strict=True))
    failed = [text.strip().lower() not in NO_ERROR for text in named["error"]]
    return Calls(
        ids=named["request_id"],
        timestamps=seconds(times),
        version=named["version"],
        session=named["session_id"],
        provider=named["provider"],
        failure=named["error"],
        failed=np.array(failed, dtype=np.float64),
        **figures,
    )


def exchanges_in(
    connection: sqlite3.Connection,
    present: Iterable[str],
    time: str,
    agent: str,
    since: datetime,
    until: datetime,
    ids: Sequence[str],
) -> dict[str, Exchange]:
    """The texts of those requests; of several attempts the last."""
    there = {name.lower() for name in present}
    columns = ", ".join(_cut(name, TEXT_LIMIT, there) for name in TEXTS)
    found = connection.execute(
        f"SELECT {_cut('request_id', NAME_LIMIT, there)}, {columns} FROM AGENT_OUTPUTS "
        f"WHERE agent_name = :agent AND {time} >= :since AND {time} < :until "
        "AND SUBSTR(CAST(request_id AS TEXT), 1, 200) IN (SELECT value FROM json_each(:ids)) "
        f"ORDER BY {time}, rowid",
        {
            "agent": agent,
            "since": time_text(since),
            "until": time_text(until),
            "ids": json.dumps(list(ids)),
        },
    )
    return {str(name): Exchange(*(str(text or "") for text in texts)) for name, *texts in found}


def _cut(name: str, longest: int, there: set[str]) -> str:
    column = quoted(name) if name in there else "NULL"
    return f"SUBSTR(CAST({column} AS TEXT), 1, {longest})"
