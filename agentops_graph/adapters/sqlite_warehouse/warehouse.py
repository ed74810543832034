"""Reads and writes of the embedded warehouse, one connection per call."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from agentops_graph.adapters.sqlite_warehouse.batches import BatchRows
from agentops_graph.adapters.sqlite_warehouse.columns import seconds, stored, time_text
from agentops_graph.adapters.sqlite_warehouse.incident_history import incidents_between
from agentops_graph.adapters.sqlite_warehouse.layout import (
    columns_in,
    further_columns,
    narrowed,
    selected,
    time_column,
)
from agentops_graph.adapters.sqlite_warehouse.outputs import SqliteAgentLog
from agentops_graph.adapters.sqlite_warehouse.tables import (
    create_tables,
    nothing_in,
    reading,
    writing,
)
from agentops_graph.domain.frames import Change, PastIncident, Predictions, Series, SeriesTable
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.metric import Metric
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.tally import Tally
from agentops_graph.errors import InputError
from agentops_graph.warehouse.columns import measured
from agentops_graph.warehouse.frames import PREDICTION_COLUMNS, frame_of, one_frame
from agentops_graph.warehouse.history import change_row, incident_row, reference_row
from agentops_graph.warehouse.profiles import ParsedProfiles
from agentops_graph.warehouse.tables import TABLES

SUBJECT = {
    "model_metrics": "model_name",
    "data_quality": "pipeline_name",
    "agent_metrics": "agent_name",
}

CHUNK_ROWS = 2000  # measured: larger chunks are not faster
Rows = list[tuple[Any, ...]]


class SqliteWarehouse(BatchRows, SqliteAgentLog):
    """The warehouse in one SQLite file; safe to share between threads and processes.

    A read of a table that is missing, or that holds nothing at all, raises NotEnoughDataError with
    the command that loads it; a subject without rows gives an empty frame. A database that does not
    answer raises UnavailableError.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._profiles = ParsedProfiles()

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.path)

    def create_tables(self) -> None:
        create_tables(self.path)

    def write(self, table: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Adds rows (or replaces them, where the table has a key); returns how many.

        Times may be datetimes or ISO text, features a mapping or JSON text.
        """
        if table not in TABLES:
            raise InputError(f"unknown table; one of {', '.join(TABLES)}", field=table)
        if not self.path.exists() or not self._has(table):
            self.create_tables()
        count = 0

        def counted() -> Iterator[dict[str, object]]:
            nonlocal count
            for row in rows:
                count += 1
                yield stored(row)

        with writing(self.path) as database:
            database[table].insert_all(counted(), batch_size=1000, replace=True)
        return count

    # Warehouse

    def predictions(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None = None,
        labelled: bool = False,
    ) -> Predictions:
        table = "PREDICTION_LOGS"
        with reading(self.path, table) as connection:
            there = columns_in(connection, self.path, table)
            more = narrowed(there, version, labelled=labelled)
            columns = selected(PREDICTION_COLUMNS, there)
            chunks = self._window(
                connection, table, columns, "model_name", model, since, until, more, version
            )
            # Rows as text take many times the room of arrays: few are held as text at a time.
            return one_frame([_framed(rows) for rows in chunks])

    def tally(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None,
        reference: ReferenceProfile | None,
        metric: Metric,
    ) -> Tally | None:
        return None  # its rows are here

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        name = table.upper()
        measures = [column for column, kind in TABLES[name].items() if kind in (int, float)]
        with reading(self.path, name) as connection:
            present = columns_in(connection, self.path, name)
            # The product does not know every metric by name; a team logs its own in a column more.
            own = further_columns(name, present) if table == "model_metrics" else []
            columns = selected([*measures, *own], present)
            chunks = self._window(connection, name, columns, SUBJECT[table], subject, since, until)
            rows = [row for chunk in chunks for row in chunk]
        times, *values = _columns(rows, len(measures) + len(own) + 1)
        found = dict(zip([*measures, *own], map(measured, values), strict=True))
        worded = [column for column in own if not np.isfinite(found[column]).any()]
        kept = {column: array for column, array in found.items() if column not in worded}
        return Series(timestamps=seconds(times), columns=kept)

    def changes(self, subjects: Sequence[str], since: datetime, until: datetime) -> list[Change]:
        marks = ", ".join("?" for _ in subjects)
        with reading(self.path, "CHANGES") as connection:
            there = columns_in(connection, self.path, "CHANGES")
            columns = selected(("kind", "subject", "summary", "link"), there)
            time = time_column(connection, "CHANGES") or "timestamp"
            found = connection.execute(
                f"SELECT {time} AS at, {columns} FROM CHANGES "
                f"WHERE subject IN ({marks}) AND {time} >= ? AND {time} < ? ORDER BY at, rowid",
                [*subjects, time_text(since), time_text(until)],
            ).fetchall()
        return [
            Change(datetime.fromisoformat(at), str(kind), str(subject), str(summary or ""), link)
            for at, kind, subject, summary, link in found
        ]

    def reference(
        self, model: str, version: str | None, *, any_version: bool = False
    ) -> ReferenceProfile | None:
        if any_version:
            version = None
        elif version is None:
            newest = self.latest(model)
            version = newest[1] if newest else None
        with reading(self.path, "MODEL_REFERENCE") as connection:
            row = connection.execute(
                "SELECT profile FROM MODEL_REFERENCE WHERE model_name = ? "
                "AND (?2 IS NULL OR model_version = ?2) ORDER BY recorded_at DESC LIMIT 1",
                (model, version),
            ).fetchone()
        return self._profiles.of(row[0]) if row else None

    def latest(self, model: str) -> tuple[datetime, str] | None:
        with reading(self.path, "PREDICTION_LOGS") as connection:
            there = columns_in(connection, self.path, "PREDICTION_LOGS")
            column = selected(["model_version"], there)
            time = time_column(connection, "PREDICTION_LOGS") or "timestamp"
            row = connection.execute(
                f"SELECT {time} AS at, {column} FROM PREDICTION_LOGS WHERE model_name = ? "
                "ORDER BY at DESC, rowid DESC LIMIT 1",
                (model,),
            ).fetchone()
        return (datetime.fromisoformat(row[0]), str(row[1] or "")) if row else None

    # History

    def record_incident(self, incident: Incident, resolution: Resolution, root_cause: str) -> None:
        self.write("INCIDENTS", [incident_row(incident, resolution, root_cause)])

    def past_incidents(self, since: datetime, until: datetime) -> list[PastIncident]:
        return incidents_between(self.path, since, until)

    def save_reference(self, profile: ReferenceProfile) -> None:
        self.write("MODEL_REFERENCE", [reference_row(profile)])

    def record_change(self, change: Change) -> None:
        self.write("CHANGES", [change_row(change)])

    def _has(self, table: str) -> bool:
        with reading(self.path, table) as connection:
            return bool(connection.execute(f"PRAGMA table_info({table})").fetchall())

    def _window(
        self,
        connection: sqlite3.Connection,
        table: str,
        columns: str,
        key: str,
        subject: str,
        since: datetime,
        until: datetime,
        more: str = "",
        version: str | None = None,
    ) -> Iterator[Rows]:
        time = time_column(connection, table)
        if time is None:
            raise nothing_in(self.path, table, "is empty")
        found = connection.execute(
            f"SELECT {time} AS at, {columns} FROM {table} WHERE {key} = :subject "
            f"AND {time} >= :since AND {time} < :until{more} ORDER BY at, rowid",
            {
                "subject": subject,
                "since": time_text(since),
                "until": time_text(until),
                "version": version,
            },
        )
        while rows := found.fetchmany(CHUNK_ROWS):
            yield rows


def _framed(rows: Rows) -> Predictions:
    return frame_of(seconds([row[0] for row in rows]), [row[1:] for row in rows])


def _columns(rows: Rows, width: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) if rows else [() for _ in range(width)]
