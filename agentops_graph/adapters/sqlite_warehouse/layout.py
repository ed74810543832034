"""What a table made by another tool really holds, and how to read it all the same."""

import fnmatch
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agentops_graph.adapters.sqlite_warehouse.tables import AS_TIME, TIME_GLOB, nothing_in
from agentops_graph.warehouse.tables import NEEDED, TABLES


def columns_in(connection: sqlite3.Connection, path: Path, table: str) -> list[str]:
    """The names of the table's columns as they stand; NotEnoughDataError names a missing table or
    the needed columns it lacks."""
    found = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({quoted(table)})")]
    if not found:
        raise nothing_in(path, table, "is missing")
    there = {name.lower() for name in found}
    lacking = [name for name in NEEDED[table] if name not in there]
    if lacking:
        plural = "s" if len(lacking) > 1 else ""
        raise nothing_in(path, table, f"lacks the column{plural} {', '.join(lacking)}")
    return found


def selected(wanted: Iterable[str], present: Iterable[str]) -> str:
    """The wanted columns for a SELECT; one that the table lacks reads as NULL."""
    there = {name.lower() for name in present}
    # SQLite would take an unknown quoted name for a text.
    return ", ".join(quoted(c) if c.lower() in there else f"NULL AS {quoted(c)}" for c in wanted)


def further_columns(table: str, present: Iterable[str]) -> list[str]:
    """Columns that are not the product's own, such as a metric of the team's."""
    return [name for name in present if name.lower() not in TABLES[table]]


def narrowed(present: Iterable[str], version: str | None, *, labelled: bool) -> str:
    """The rest of a WHERE over predictions: those of one version, those with a label."""
    there = {name.lower() for name in present}
    held = "model_version" if "model_version" in there else "NULL"
    # A CSV may have made numbers of versions, or left them out.
    more = "" if version is None else f" AND CAST(COALESCE({held}, '') AS TEXT) = :version"
    if labelled:
        known = "actual_label IS NOT NULL AND actual_label != ''"
        more += f" AND {known}" if "actual_label" in there else " AND 0"
    return more


def time_column(connection: sqlite3.Connection, table: str) -> str | None:
    """How to read the table's time in the one stored form; None for an empty table.

    A table that another tool made from a CSV keeps the times as they came; these are turned while
    reading, which is slower and just as right.
    """
    row = connection.execute(
        f"SELECT timestamp FROM {table} ORDER BY rowid DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    stored = fnmatch.fnmatchcase(str(row[0]), TIME_GLOB)
    return "timestamp" if stored else AS_TIME.format("timestamp")


def store_times(database: Any, table: str) -> None:
    """Gives the times of a table that another tool made the stored form, before rows that have it
    are added: a table is read as its newest row says."""
    if time_column(database, table) not in (None, "timestamp"):
        time = AS_TIME.format("timestamp")
        database.execute(
            f"UPDATE {table} SET timestamp = COALESCE({time}, timestamp) "
            f"WHERE timestamp NOT GLOB '{TIME_GLOB}'"
        )


def quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
