"""What the checks of batch files found, kept beside the batches they were made of."""

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from agentops_graph.adapters.sqlite_warehouse.columns import stored, time_text
from agentops_graph.adapters.sqlite_warehouse.layout import quoted
from agentops_graph.adapters.sqlite_warehouse.tables import create_tables, reading, writing
from agentops_graph.domain.contract import BatchReport, KeptBatch
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.warehouse.history import check_row, quality_row


class BatchRows:
    """Implements `BatchLog` in the warehouse's file."""

    path: Path

    def record_batch(self, kept: KeptBatch) -> bool:
        create_tables(self.path)  # an older file has no table of them
        row, batch = stored(check_row(kept)), stored(quality_row(kept))
        with writing(self.path) as database:
            # The transaction has the lock already, so no other process can come in between.
            there = database.execute(
                "SELECT 1 FROM BATCH_CHECKS WHERE pipeline_name = ? AND batch_id = ?",
                (kept.pipeline, kept.batch_id),
            ).fetchone()
            if there:
                return False
            database["BATCH_CHECKS"].insert(row)
            present = {column.name.lower() for column in database["DATA_QUALITY"].columns}
            database["DATA_QUALITY"].insert({k: v for k, v in batch.items() if k in present})
        return True

    def batch_reports(self, pipeline: str, since: datetime, until: datetime) -> list[BatchReport]:
        rows = self._checks(
            "SELECT report FROM BATCH_CHECKS WHERE pipeline_name = ? AND timestamp >= ? "
            "AND timestamp < ? ORDER BY timestamp, rowid",
            (pipeline, time_text(since), time_text(until)),
        )
        return [BatchReport.model_validate_json(report) for (report,) in rows]

    def known_batches(self, pipeline: str) -> set[str]:
        rows = self._checks("SELECT file FROM BATCH_CHECKS WHERE pipeline_name = ?", (pipeline,))
        return {file for (file,) in rows}

    def batches_since(self, pipeline: str) -> datetime | None:
        rows = self._checks(
            "SELECT min(checked_at) FROM BATCH_CHECKS WHERE pipeline_name = ?", (pipeline,)
        )
        return datetime.fromisoformat(rows[0][0]) if rows and rows[0][0] else None

    def _checks(self, query: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """Nothing while the file or the table is not there yet: no batch was ever checked."""
        try:
            with reading(self.path, "BATCH_CHECKS") as connection:
                return connection.execute(query, values).fetchall()
        except NotEnoughDataError:
            return []

    def rows_of(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and all rows of a table; InputError lists the tables when it is not there."""
        with reading(self.path, table) as connection:
            names = _tables(connection)
            if table not in names:
                raise InputError(
                    f"the warehouse has no table {table}; it has {', '.join(names) or 'none'}",
                    field="--table",
                )
            found = connection.execute(f"SELECT * FROM {quoted(table)}")
            return [column[0] for column in found.description], found.fetchall()


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return [name for (name,) in rows]
