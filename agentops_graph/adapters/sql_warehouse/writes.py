"""The few writes into the database, and the tables they need."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice

from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.dialect import Dialect, placeholder
from agentops_graph.adapters.sql_warehouse.layout import Layout, Layouts
from agentops_graph.adapters.sql_warehouse.session import Bound, Session
from agentops_graph.adapters.sql_warehouse.windows import told
from agentops_graph.errors import InputError, NotEnoughDataError, UnavailableError
from agentops_graph.warehouse.tables import INDEXES, KEYS, NEEDED, TABLES

TIMES = ("timestamp", "recorded_at", "checked_at")
CHUNK_ROWS = 500
MAY_LACK = ("prediction", "features")  # of a row: a prediction that failed
Row = Mapping[str, object]
Statement = tuple[str, Bound]


class Writer:
    """Writes into one schema, each call in one transaction."""

    def __init__(
        self, session: Session, layouts: Layouts, dialect: Dialect, db_schema: str | None
    ) -> None:
        self._session, self._layouts = session, layouts
        self._dialect, self._schema = dialect, db_schema

    def create_tables(self) -> None:
        """Makes the tables that are not there yet, with their indexes where there are any."""
        missing = [name for name in TABLES if not self._has(name)]
        statements = [self.definition(name) for name in missing]
        if self._dialect.buckets:  # Snowflake has no indexes
            statements += [each for name in missing for each in self._indexes(name)]
        for each in statements:  # Snowflake ends a transaction at each of them anyway
            self._session.change([(each, {})])
        self._layouts.forget()

    def make_sure_of(self, *tables: str) -> None:
        """Makes those tables if they are not there."""
        if not all(self._has(name) for name in tables):
            self.create_tables()

    def definition(self, table: str) -> str:
        """`CREATE TABLE`, for whoever prefers to run it themselves."""
        keys = KEYS.get(table, ())
        keys = (keys,) if isinstance(keys, str) else keys
        needed = [name for name in NEEDED[table] if name not in MAY_LACK]
        columns = [
            f"{name} {self._type(name, kind)}{' NOT NULL' if name in needed else ''}"
            for name, kind in TABLES[table].items()
        ]
        columns += [f"PRIMARY KEY ({', '.join(keys)})"] if keys else []
        return f"CREATE TABLE IF NOT EXISTS {self._named(table)} ({', '.join(columns)})"

    def write(self, table: str, rows: Iterable[Row]) -> int:
        if table not in TABLES:
            raise InputError(f"unknown table; one of {', '.join(TABLES)}", field=table)
        self.make_sure_of(table)
        layout, left, written = self._layouts.of(table), iter(rows), 0
        while chunk := list(islice(left, CHUNK_ROWS)):
            self._session.change(self._statements(layout, chunk))
            written += len(chunk)
        return written

    def write_once(self, rows: Sequence[tuple[str, Row]], *keys: str) -> bool:
        """All rows in one transaction, unless the first one's keys are in its table already."""
        table, first = rows[0]
        layout = self._layouts.of(table)
        same = [exp.EQ(this=layout.text(key), expression=placeholder(key)) for key in keys]
        known = exp.select(exp.Literal.number(1)).from_(layout.table.copy()).where(*same).limit(1)
        bound: Bound = {f"p_{key}": first[key] for key in keys}
        if self._session.read(self._dialect.statement(known), bound):
            return False
        statements = [self._insert(self._layouts.of(name), [row]) for name, row in rows]
        try:
            self._session.change(statements)
        except UnavailableError:
            # Another process may have been first; the key of the table kept ours out.
            if self._session.read(self._dialect.statement(known), bound):
                return False
            raise
        return True

    def _statements(self, layout: Layout, rows: list[Row]) -> list[Statement]:
        keys = KEYS.get(layout.name.upper(), ())
        keys = (keys,) if isinstance(keys, str) else keys
        replaced = [self._delete(layout, keys, row) for row in rows] if keys else []
        return [*replaced, self._insert(layout, rows)]

    def _delete(self, layout: Layout, keys: Sequence[str], row: Row) -> Statement:
        same = [exp.EQ(this=layout.text(key), expression=placeholder(key)) for key in keys]
        gone = exp.delete(layout.table.copy()).where(*same)
        return self._dialect.statement(gone), {f"p_{key}": row[key] for key in keys}

    def _insert(self, layout: Layout, rows: Sequence[Row]) -> Statement:
        names = list(dict.fromkeys(n for row in rows for n in row if layout.has(n.lower())))
        bound: Bound = {
            f"p_{number}_{place}": _plain(row.get(name))
            for number, row in enumerate(rows)
            for place, name in enumerate(names)
        }
        marks = [[f"%(p_{n}_{place})s" for place in range(len(names))] for n in range(len(rows))]
        lines = ", ".join(f"({', '.join(line)})" for line in marks)
        # One line is written out by sqlglot; of hundreds it would take seconds.
        first = f"({', '.join(marks[0])})"
        return self._insert_one(layout, names).replace(first, lines, 1), bound

    def _insert_one(self, layout: Layout, names: Sequence[str]) -> str:
        marks = [exp.Placeholder(this=f"p_0_{place}") for place in range(len(names))]
        aliases = [exp.to_identifier(f"c{place}") for place in range(len(names))]
        values = exp.Values(
            expressions=[exp.Tuple(expressions=marks)],
            alias=exp.TableAlias(this=exp.to_identifier("v"), columns=aliases),
        )
        taken = [self._cast(layout, name, f"c{place}") for place, name in enumerate(names)]
        columns = [exp.to_identifier(layout.columns[n.lower()][0], quoted=True) for n in names]
        inserted = exp.insert(
            exp.select(*taken).from_(values), layout.table.copy(), columns=columns
        )
        return self._dialect.statement(inserted)

    def _cast(self, layout: Layout, name: str, column: str) -> exp.Expr:
        value = exp.column(column)
        if name == "features" and not layout.is_text(name):
            return self._dialect.piece(self._dialect.json_value, value)
        if name in TIMES:
            return self._dialect.piece(self._dialect.moment, value)
        known = TABLES[layout.name.upper()].get(name.lower(), str)
        wanted = self._dialect.types[str if layout.is_text(name) else known]
        return exp.cast(value, wanted, dialect=self._dialect.name)

    def _type(self, name: str, kind: type) -> str:
        if name == "features":
            return self._dialect.json_type
        return self._dialect.time_type if name in TIMES else self._dialect.types[kind]

    def _named(self, table: str) -> str:
        # Unquoted, so that the database spells it in its own way.
        return f"{self._quoted_schema}.{table}" if self._schema else table

    @property
    def _quoted_schema(self) -> str:
        name = self._schema or ""
        return name if name.replace("_", "").isalnum() else exp.to_identifier(name, True).sql()

    def _indexes(self, table: str) -> list[str]:
        return [
            f"CREATE INDEX IF NOT EXISTS {table}_{'_'.join(index)} "
            f"ON {self._named(table)} ({', '.join(index)})"
            for index in INDEXES.get(table, ())
        ]

    def _has(self, table: str) -> bool:
        try:
            self._layouts.of(table)
        except NotEnoughDataError as error:
            if "lacks the column" in str(error):
                raise
            return False
        return True


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return told(value)
    if isinstance(value, Mapping):
        return json.dumps(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return float(value) if hasattr(value, "__float__") else str(value)
