"""Brings an older ledger's tables up to this version's: columns are added, nothing is changed."""

import zlib

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.schema import CreateColumn


def upgrade(connection: Connection, metadata: MetaData) -> None:
    """Creates tables and indexes that are missing and adds columns that are missing.

    A new column is nullable or has a server default, so rows that exist stay valid. On SQLite the
    file remembers which tables it was last brought to, and is not looked through again.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    wanted = _fingerprint(metadata)
    if is_sqlite and connection.execute(text("PRAGMA user_version")).scalar_one() == wanted:
        return
    seen = inspect(connection)
    there = {name: {c["name"] for c in seen.get_columns(name)} for name in seen.get_table_names()}
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        if table.name in there:
            _add_columns(connection, table, there[table.name])
    if is_sqlite:
        connection.execute(text(f"PRAGMA user_version = {wanted}"))


def _add_columns(connection: Connection, table: Table, there: set[str]) -> None:
    for column in table.columns:
        if column.name not in there:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))
    for index in table.indexes:
        index.create(connection, checkfirst=True)


def _fingerprint(metadata: MetaData) -> int:
    """A number in SQLite's 31 bits that changes when a table, column or index is added."""
    shape = [
        (
            table.name,
            [column.name for column in table.columns],
            sorted(index.name or "" for index in table.indexes),
        )
        for table in metadata.sorted_tables
    ]
    return zlib.crc32(repr(shape).encode()) & 0x7FFFFFFF
