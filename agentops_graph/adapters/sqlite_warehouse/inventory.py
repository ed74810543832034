"""What a SQLite warehouse holds: whose rows, how many, since when, and a sample of each."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.adapters.sqlite_warehouse.layout import further_columns, selected, time_column
from agentops_graph.adapters.sqlite_warehouse.tables import reading
from agentops_graph.domain.discovery import Subject
from agentops_graph.errors import NotEnoughDataError, UnavailableError
from agentops_graph.warehouse.tables import TABLES

Kind = Literal["model", "pipeline", "agent"]
HOLDERS: tuple[tuple[str, str, Kind], ...] = (
    ("PREDICTION_LOGS", "model_name", "model"),
    ("MODEL_METRICS", "model_name", "model"),
    ("DATA_QUALITY", "pipeline_name", "pipeline"),
    ("AGENT_OUTPUTS", "agent_name", "agent"),
    ("AGENT_METRICS", "agent_name", "agent"),
)
MOST_SUBJECTS = 2000
SAMPLE_ROWS, PARSED_ROWS = 2000, 100
NEWEST_ROWS = 500_000  # looked through for names where no index leads to them
COUNTED_ROWS = 1_000_000
USUAL = timedelta(days=7)
SEGMENTS = 20
LONGEST_NAME = 200

_NEXT_NAME = """
WITH RECURSIVE names(name) AS (
  SELECT min({key}) FROM {table} WHERE {key} > ''
  UNION ALL
  SELECT (SELECT min({key}) FROM {table} WHERE {key} > names.name) FROM names
  WHERE names.name IS NOT NULL
) SELECT name FROM names WHERE name IS NOT NULL LIMIT {limit}"""
_NEWEST_NAMES = """
SELECT DISTINCT {key} FROM (SELECT {key} FROM {table} ORDER BY rowid DESC LIMIT {rows})
WHERE {key} > '' ORDER BY {key} LIMIT {limit}"""


def inventory(path: Path, told: Callable[[int, int, str], None]) -> list[Subject]:
    """Everything that rows name, models first; each read is bounded, so that it ends soon on any
    size of file. `told` hears how many of how many are read. Raises NotEnoughDataError when there
    is no such file, UnavailableError when it is no database."""
    if not path.is_file():
        raise NotEnoughDataError(f"there is no warehouse at {path}; docs/warehouse.md makes one")
    named: dict[tuple[str, Kind], list[str]] = {}
    for table, key, kind in HOLDERS:
        for name in _names(path, table, key):
            named.setdefault((name, kind), []).append(table)
    found = []
    for number, ((name, kind), tables) in enumerate(sorted(named.items(), key=_models_first), 1):
        told(number, len(named), name)
        found.append(_subject(path, name, kind, tables))
    return found


def _models_first(entry: tuple[tuple[str, Kind], list[str]]) -> tuple[int, str]:
    (name, kind), _ = entry
    return ("model", "agent", "pipeline").index(kind), name


def _names(path: Path, table: str, key: str) -> list[str]:
    """Names in a table; none where it is missing."""
    with reading(path, table) as connection:
        if not {key, "timestamp"} <= _columns(connection, table):
            return []
        query = _NEXT_NAME if _is_indexed(connection, table, key) else _NEWEST_NAMES
        query = query.format(key=key, table=table, limit=MOST_SUBJECTS, rows=NEWEST_ROWS)
        rows = connection.execute(query).fetchall()
    return [str(row[0]) for row in rows if 0 < len(str(row[0])) <= LONGEST_NAME]


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]).lower() for row in connection.execute(f"PRAGMA table_info({table})")}


def _is_indexed(connection: sqlite3.Connection, table: str, key: str) -> bool:
    for row in connection.execute(f"PRAGMA index_list({table})").fetchall():
        columns = connection.execute(f'PRAGMA index_info("{row[1]}")').fetchall()
        if columns and str(columns[0][2]).lower() == key:
            return True
    return False


def _subject(path: Path, name: str, kind: Kind, tables: list[str]) -> Subject:
    table, keys = tables[0], {table: key for table, key, _ in HOLDERS}
    values: dict[str, Any] = {"name": name, "kind": kind, "table": table}
    with reading(path, table) as connection:
        values |= _amount(connection, table, keys[table], name)
        if table == "PREDICTION_LOGS":
            values |= _sampled(connection, name)
    if "MODEL_METRICS" in tables:
        values["metrics"] = tuple(_metrics(path, name))
    if kind == "model":
        values["reference_of"] = _reference(path, name, values.get("version", ""))
    return Subject(**values, speaks="AGENT_OUTPUTS" in tables)


def _amount(connection: sqlite3.Connection, table: str, key: str, name: str) -> dict[str, Any]:
    """Rows of the newest week, and how many an hour."""
    time = time_column(connection, table)
    newest = connection.execute(
        f"SELECT {time} AS at FROM {table} WHERE {key} = ? ORDER BY at DESC LIMIT 1", (name,)
    ).fetchone()
    if newest is None or newest[0] is None:
        return {}
    last_at = datetime.fromisoformat(str(newest[0]))
    records = "record_count" if table == "DATA_QUALITY" else "1"
    count, total, first = connection.execute(
        f"SELECT count(*), total(n), min(at) FROM (SELECT {records} AS n, {time} AS at FROM {table}"
        f" WHERE {key} = ? AND {time} >= ? ORDER BY at DESC LIMIT {COUNTED_ROWS})",
        (name, time_text(last_at - USUAL)),
    ).fetchone()
    first_at = datetime.fromisoformat(str(first))
    hours = max(1.0, (last_at - first_at).total_seconds() / 3600)
    found: dict[str, Any] = {"rows": count, "first_at": first_at, "last_at": last_at}
    return found | {"rows_per_hour": total / hours}


def _sampled(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """The newest rows of a model: its version, segments, features, predictions and labels."""
    time = time_column(connection, "PREDICTION_LOGS")
    there = _columns(connection, "PREDICTION_LOGS")
    wanted = ("prediction_id", "prediction", "actual_label", "model_version", "segment", "features")
    rows = connection.execute(
        f"SELECT {selected(wanted, there)}, {time} AS at FROM PREDICTION_LOGS "
        f"WHERE model_name = ? ORDER BY at DESC LIMIT {SAMPLE_ROWS}",
        (name,),
    ).fetchall()
    ids, predictions, labels, versions, segments, features, _ = zip(*rows, strict=True)
    return {
        "ids": tuple(str(one) for one in ids),
        "predictions": tuple(_known(predictions)),
        "labels": tuple(_known(labels)),
        "version": str(versions[0] or ""),
        "segments": tuple(sorted({str(s) for s in segments if s}))[:SEGMENTS],
        "features": tuple(_features(features)),
    }


def _known(values: tuple[Any, ...]) -> Iterator[Any]:
    """Numbers as numbers, also those that a CSV brought as text."""
    for value in values:
        if value is None or value == "":
            continue
        try:
            yield float(value)
        except (TypeError, ValueError):
            yield str(value)[:LONGEST_NAME]


def _features(texts: tuple[Any, ...]) -> list[str]:
    names: dict[str, None] = {}
    for text in texts[:PARSED_ROWS]:
        try:
            document = json.loads(text)
        except (TypeError, ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            names |= dict.fromkeys(map(str, document))
    return list(names)


def _metrics(path: Path, name: str) -> Iterator[str]:
    """Columns of MODEL_METRICS that hold a figure of the model in its newest rows."""
    with reading(path, "MODEL_METRICS") as connection:
        there = [str(r[1]) for r in connection.execute("PRAGMA table_info(MODEL_METRICS)")]
        own = further_columns("MODEL_METRICS", there)
        measures = [c for c, kind in TABLES["MODEL_METRICS"].items() if kind is float] + own
        rows = connection.execute(
            f"SELECT {selected(measures, there)} FROM MODEL_METRICS WHERE model_name = ? "
            f"ORDER BY rowid DESC LIMIT {PARSED_ROWS}",
            (name,),
        ).fetchall()
    for column, values in zip(measures, zip(*rows, strict=True), strict=False):
        if any(isinstance(value, int | float) for value in values):
            yield column


def _reference(path: Path, name: str, version: str) -> str | None:
    """The version whose reference profile is there: the one that wrote last, or any."""
    try:
        with reading(path, "MODEL_REFERENCE") as connection:
            held = [
                str(row[0])
                for row in connection.execute(
                    "SELECT model_version FROM MODEL_REFERENCE WHERE model_name = ? LIMIT 1000",
                    (name,),
                )
            ]
    except (NotEnoughDataError, UnavailableError):
        return None
    return version if version in held else (held[0] if held else None)
