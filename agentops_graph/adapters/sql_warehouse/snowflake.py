"""Statements on Snowflake, through its connector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.sql_warehouse.session import Bound, Connections, Rows
from agentops_graph.domain.sources.warehouse import SnowflakeWarehouse
from agentops_graph.errors import NotEnoughDataError, UnavailableError

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

LOGIN_S = 30
GRACE_S = 5.0
# Numbers of Snowflake's errors.
NOT_THERE = (2003, 2043, 904)
NOT_ALLOWED = (3001, 3003, 3041)
TOO_LONG = (604, 630, 57014)


class SnowflakeSession:
    """One database of a Snowflake account, with one warehouse and one role."""

    def __init__(self, source: SnowflakeWarehouse, secret: str | None) -> None:
        self._source, self._secret = source, secret
        self._connections = Connections(self._connect, _close)

    @property
    def place(self) -> str:
        return f"Snowflake account {self._source.account}, database {self._source.database}"

    def read(self, statement: str, bound: Bound) -> Rows:
        with self._told():
            return self._read(statement, bound)

    def change(self, statements: Sequence[tuple[str, Bound]]) -> None:
        with (
            self._told(),
            self._connections.one() as (connection, _),
            connection.cursor() as cursor,
        ):
            whole = [("BEGIN", {}), *statements, ("COMMIT", {})]
            for statement, bound in whole if len(statements) > 1 else statements:
                cursor.execute(statement, bound or None, timeout=self._patience_s)

    def close(self) -> None:
        self._connections.close()

    @property
    def _patience_s(self) -> int:
        return int(self._source.statement_timeout_s)

    def _read(self, statement: str, bound: Bound) -> Rows:
        with self._connections.one() as (connection, _), connection.cursor() as cursor:
            cursor.execute(statement, bound or None, timeout=self._patience_s)
            return [tuple(row) for row in cursor.fetchall()]

    def _connect(self) -> SnowflakeConnection:
        import snowflake.connector

        source = self._source
        named: dict[str, Any] = {
            "account": source.account,
            "user": source.user,
            "database": source.database,
            "schema": source.db_schema or "PUBLIC",
            "warehouse": source.warehouse,
            "role": source.role,
            "host": source.host,
        }
        if source.private_key_file is None:
            named["password"] = self._secret
        else:
            named |= {"private_key_file": source.private_key_file}
            named |= {"authenticator": "SNOWFLAKE_JWT"}
            named["private_key_file_pwd"] = self._secret
        return snowflake.connector.connect(
            **{name: value for name, value in named.items() if value is not None},
            application="agentops",
            login_timeout=LOGIN_S,
            network_timeout=int(source.statement_timeout_s + GRACE_S),
            client_session_keep_alive=False,
            session_parameters={
                "QUERY_TAG": source.query_tag,
                "STATEMENT_TIMEOUT_IN_SECONDS": self._patience_s,
                "TIMEZONE": "UTC",
                "CLIENT_TELEMETRY_ENABLED": False,
            },
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        from snowflake.connector.errors import Error

        try:
            yield
        except Error as error:
            raise self._in_words(error) from error
        except (OSError, ValueError) as error:  # a key file, an address
            raise UnavailableError(
                f"the warehouse ({self.place}) can't be reached: {_line(error)}"
            ) from error

    def _in_words(self, error: Any) -> NotEnoughDataError | UnavailableError:
        place, number = f"the warehouse ({self.place})", int(error.errno or 0)
        if number in NOT_THERE:
            return NotEnoughDataError(f"{place}: {_line(error)}")
        if number in TOO_LONG:
            return UnavailableError(
                f"{place} took longer than {self._patience_s} s (`statement_timeout_s`): "
                f"{_line(error)}"
            )
        if number in NOT_ALLOWED:
            return UnavailableError(
                f"{place} refused {self._source.user}: {_line(error)}; "
                "docs/warehouse.md lists the GRANTs"
            )
        return UnavailableError(
            f"{place} did not answer: {_line(error)}; check account, user, key and network policy"
        )


def _close(connection: SnowflakeConnection) -> None:
    from snowflake.connector.errors import Error

    with suppress(Error, OSError):
        connection.close()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
