"""The audit: rows in a keyed hash chain, written in the transaction of what they record."""

import hashlib
import hmac
import json
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select, text

from agentops_graph.adapters.sqlalchemy_ledger.audit_head import read_head, write_head
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso
from agentops_graph.adapters.sqlalchemy_ledger.tables import audit
from agentops_graph.domain.approval import Door, canonical_json
from agentops_graph.domain.record import Scalar

FIRST = "0" * 64
ANCHOR_EVERY_S = 5.0  # rows cut off within this time of being written could go unseen
_QUEUE = text("SELECT pg_advisory_xact_lock(4202)")
_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_APPEND = insert(audit)


def append(
    connection: Connection,
    chain_key: bytes,
    what: str,
    *,
    actor: str,
    via: str,
    at: datetime,
    incident_id: str | None = None,
    **fields: Scalar,
) -> None:
    """One more link of the chain, inside the caller's transaction."""
    if connection.dialect.name != "sqlite":  # SQLite writers already queue
        connection.execute(_QUEUE)
    last = connection.execute(_LAST).first()
    row: dict[str, Scalar] = {
        "seq": (last.seq if last else 0) + 1,
        "at": iso(at),
        "what": what,
        "actor": actor,
        "via": via,
        "incident_id": incident_id,
        "fields": json.dumps(fields, sort_keys=True),
    }
    link = _link(chain_key, last.hash if last else FIRST, row)
    connection.execute(_APPEND, {**row, "hash": link})


def _link(key: bytes, previous: str, row: dict[str, Scalar]) -> str:
    return hmac.new(key, previous.encode() + canonical_json(row), hashlib.sha256).hexdigest()


class LedgerAudit:
    """Implements `AuditLog`; `head` is the file in which the chain's last link is anchored."""

    def __init__(self, database: Database, head: Path | None = None) -> None:
        self._db = database
        self._head = head
        self._anchored_at = 0.0

    def write(self, what: str, *, actor: str, via: Door, at: datetime, **fields: Scalar) -> None:
        incident_id = fields.pop("incident_id", None)
        with self._db.write() as c:
            append(
                c,
                self._db.audit_key,
                what,
                actor=actor,
                via=via,
                at=at,
                incident_id=None if incident_id is None else str(incident_id),
                **fields,
            )

    def rows(self, incident_id: str | None = None, limit: int = 1000) -> list[dict[str, Scalar]]:
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if incident_id is not None:
            query = query.where(audit.c.incident_id == incident_id)
        with self._db.read() as c:
            return [dict(row) for row in reversed(c.execute(query).mappings().all())]

    def anchor(self) -> None:
        """Writes the last link down outside the table, at most every `ANCHOR_EVERY_S`."""
        due = time.monotonic() - self._anchored_at >= ANCHOR_EVERY_S
        if self._head is None or not due:
            return
        with self._db.read() as c:
            last = c.execute(
                select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
            ).first()
        held = read_head(self._head)
        if last is not None and (held is None or held[0] < last.seq):
            write_head(self._head, last.seq, last.hash)
        self._anchored_at = time.monotonic()

    def verify(self) -> str | None:
        """Walks the whole chain; names the first row that does not fit. The table may be ahead of
        its anchor and must not be behind it."""
        held = read_head(self._head) if self._head is not None else None
        previous, expected = FIRST, 1
        with self._db.read() as c:
            rows = c.execute(select(audit).order_by(audit.c.seq)).yield_per(1000).mappings()
            for row in rows:
                if row["seq"] != expected:
                    return f"row {expected} is missing (found {row['seq']})"
                content = {name: row[name] for name in row if name != "hash"}
                link = _link(self._db.audit_key, previous, content)
                if not hmac.compare_digest(link, row["hash"]):
                    return f"row {expected} was changed, or the key is not the one it was made with"
                if held is not None and held[0] == expected and held[1] != link:
                    return f"row {expected} is not the one that was anchored"
                previous, expected = link, expected + 1
        if held is not None and held[0] >= expected:
            return f"row {expected} is missing: the end was cut off, {held[0]} rows were anchored"
        return None
