"""What a ledger was last run with: a changed configuration is a row of the audit."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database
from agentops_graph.adapters.sqlalchemy_ledger.key_in_use import configuration

_SETTING = "setting:"
LONGEST_LIST = 2000  # characters of the audit row that names what changed


def note_configuration(
    database: Database, wanted: Mapping[str, str], *, actor: str, at: datetime
) -> list[str]:
    """Names what differs from the last run, in one audit row `settings.changed`; values stay out of
    the ledger, only their keyed fingerprints are kept."""
    fresh = {
        f"{_SETTING}{name}": _fingerprint(database.audit_key, name, value)
        for name, value in wanted.items()
    }
    with database.write() as c:
        held = _held(c)
        if held == fresh:
            return []
        changed = sorted(
            name.removeprefix(_SETTING)
            for name in held.keys() | fresh.keys()
            if held.get(name) != fresh.get(name)
        )
        c.execute(delete(configuration).where(configuration.c.name.startswith(_SETTING)))
        rows = [{"name": name, "fingerprint": mark} for name, mark in fresh.items()]
        c.execute(insert(configuration), rows)
        append(
            c,
            database.audit_key,
            "settings.changed",
            actor=actor,
            via="runner",
            at=at,
            keys="all, for the first time" if not held else ", ".join(changed)[:LONGEST_LIST],
            fingerprint=_of_all(fresh),
        )
    return changed


def _held(c: Connection) -> dict[str, str]:
    query = select(configuration).where(configuration.c.name.startswith(_SETTING))
    return {row.name: row.fingerprint for row in c.execute(query)}


def _fingerprint(key: bytes, name: str, value: str) -> str:
    # Keyed: a short secret could be guessed from a plain hash of it.
    return hmac.new(key, f"{name}={value}".encode(), hashlib.sha256).hexdigest()[:32]


def _of_all(fresh: Mapping[str, str]) -> str:
    joined = "\n".join(f"{name}={mark}" for name, mark in sorted(fresh.items()))
    return hashlib.sha256(joined.encode()).hexdigest()[:16]
