"""What a table of the database really holds: its own spelling, its columns and their types."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.dialect import (
    TEXT_TYPES,
    Dialect,
    quoted,
)
from agentops_graph.adapters.sql_warehouse.session import Session
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.warehouse.tables import NEEDED, TABLES

KNOWN_S = 300.0  # how long a layout is remembered


@dataclass(frozen=True)
class Layout:
    """One table as it stands. Names are compared without case, as both databases fold it their own
    way."""

    dialect: Dialect
    name: str
    db_schema: str
    columns: Mapping[str, tuple[str, str]] = field(repr=False)  # lower case: spelling, type

    @property
    def table(self) -> exp.Table:
        name = exp.to_identifier(self.name, quoted=True)
        return exp.Table(this=name, db=exp.to_identifier(self.db_schema, quoted=True))

    def has(self, column: str) -> bool:
        return column in self.columns

    def is_text(self, column: str) -> bool:
        held = self.columns[column][1].lower() if self.has(column) else ""
        return any(word in held for word in TEXT_TYPES)

    def column(self, name: str) -> exp.Expr:
        """As it is; NULL for one that the table lacks."""
        return quoted(self.columns[name][0]) if self.has(name) else exp.null()

    def text(self, name: str, longest: int | None = None) -> exp.Expr:
        kind = self.dialect.types[str]
        cast = exp.cast(self.column(name), kind, dialect=self.dialect.name)
        if longest is None:
            return cast
        return exp.Left(this=cast, expression=exp.Literal.number(longest))

    def number(self, name: str) -> exp.Expr:
        """A measure as a double; text that is no number is NULL."""
        if self.is_text(name):
            return self.dialect.piece(self.dialect.text_number, self.column(name))
        return exp.cast(self.column(name), self.dialect.types[float], dialect=self.dialect.name)

    def moment(self, name: str = "timestamp") -> exp.Expr:
        # The cast of a column that is one already costs nothing and keeps its index.
        return self.dialect.piece(self.dialect.moment, self.column(name))

    def micros(self, name: str = "timestamp") -> exp.Expr:
        return self.dialect.piece(self.dialect.micros, self.moment(name))

    def further(self) -> list[str]:
        """Columns that are not the product's own, such as a metric of the team's."""
        own = TABLES[self.name.upper()]
        return [name for name in self.columns if name not in own]


class Layouts:
    """The tables of one schema, each looked up once in a while."""

    def __init__(
        self,
        session: Session,
        dialect: Dialect,
        db_schema: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._dialect, self.db_schema = session, dialect, db_schema
        self._clock, self._lock = clock, Lock()
        self._known: dict[str, tuple[float, Layout]] = {}

    def of(self, table: str) -> Layout:
        """Raises NotEnoughDataError for a table that is not there or lacks a needed column."""
        with self._lock:
            at, known = self._known.get(table, (0.0, None))
        if known is not None and self._clock() - at < KNOWN_S:
            return known
        found = self._looked_up(table)
        with self._lock:
            self._known[table] = (self._clock(), found)
        return found

    def forget(self) -> None:
        """After a change of the tables."""
        with self._lock:
            self._known.clear()

    def nothing_in(self, table: str, seen: str) -> NotEnoughDataError:
        optional = [column for column in TABLES[table] if column not in NEEDED[table]]
        more = f" and can hold {', '.join(optional)}" if optional else ""
        return NotEnoughDataError(
            f"the warehouse's {table} {seen} ({self._session.place}); it needs "
            f"{', '.join(NEEDED[table])}{more}; `agentops init` makes the tables where it may"
        )

    def _looked_up(self, table: str) -> Layout:
        rows = self._session.read(self._dialect.statement(self._query()), {"p_table": table})
        if not rows:
            raise self.nothing_in(table, "is missing, or nobody let us see it")
        # Two tables whose names differ in case only: the first by name is taken, whole.
        db_schema, name = min((str(row[0]), str(row[1])) for row in rows)
        here = [row for row in rows if (str(row[0]), str(row[1])) == (db_schema, name)]
        columns = {str(row[2]).lower(): (str(row[2]), str(row[3])) for row in here}
        self._check(table, columns)
        return Layout(self._dialect, name, db_schema, columns)

    def _query(self) -> exp.Select:
        names = ("table_schema", "table_name", "column_name", "data_type")
        found = exp.select(*names).from_("information_schema.columns")
        found = found.where("UPPER(table_name) = :p_table", dialect="snowflake")
        if self.db_schema is None:
            return found.where("table_schema = CURRENT_SCHEMA()", dialect="snowflake")
        schema = exp.Literal.string(self.db_schema.upper())
        return found.where(exp.EQ(this=exp.func("UPPER", "table_schema"), expression=schema))

    def _check(self, table: str, there: Iterable[str]) -> None:
        lacking = [name for name in NEEDED[table] if name not in set(there)]
        if lacking:
            plural = "s" if len(lacking) > 1 else ""
            raise self.nothing_in(table, f"lacks the column{plural} {', '.join(lacking)}")
