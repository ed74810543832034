"""What every read of the database shares: the tables, the question, and its answer as arrays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.dialect import Dialect, placeholder
from agentops_graph.adapters.sql_warehouse.layout import Layout, Layouts
from agentops_graph.adapters.sql_warehouse.session import Bound, Rows, Session
from agentops_graph.adapters.sql_warehouse.writes import Writer
from agentops_graph.errors import UnavailableError
from agentops_graph.warehouse.columns import measured

Floats = NDArray[np.float64]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Asking:
    """One schema of one database."""

    session: Session
    dialect: Dialect
    layouts: Layouts
    writer: Writer

    def ask(self, query: exp.Select, bound: Bound) -> Rows:
        return self.session.read(self.dialect.statement(query), bound)

    def between(self, query: exp.Select, layout: Layout) -> exp.Select:
        """From `p_since` to before `p_until`."""
        moment = self.dialect.moment
        since, until = (self.dialect.piece(moment, placeholder(n)) for n in ("since", "until"))
        query = query.where(exp.GTE(this=layout.moment(), expression=since))
        return query.where(exp.LT(this=layout.moment(), expression=until))

    def must_hold(self, table: str) -> None:
        """Raises NotEnoughDataError for a table without a single row."""
        layout = self.layouts.of(table)
        one = exp.select(exp.Literal.number(1)).from_(layout.table.copy()).limit(1)
        if not self.ask(one, {}):
            raise self.layouts.nothing_in(table, "is empty")


def matching(layout: Layout, column: str) -> exp.Expr:
    """The rows whose column is the bound value of the same name."""
    return exp.EQ(this=layout.text(column), expression=placeholder(column))


def seconds_of(rows: Rows) -> Floats:
    """The first column, in microseconds, as seconds since the epoch."""
    return np.array([count(row[0]) for row in rows], dtype=np.int64) / 1e6


def moment_of(micros: object) -> datetime:
    return EPOCH + timedelta(microseconds=count(micros))


def count(value: Any) -> int:
    """A whole number of an answer; UnavailableError when the database answered something else."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise UnavailableError(
            f"the warehouse answered {str(value)[:80]!r} where a number was asked for"
        ) from error


def columns_of(rows: Rows, first: int, width: int) -> list[Floats]:
    """So many columns from `first` on, as arrays of numbers."""
    taken: Sequence[tuple[Any, ...]] = [row[first : first + width] for row in rows]
    parted = list(zip(*taken, strict=True)) if taken else [() for _ in range(width)]
    return [measured(column) for column in parted]
