"""Statements on Postgres, through psycopg."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.sql_warehouse.session import Bound, Connections, Rows
from agentops_graph.domain.sources.warehouse import PostgresWarehouse
from agentops_graph.errors import NotEnoughDataError, UnavailableError

if TYPE_CHECKING:
    import psycopg

CONNECT_S = 10
SOON_S = 1.0  # a line that was dead before says so at once
GRACE_S = 5.0  # after the server's own limit; then the line is taken to be dead


class PostgresSession:
    """One Postgres database. Reads can't write: their transactions are read-only."""

    def __init__(self, source: PostgresWarehouse, password: str | None) -> None:
        self._source, self._password = source, password
        self._connections = Connections(self._connect, _close)

    @property
    def place(self) -> str:
        return f"Postgres at {self._source.host}:{self._source.port}/{self._source.database}"

    def read(self, statement: str, bound: Bound) -> Rows:
        import psycopg

        with self._told():
            try:
                return self._read(statement, bound, fresh=False)
            except _Stale:  # the server was restarted since; a new connection tells how it is now
                with suppress(psycopg.Error):
                    self._connections.close()
                return self._read(statement, bound, fresh=True)

    def change(self, statements: Sequence[tuple[str, Bound]]) -> None:
        # A fresh connection, for a change is never tried twice.
        with (
            self._told(),
            self._connections.one(fresh=True) as (connection, _),
            self._deadline(connection),
        ):
            connection.read_only = False
            self._begin(connection)
            for statement, bound in statements:
                connection.execute(_plain(statement), bound)
            connection.commit()

    def close(self) -> None:
        self._connections.close()

    def _read(self, statement: str, bound: Bound, *, fresh: bool) -> Rows:
        import psycopg

        began = time.monotonic()
        with self._connections.one(fresh=fresh) as (connection, was_idle):
            try:
                with self._deadline(connection):
                    connection.read_only = True
                    self._begin(connection)
                    rows = connection.execute(_plain(statement), bound).fetchall()
                    connection.rollback()
            except psycopg.OperationalError as error:
                waited_s = time.monotonic() - began
                is_dead = connection.closed and error.sqlstate in _LOST
                if was_idle and is_dead and waited_s < SOON_S:
                    raise _Stale from error
                raise
        return rows

    def _begin(self, connection: psycopg.Connection[Any]) -> None:
        # Inside the transaction, so that a pooler between us and the server keeps them with it.
        patience_ms = int(self._source.statement_timeout_s * 1000)
        settings = f"SET LOCAL statement_timeout = {patience_ms}; SET LOCAL TIME ZONE 'UTC'"
        connection.execute(_plain(settings))

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        source = self._source
        further: dict[str, Any] = {"sslrootcert": source.sslrootcert} if source.sslrootcert else {}
        return psycopg.connect(
            host=source.host,
            port=source.port,
            dbname=source.database,
            user=source.user,
            password=self._password,
            sslmode=source.encryption,
            connect_timeout=CONNECT_S,
            application_name="agentops",
            cursor_factory=psycopg.ClientCursor,
            **further,
        )

    @contextmanager
    def _deadline(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """Cuts a line that says nothing any more: the server's own limit can't reach us on it."""
        cut = Timer(self._source.statement_timeout_s + GRACE_S, _hang_up, (connection,))
        cut.daemon = True
        cut.start()
        try:
            yield
        finally:
            cut.cancel()

    @contextmanager
    def _told(self) -> Iterator[None]:
        import psycopg
        from psycopg import errors

        try:
            yield
        except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName) as error:
            raise NotEnoughDataError(f"the warehouse ({self.place}): {_line(error)}") from error
        except errors.QueryCanceled as error:
            raise UnavailableError(
                f"the warehouse ({self.place}) took longer than "
                f"{self._source.statement_timeout_s:g} s (`statement_timeout_s`): {_line(error)}"
            ) from error
        except errors.InsufficientPrivilege as error:
            raise UnavailableError(
                f"the warehouse ({self.place}) refused {self._source.user}: {_line(error)}; "
                "docs/warehouse.md lists the GRANTs"
            ) from error
        except psycopg.Error as error:
            raise UnavailableError(
                f"the warehouse ({self.place}) did not answer: {_line(error)}; check that it runs "
                "and that host, user and password are right"
            ) from error


class _Stale(Exception):  # noqa: N818  # it never leaves this module
    """An idle connection turned out to be dead."""


# No state is a line that broke; the others say that the server went away under it.
_LOST = (None, "57P01", "57P02", "57P03", "08006", "08003")


def _plain(statement: str) -> Any:
    """Psycopg wants a literal, against statements glued from input; ours are sqlglot's."""
    return statement


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    with suppress(OSError, ValueError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _close(connection: psycopg.Connection[Any]) -> None:
    import psycopg

    with suppress(psycopg.Error):
        connection.close()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
