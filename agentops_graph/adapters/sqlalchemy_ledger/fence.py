"""What a runner writes lands only while its lease is not another's: asked in each transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection, bindparam, select

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.domain.effect import Lease
from agentops_graph.errors import ConflictError

# Of the context and not the thread: nodes may be run by threads that copy it.
_LEASE: ContextVar[Lease | None] = ContextVar("lease", default=None)
# Locked on Postgres, where `acquire` changes the row and so waits for who has just been let in;
# on SQLite whoever writes is alone.
_TOKEN = (
    select(t.leases.c.token)
    .where(t.leases.c.incident_id == bindparam("id"), t.leases.c.token == bindparam("held"))
    .with_for_update(read=True)
)


@contextmanager
def fenced(lease: Lease) -> Iterator[None]:
    """Everything that is written in the block, unless it says that it must land all the same."""
    before = _LEASE.set(lease)
    try:
        yield
    finally:
        _LEASE.reset(before)


def stop_at_fence(connection: Connection) -> None:
    """Raises ConflictError when another was given the lease; one that has merely run out is
    nobody else's yet, and whoever takes it next sees what was written before."""
    lease = _LEASE.get()
    if lease is None:
        return
    asked = {"id": lease.incident_id, "held": lease.token}
    if connection.execute(_TOKEN, asked).first() is None:
        raise ConflictError(
            f"{lease.incident_id} went to another runner; what {lease.holder} still had to write "
            "was left out"
        )
