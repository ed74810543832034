"""The warehouse in a database server: few rows are read, the rest is counted where it is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.agents import SqlAgentLog
from agentops_graph.adapters.sql_warehouse.asking import (
    columns_of,
    count,
    matching,
    moment_of,
    seconds_of,
)
from agentops_graph.adapters.sql_warehouse.batches import SqlBatchLog
from agentops_graph.adapters.sql_warehouse.dialect import Dialect
from agentops_graph.adapters.sql_warehouse.happenings import SqlHistory
from agentops_graph.adapters.sql_warehouse.layout import Layout, Layouts
from agentops_graph.adapters.sql_warehouse.session import Session
from agentops_graph.adapters.sql_warehouse.tallies import Counting
from agentops_graph.adapters.sql_warehouse.windows import Stretch
from agentops_graph.adapters.sql_warehouse.writes import Writer
from agentops_graph.domain.frames import Predictions, Series, SeriesTable
from agentops_graph.domain.metric import Metric
from agentops_graph.domain.outputs import NAME_LIMIT
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.tally import Tally
from agentops_graph.errors import InputError
from agentops_graph.warehouse.frames import frame_of, one_frame
from agentops_graph.warehouse.profiles import ParsedProfiles
from agentops_graph.warehouse.tables import TABLES

SUBJECT = {
    "model_metrics": "model_name",
    "data_quality": "pipeline_name",
    "agent_metrics": "agent_name",
}
MOST_POINTS = 200_000  # of a series, the newest; a row a second for two days
SAMPLE_ROWS = 20_000


class SqlWarehouse(SqlBatchLog, SqlAgentLog, SqlHistory):
    """Implements `Warehouse` and `History` on Postgres or Snowflake; for any number of threads.

    A window with more than `sample_rows` rows is read as a sample of them, `stands_for` saying
    how many there are, and `tally` counts all of it in the database.
    """

    def __init__(
        self,
        session: Session,
        dialect: Dialect,
        *,
        db_schema: str | None = None,
        sample_rows: int = SAMPLE_ROWS,
    ) -> None:
        self.session, self.dialect = session, dialect
        self.layouts = Layouts(session, dialect, db_schema)
        self.writer = Writer(session, self.layouts, dialect, db_schema)
        self._sample_rows = sample_rows
        self._profiles = ParsedProfiles()
        self._counting = Counting(session, dialect)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.session.place

    def create_tables(self) -> None:
        self.writer.create_tables()

    def write(self, table: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Adds rows, or replaces them where the table has a key; returns how many."""
        return self.writer.write(table, rows)

    def rows_of(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Raises InputError: whole tables are not fetched from a server."""
        raise InputError(
            f"{table} is in {self.place}, from which no whole table is read; write some of its "
            "rows to a file and name that",
            field="--table",
        )

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
        stretch = self._stretch(model, since, until, version, labelled=labelled)
        rows = self._count(stretch)
        if not rows:
            self.must_hold("PREDICTION_LOGS")
            return one_frame([])
        layout = stretch.layout
        columns = [
            exp.alias_(layout.micros(), "moment"),
            exp.alias_(layout.text("prediction_id"), "prediction_id"),
            exp.alias_(stretch.features(), "features"),
            *(exp.alias_(self._value(layout, n), n) for n in ("prediction", "confidence")),
            *(exp.alias_(self._value(layout, n), n) for n in ("actual_label", "latency_ms")),
            *(exp.alias_(layout.text(n), n) for n in ("model_version", "segment")),
        ]
        query = stretch.sampled(stretch.select(*columns), rows, self._sample_rows)
        found = self.ask(query.order_by("moment", "prediction_id"), stretch.bound)
        if not found:
            return one_frame([])
        frame = frame_of(seconds_of(found), [row[1:] for row in found])
        return frame if rows <= self._sample_rows else frame.sampled_of(rows)

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
        stretch = self._stretch(model, since, until, version, labelled=False)
        rows = self._count(stretch)
        return self._counting.of(stretch, reference, metric) if rows > self._sample_rows else None

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        layout = self.layouts.of(table.upper())
        known = TABLES[table.upper()].items()
        measures = [column for column, kind in known if kind in (int, float)]
        # The product does not know every metric by name; a team logs its own in a column more.
        own = layout.further() if table == "model_metrics" else []
        stretch = Stretch(layout, SUBJECT[table], subject, since, until)
        values = [exp.alias_(layout.number(name), f"m{n}") for n, name in enumerate(measures)]
        further = [exp.alias_(layout.number(name), f"o{n}") for n, name in enumerate(own)]
        query = stretch.select(exp.alias_(layout.micros(), "moment"), *values, *further)
        newest = query.order_by(exp.column("moment").desc()).limit(MOST_POINTS)
        found = self.ask(newest, stretch.bound)[::-1]
        if not found:
            self.must_hold(table.upper())
        columns = dict(
            zip([*measures, *own], columns_of(found, 1, len(measures) + len(own)), strict=True)
        )
        empty = [name for name in own if not np.isfinite(columns[name]).any()]
        return Series(seconds_of(found), {n: c for n, c in columns.items() if n not in empty})

    def reference(
        self, model: str, version: str | None, *, any_version: bool = False
    ) -> ReferenceProfile | None:
        if any_version:
            version = None
        elif version is None:
            newest = self.latest(model)
            version = newest[1] if newest else None
        layout = self.layouts.of("MODEL_REFERENCE")
        query = exp.select(layout.text("profile")).from_(layout.table.copy())
        query = query.where(matching(layout, "model_name"))
        bound: dict[str, object] = {"p_model_name": model}
        if version is not None:
            query = query.where(matching(layout, "model_version"))
            bound["p_model_version"] = version
        query = query.order_by(exp.Ordered(this=layout.moment("recorded_at"), desc=True)).limit(1)
        rows = self.ask(query, bound)
        return self._profiles.of(rows[0][0]) if rows else None

    def latest(self, model: str) -> tuple[datetime, str] | None:
        layout = self.layouts.of("PREDICTION_LOGS")
        columns = (exp.alias_(layout.micros(), "moment"), layout.text("model_version"))
        query = exp.select(*columns).from_(layout.table.copy())
        query = query.where(matching(layout, "model_name"))
        query = query.order_by(exp.Ordered(this=layout.moment(), desc=True)).limit(1)
        rows = self.ask(query, {"p_model_name": model})
        return (moment_of(rows[0][0]), str(rows[0][1] or "")) if rows else None

    # What they share

    def _stretch(
        self, model: str, since: datetime, until: datetime, version: str | None, *, labelled: bool
    ) -> Stretch:
        layout = self.layouts.of("PREDICTION_LOGS")
        return Stretch(layout, "model_name", model, since, until, version, labelled)

    def _count(self, stretch: Stretch) -> int:
        counted = self.ask(stretch.select(exp.func("COUNT", exp.Star())), stretch.bound)
        return count(counted[0][0])

    def _value(self, layout: Layout, name: str) -> exp.Expr:
        """A number, or the name of a class as it stands."""
        return layout.text(name, NAME_LIMIT) if layout.is_text(name) else layout.number(name)
