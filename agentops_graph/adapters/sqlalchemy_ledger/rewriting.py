"""Puts the rows of a ledger under another encryption key, and leaves no trace of before."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Row, Table, Text, and_, select, text, tuple_, type_coerce, update

from agentops_graph.adapters.sqlalchemy_ledger.database import Database
from agentops_graph.adapters.sqlalchemy_ledger.key_in_use import use_key
from agentops_graph.adapters.sqlalchemy_ledger.sealed import Sealed
from agentops_graph.adapters.sqlalchemy_ledger.tables import metadata
from agentops_graph.audit_ports import silent
from agentops_graph.encryption import Ring

PAGE = 500  # rows a transaction: others wait for it


def rewrite(database: Database, told: Callable[[int], None] = silent) -> int:
    """Puts every sealed column under the ring's key, or in plain text when it has none to write
    with; says how many rows that changed. What it left behind when it was stopped, it does the
    next time. From its end on the ring's key alone reads everything; processes that have another
    can't write any more."""
    seen = changed = 0
    for table in metadata.sorted_tables:
        sealed = [column for column in table.columns if isinstance(column.type, Sealed)]
        for page in _pages(database, table, sealed) if sealed else ():
            changed += _rewritten(database, table, sealed, page)
            seen += len(page)
            told(seen)
    with database.write() as c:
        use_key(c, database.ring)
    if database.is_sqlite:  # whatever changed: it may have been stopped here the last time
        _forget_free_pages(database)
    return changed


def _pages(
    database: Database, table: Table, sealed: Sequence[Column[Any]]
) -> Iterator[Sequence[Row[Any]]]:
    key = list(table.primary_key)
    stored = [type_coerce(column, Text).label(column.name) for column in sealed]
    query = select(*key, *stored).order_by(*key).limit(PAGE)
    last: tuple[Any, ...] | None = None
    while True:
        after = query if last is None else query.where(tuple_(*key) > tuple_(*last))
        with database.read() as c:
            page = c.execute(after).all()
        if not page:
            return
        yield page
        last = tuple(page[-1][: len(key)])


def _rewritten(
    database: Database, table: Table, sealed: Sequence[Column[Any]], page: Sequence[Row[Any]]
) -> int:
    changed = 0
    with database.write() as c:
        for row in page:
            held = row._asdict()
            fresh = {
                column.name: other
                for column in sealed
                if (other := _fresh(database.ring, column, held[column.name])) is not None
            }
            if not fresh:
                continue
            # Only where it still is what was read: another process may have changed it since, and
            # what that wrote is under a key of today.
            unchanged = [type_coerce(table.c[name], Text) == held[name] for name in fresh]
            is_row = [column == held[column.name] for column in table.primary_key]
            values = {name: type_coerce(value, Text) for name, value in fresh.items()}
            written = update(table).where(and_(*is_row, *unchanged)).values(values)
            changed += c.execute(written).rowcount
    return changed


def _fresh(ring: Ring, column: Column[Any], stored: str | None) -> str | None:
    """What is to be stored instead; None when it may stay."""
    assert isinstance(column.type, Sealed)
    if stored is None or ring.is_current(stored):
        return None
    return ring.seal(ring.unseal(stored, column.type.place), column.type.place)


def _forget_free_pages(database: Database) -> None:
    """Pages that became free still hold what was in them; the file is written anew without."""
    with database.read() as c:
        c.execute(text("VACUUM"))
