"""The warehouse's tables, their indexes, and how a file is opened."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentops_graph.domain.row_kinds import RowKind
from agentops_graph.errors import NotEnoughDataError, UnavailableError
from agentops_graph.warehouse.tables import INDEXES, KEYS, NEEDED, TABLES

# Below this version several connections on a WAL file can corrupt it.
WAL_SAFE = (3, 51, 3)
PATIENCE_S = 30.0

# The tables that people fill, by the word with which they load rows.
KIND_OF: dict[str, RowKind] = {
    "PREDICTION_LOGS": "predictions",
    "MODEL_METRICS": "metrics",
    "DATA_QUALITY": "quality",
    "AGENT_METRICS": "agents",
    "AGENT_OUTPUTS": "outputs",
    "CHANGES": "changes",
}
# Fixed width, so that text order is time order.
TIME_GLOB = "????-??-??T??:??:??.??????+00:00"
AS_TIME = "strftime('%Y-%m-%dT%H:%M:%f000+00:00', {})"
# A CSV brings times as it likes; they are stored in the one form or refused.
TRIGGER = """
CREATE TRIGGER IF NOT EXISTS {table}_time AFTER INSERT ON {table}
WHEN NEW.timestamp NOT GLOB '{glob}'
BEGIN
  SELECT RAISE(ABORT, '{table}.timestamp is not an ISO-8601 time') WHERE {time} IS NULL;
  UPDATE {table} SET timestamp = {time} WHERE rowid = NEW.rowid;
END"""


def create_tables(path: Path | str) -> None:
    """Makes the file, its folder and all tables that are not there yet."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as database:
        for name, columns in TABLES.items():
            table = database[name]
            table.create(columns, pk=KEYS.get(name), if_not_exists=True)
            # A table that a CSV made may lack some of the columns.
            there = {column.name.lower() for column in table.columns}
            for index in INDEXES.get(name, ()):
                if there.issuperset(index):
                    table.create_index(index, if_not_exists=True)
            if "timestamp" in columns and "timestamp" in there:
                time = AS_TIME.format("NEW.timestamp")
                database.execute(TRIGGER.format(table=name, glob=TIME_GLOB, time=time))


@contextmanager
def writing(path: Path | str) -> Iterator[Any]:
    """A sqlite-utils database on a connection of its own, in one transaction."""
    from sqlite_utils import Database

    with told(path):
        connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
        try:
            mode = "WAL" if sqlite3.sqlite_version_info >= WAL_SAFE else "TRUNCATE"
            connection.execute(f"PRAGMA journal_mode={mode}")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Database(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.rollback()
                raise
            connection.commit()
        finally:
            connection.close()


@contextmanager
def reading(path: Path | str, table: str) -> Iterator[sqlite3.Connection]:
    """A connection for one read of `table`; a file that is not there is not made."""
    if not Path(path).exists():
        raise nothing_in(path, table, "is missing: there is no such file")
    with told(path, table):
        connection = sqlite3.connect(path, timeout=PATIENCE_S)
        try:
            connection.execute("PRAGMA query_only=ON")
            yield connection
        finally:
            connection.close()


@contextmanager
def told(path: Path | str, table: str | None = None) -> Iterator[None]:
    """Turns SQLite's errors into ours: what is missing, or that it did not answer."""
    try:
        yield
    except sqlite3.Error as error:
        if table and str(error).startswith(("no such table", "no such column")):
            raise nothing_in(path, table, f"can't be read: {error}") from error
        raise UnavailableError(
            f"the warehouse at {path} did not answer: {error}; check that the file is a SQLite "
            "database, the disk has room and no other process holds a lock, then try again"
        ) from error


def nothing_in(path: Path | str, table: str, seen: str) -> NotEnoughDataError:
    """Says what is wrong with a table, which columns it needs, and the command that loads it."""
    optional = [column for column in TABLES[table] if column not in NEEDED[table]]
    more = f" and can hold {', '.join(optional)}" if optional else ""
    kind, file = KIND_OF.get(table), f"{table.lower()}.csv"
    command = (
        f"agentops ingest {kind} {file}"
        if kind
        else f"sqlite-utils insert {path} {table} {file} --csv"
    )
    return NotEnoughDataError(
        f"the warehouse's {table} {seen}; it needs {', '.join(NEEDED[table])}{more}; load rows "
        f"with `{command}`"
    )
