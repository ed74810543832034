"""The connection: one code path for SQLite and Postgres, and the clock that leases use."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, text
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from agentops_graph.adapters.sqlalchemy_ledger import tables
from agentops_graph.adapters.sqlalchemy_ledger.fence import stop_at_fence
from agentops_graph.adapters.sqlalchemy_ledger.key_in_use import check_key, stop_at_key
from agentops_graph.adapters.sqlalchemy_ledger.sealed import seal_with
from agentops_graph.adapters.sqlalchemy_ledger.upgrade import upgrade
from agentops_graph.adapters.sqlalchemy_ledger.writers import boot_id
from agentops_graph.encryption import NO_RING, Ring
from agentops_graph.errors import InputError, UnavailableError

# Below this version several connections on a WAL file can corrupt it; see docs/decisions.
WAL_SAFE = (3, 51, 3)
PATIENCE_S = 30.0
SERVER_CLOCK = "server"  # in place of a boot, where the database keeps the time


_QUEUE = text("SELECT pg_advisory_xact_lock(4202)")


@dataclass
class Joined:
    """What the writes of one thread join: nothing until the first of them begins it."""

    stack: ExitStack
    connection: Connection | None = None
    is_fenced: bool = False
    is_keyed: bool = False  # with the key that the ledger is under


class Database:
    """Transactions on the ledger, with its key for the audit chain.

    SQLite: `synchronous=FULL`, `BEGIN IMMEDIATE` for writes, `patience_s` to wait for a lock.
    """

    def __init__(
        self,
        url: str,
        *,
        audit_key: bytes,
        patience_s: float = PATIENCE_S,
        ring: Ring = NO_RING,
    ) -> None:
        self.url = url
        self.audit_key = audit_key
        self.is_sqlite = url.startswith("sqlite")
        self.engine = create_engine(
            url, connect_args={"timeout": patience_s} if self.is_sqlite else {}
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _tune_sqlite)
            event.listen(self.engine, "begin", _begin_immediate)
        seal_with(self.engine, ring)
        self.ring = ring
        self._thread = threading.local()
        self._reading = self.engine.execution_options(reading=True)
        try:
            self._prepare()
        except InputError:  # of a wrong key: nobody will close what nobody was given
            self.close()
            raise

    def _prepare(self) -> None:
        with self._errors(), self.engine.begin() as connection:
            if not self.is_sqlite:
                # Two services that start at once must not both create the same table.
                connection.execute(text("SELECT pg_advisory_xact_lock(4201)"))
            upgrade(connection, tables.metadata)
            check_key(connection, self.ring)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Writes of this thread inside the block are one transaction, begun by the first of them;
        reads after it see what was written. A block inside a block joins the outer one."""
        if self._joined() is not None:
            yield
            return
        with ExitStack() as stack:
            self._thread.joined = Joined(stack)
            try:
                yield
            finally:
                self._thread.joined = None

    def stand_alone(self) -> None:
        """Raises RuntimeError inside `together`: what is written next must be durable at once."""
        if self._joined() is not None:
            raise RuntimeError("an intent must be committed before the call it announces")

    def _joined(self) -> Joined | None:
        return getattr(self._thread, "joined", None)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        joined = self._joined()
        if joined is not None and joined.connection is not None:
            with self._errors():
                yield joined.connection
            return
        with self._errors(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, fenced: bool = True, queued: bool = True) -> Iterator[Connection]:
        """One transaction, or a part of the one that is open in this thread; IntegrityError is let
        through for callers that expect it. Under a fence nothing lands once the lease went to
        another; `fenced=False` is for what must be written down all the same. Writers queue, as
        they do on SQLite; `queued=False` is for leases, which are nobody else's rows. Nothing lands
        once the ledger got another encryption key."""
        joined = self._joined()
        if joined is None:
            with self._errors(), self.engine.begin() as connection:
                self._queue(connection, queued)
                stop_at_key(connection, self.ring)
                if fenced:
                    stop_at_fence(connection)
                yield connection
            return
        if joined.connection is None:
            joined.stack.enter_context(self._errors())
            joined.connection = joined.stack.enter_context(self.engine.begin())
            self._queue(joined.connection, queued=True)
        with self._errors():
            if not joined.is_keyed:
                stop_at_key(joined.connection, self.ring)
                joined.is_keyed = True
            if fenced and not joined.is_fenced:
                stop_at_fence(joined.connection)
                joined.is_fenced = True
            yield joined.connection

    def _queue(self, connection: Connection, queued: bool) -> None:
        # Counters, audit and rows are locked in different orders by different writes: one after
        # another they can't wait for each other in a ring.
        if queued and not self.is_sqlite:
            connection.execute(_QUEUE)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, sqlite3.Error) as error:
            seen = error.orig if isinstance(error, DBAPIError) else error
            raise UnavailableError(
                f"the ledger at {self.engine.url.render_as_string()} did not answer: {seen}; "
                "check that the folder is writable, the disk has room and no other process holds "
                "a lock, then try again"
            ) from error

    def close(self) -> None:
        self.engine.dispose()

    def lease_clock(self, connection: Connection) -> tuple[str, float]:
        """Which clock counts, and its seconds: this boot's on SQLite, the server's on Postgres."""
        if self.is_sqlite:
            return boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME)
        now = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
        return SERVER_CLOCK, float(now)


def _tune_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    journal = "WAL" if sqlite3.sqlite_version_info >= WAL_SAFE else "TRUNCATE"
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_immediate(connection: Connection) -> None:
    # A deferred transaction that reads first and writes later can fail half way; writers queue.
    # A read is one statement and needs no transaction.
    if not connection.get_execution_options().get("reading"):
        driver = connection.connection.driver_connection
        assert driver is not None  # the transaction has just taken it from the pool
        driver.execute("BEGIN IMMEDIATE")


def iso(at: datetime) -> str:
    """An aware time as the ledger's text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def when(text_: str | None) -> datetime | None:
    return None if text_ is None else datetime.fromisoformat(text_)


# Statements are built once and given parameters: building took as long as running.
_BUMP = text(
    "INSERT INTO counters (name, value) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
)


def next_number(connection: Connection, name: str) -> int:
    """The next value of a counter, inside the caller's transaction."""
    return int(connection.execute(_BUMP, {"name": name}).scalar_one())


def insert_new(connection: Connection, table: Table, **values: object) -> bool:
    """Inserts a row unless one of its unique keys exists; says whether it did."""
    wanted = _insert_unless_known(connection.dialect.name, table)
    return connection.execute(wanted, values).first() is not None


@cache
def _insert_unless_known(dialect: str, table: Table) -> ReturningInsert[Any]:
    insert = sqlite_insert if dialect == "sqlite" else postgres_insert
    # Not by rowcount: Postgres drivers give -1 for an insert.
    return insert(table).on_conflict_do_nothing().returning(next(iter(table.primary_key)))
