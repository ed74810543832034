"""Which encryption key a ledger is written with: another is refused before it reads or writes."""

from sqlalchemy import Column, Connection, String, Table, delete, insert, select

from agentops_graph.adapters.sqlalchemy_ledger.tables import metadata
from agentops_graph.encryption import Ring, no_key_any_more, wrong_key

KEY_IN_USE = "encryption key"

# Names and fingerprints of what a ledger was last run with, never values.
configuration = Table(
    "configuration",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
)

_HELD = select(configuration.c.fingerprint).where(configuration.c.name == KEY_IN_USE)


def check_key(connection: Connection, ring: Ring) -> None:
    """Remembers the key that is used for the first time; WrongKeyError for another, or none."""
    held = connection.execute(_HELD).scalar_one_or_none()
    if held is not None and not ring.knows(held):
        raise wrong_key(held, ring.key_id)
    if held is None and ring.key_id is not None:
        use_key(connection, ring)


def stop_at_key(connection: Connection, ring: Ring) -> None:
    """Raises WrongKeyError when the key changed since this process began: what it would write now
    could be read without the key, or not be read with it."""
    held = connection.execute(_HELD).scalar_one_or_none()
    if held is not None and not ring.knows(held):
        raise wrong_key(held, ring.key_id)
    if held is None and ring.key_id is not None:
        raise no_key_any_more(ring.key_id)


def use_key(connection: Connection, ring: Ring) -> None:
    """From now on the ring's key is the one that reads everything; without one, none is needed."""
    connection.execute(delete(configuration).where(configuration.c.name == KEY_IN_USE))
    if ring.key_id is not None:
        connection.execute(insert(configuration), {"name": KEY_IN_USE, "fingerprint": ring.key_id})
