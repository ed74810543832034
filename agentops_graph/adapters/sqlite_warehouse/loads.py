"""What was loaded and how far each load came, and the rows that could not go in."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.adapters.sqlite_warehouse.tables import reading
from agentops_graph.domain.rows import BadRow, Quarantine, Quarantined, Refusal, Taken, beyond
from agentops_graph.errors import ConflictError
from agentops_graph.warehouse.tables import TABLES

TABLES_MADE = """
CREATE TABLE IF NOT EXISTS ROW_LOADS (
  stamp TEXT PRIMARY KEY, content TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
  read INTEGER NOT NULL, loaded INTEGER NOT NULL, repeated INTEGER NOT NULL,
  refused INTEGER NOT NULL, reasons TEXT NOT NULL, has_offset INTEGER,
  begun_at TEXT NOT NULL, ended_at TEXT
);
CREATE TABLE IF NOT EXISTS QUARANTINE (
  number INTEGER PRIMARY KEY AUTOINCREMENT, stamp TEXT NOT NULL, kind TEXT NOT NULL,
  source TEXT NOT NULL, line INTEGER NOT NULL, reason TEXT NOT NULL, raw TEXT NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS QUARANTINE_stamp ON QUARANTINE (stamp);
"""
SHOWN = 100
PAGE = 1000


def make_tables(database: Any) -> None:
    for statement in filter(str.strip, TABLES_MADE.split(";")):
        database.execute(statement)


def has_loads(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ROW_LOADS'")
    return found.fetchone() is not None


def is_prepared(path: Path) -> bool:
    """False for a file that lacks a table of this version, or into which nothing was loaded."""
    if not path.exists():
        return False
    with reading(path, "PREDICTION_LOGS") as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name.upper() for (name,) in found} >= {*TABLES, "ROW_LOADS", "QUARANTINE"}


def known_load(
    path: Path, stamp: str, most_aside: int | None = None
) -> tuple[Taken, str, bool | None, bool] | None:
    """What was taken of it, its content, whether its times have an offset, and whether it ended;
    None for what was never begun."""
    if not path.exists():
        return None
    with reading(path, "PREDICTION_LOGS") as connection:
        if not has_loads(connection):
            return None
        row = connection.execute(
            "SELECT source, kind, read, loaded, repeated, refused, reasons, content, has_offset, "
            "ended_at FROM ROW_LOADS WHERE stamp = ?",
            (stamp,),
        ).fetchone()
        if row is None:
            return None
        shown = connection.execute(
            "SELECT line, reason FROM QUARANTINE WHERE stamp = ? ORDER BY number LIMIT ?",
            (stamp, SHOWN),
        ).fetchall()
    source, kind, read, loaded, repeated, refused, reasons, content, has_offset, ended = row
    taken = Taken(
        source=source,
        kind=kind,
        read=read,
        loaded=loaded,
        repeated=repeated,
        refused=refused,
        unkept=beyond(refused, most_aside),
        reasons=json.loads(reasons),
        shown=tuple(Refusal(line=line, reason=reason) for line, reason in shown),
    )
    return taken, content, None if has_offset is None else bool(has_offset), bool(ended)


def begin_load(database: Any, stamp: str, content: str, taken: Taken, at: datetime) -> None:
    try:
        database.execute(
            "INSERT INTO ROW_LOADS VALUES (?, ?, ?, ?, 0, 0, 0, 0, '{}', NULL, ?, NULL)",
            (stamp, content, taken.kind, taken.source, time_text(at)),
        )
    except sqlite3.IntegrityError:
        raise _under_way(taken.source) from None


def note_load(
    database: Any,
    stamp: str,
    before: int,
    taken: Taken,
    has_offset: bool | None,
    ended_at: datetime | None,
) -> None:
    """How far it came; ConflictError when another process is at the same content."""
    changed = database.execute(
        "UPDATE ROW_LOADS SET read = ?, loaded = ?, repeated = ?, refused = ?, reasons = ?, "
        "has_offset = ?, ended_at = ? WHERE stamp = ? AND read = ? AND ended_at IS NULL",
        (
            taken.read,
            taken.loaded,
            taken.repeated,
            taken.refused,
            json.dumps(taken.reasons),
            has_offset,
            time_text(ended_at) if ended_at else None,
            stamp,
            before,
        ),
    ).rowcount
    if changed != 1:
        raise _under_way(taken.source)


def _under_way(source: str) -> ConflictError:
    return ConflictError(
        f"another process loads the rows of {source} right now; when it has ended, look with "
        "`agentops ingest quarantine` what it left out"
    )


def forget_load(database: Any, stamp: str) -> None:
    database.execute("DELETE FROM QUARANTINE WHERE stamp = ?", (stamp,))
    database.execute("DELETE FROM ROW_LOADS WHERE stamp = ?", (stamp,))


def put_aside(
    database: Any, stamp: str, taken: Taken, rows: Iterable[BadRow], at: datetime
) -> None:
    database.conn.executemany(
        "INSERT INTO QUARANTINE (stamp, kind, source, line, reason, raw, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (stamp, taken.kind, taken.source, row.line, row.reason, row.raw, time_text(at))
            for row in rows
        ],
    )


def condition(path: Path, kind: str | None) -> Quarantine:
    if not path.exists():
        return Quarantine()
    with reading(path, "PREDICTION_LOGS") as connection:
        if not has_loads(connection):
            return Quarantine()
        of_kind = "SELECT count(*) FROM QUARANTINE WHERE ?1 IS NULL OR kind = ?1"
        rows = connection.execute(of_kind, (kind,)).fetchone()[0]
        loads = connection.execute("SELECT count(*) FROM ROW_LOADS").fetchone()[0]
        unfinished = connection.execute(
            "SELECT source FROM ROW_LOADS WHERE ended_at IS NULL ORDER BY begun_at LIMIT 20"
        ).fetchall()
    return Quarantine(rows=rows, loads=loads, unfinished=tuple(name for (name,) in unfinished))


def quarantined(path: Path, kind: str | None, limit: int | None) -> Iterator[Quarantined]:
    """In order; a page at a time, so that no read stays open while somebody looks at a row."""
    if not path.exists():
        return
    last, left = 0, limit
    while left is None or left > 0:
        rows = _page(path, kind, last, PAGE if left is None else min(PAGE, left))
        for number, of_kind, source, line, reason, raw, at in rows:
            yield Quarantined(
                number, of_kind, source, line, reason, raw, datetime.fromisoformat(at)
            )
        if not rows:
            return
        last, left = rows[-1][0], None if left is None else left - len(rows)


def _page(path: Path, kind: str | None, after: int, most: int) -> list[tuple[Any, ...]]:
    with reading(path, "PREDICTION_LOGS") as connection:
        if not has_loads(connection):
            return []
        return connection.execute(
            "SELECT number, kind, source, line, reason, raw, at FROM QUARANTINE "
            "WHERE number > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY number LIMIT ?3",
            (after, kind, most),
        ).fetchall()


def remove(database: Any, numbers: Sequence[int]) -> None:
    database.conn.executemany(
        "DELETE FROM QUARANTINE WHERE number = ?", [(number,) for number in numbers]
    )
