"""Statements on a database server: bounded in time, on connections that are made anew when lost."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

Rows = list[tuple[Any, ...]]
Bound = dict[str, object]
KEPT = 4  # idle connections; a further one is closed after its use
C = TypeVar("C")


class Session(Protocol):
    """One database, for any number of threads.

    Raises NotEnoughDataError for a table or a column that is not there, UnavailableError when the
    database is down, slow, refuses, or answers what can't be read.
    """

    @property
    def place(self) -> str:
        """Where it is, for people; without any secret."""
        ...

    def read(self, statement: str, bound: Bound) -> Rows:
        """One statement that changes nothing; tried once more when an idle connection was lost."""
        ...

    def change(self, statements: Sequence[tuple[str, Bound]]) -> None:
        """In one transaction, at most once."""
        ...

    def close(self) -> None: ...


class Connections(Generic[C]):
    """Idle connections to one database; one that failed is never used again."""

    def __init__(self, connect: Callable[[], C], close: Callable[[C], None]) -> None:
        self._connect, self._close = connect, close
        self._idle: list[C] = []
        self._lock = Lock()

    @contextmanager
    def one(self, *, fresh: bool = False) -> Iterator[tuple[C, bool]]:
        """A connection, and whether it was idle before: such a one may be dead by now."""
        with self._lock:
            held = self._idle.pop() if self._idle and not fresh else None
        connection = held if held is not None else self._connect()
        try:
            yield connection, held is not None
        except BaseException:
            self._close(connection)
            raise
        with self._lock:
            is_kept = len(self._idle) < KEPT
            if is_kept:
                self._idle.append(connection)
        if not is_kept:
            self._close(connection)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            self._close(connection)
