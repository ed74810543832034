"""The audit: rows in a keyed hash chain, written in the transaction of what they record."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, text

from agentops_graph.adapters.sqlalchemy_ledger.audit_head import read_head, write_head
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso
from agentops_graph.adapters.sqlalchemy_ledger.tables import audit
from agentops_graph.audit_ports import silent
from agentops_graph.domain.approval import Door, canonical_json
from agentops_graph.domain.ledger import Anchor, AuditFault
from agentops_graph.domain.record import Scalar
from agentops_graph.domain.redaction import redacted_within
from agentops_graph.errors import ForgedError, UnavailableError

log = logging.getLogger(__name__)

FIRST = "0" * 64
ANCHOR_EVERY_S = 5.0  # rows cut off within this time of being written could go unseen
_QUEUE = text("SELECT pg_advisory_xact_lock(4202)")
_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_APPEND = insert(audit)
PAGE = 5000  # rows
NOT_ANCHORED = "is not the one that was anchored"
UNREADABLE = "holds bytes that are no text"
BEFORE_ALL = -(2**31)  # rows are numbered from 1, and one that was put in may not be
_PAGE = select(audit).where(audit.c.seq > bindparam("after")).order_by(audit.c.seq).limit(PAGE)
_before = audit.alias()
_WITH_PREVIOUS = (
    select(audit, func.coalesce(_before.c.hash, FIRST).label("previous"))
    .select_from(audit.outerjoin(_before, _before.c.seq == audit.c.seq - 1))
    .where(audit.c.seq > bindparam("after"))
    .order_by(audit.c.seq)
    .limit(PAGE)
)
_NUMBERS = select(audit.c.seq).where(audit.c.seq > bindparam("after")).order_by(audit.c.seq)


class DamagedRowError(ForgedError):
    """A row of the audit that can't even be read."""

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row} of the audit {UNREADABLE}")
        self.row = row


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
        "actor": redacted_within(actor),
        "via": via,
        "incident_id": incident_id,
        "fields": json.dumps(redacted_within(fields), sort_keys=True),
    }
    link = link_of(chain_key, last.hash if last else FIRST, row)
    connection.execute(_APPEND, {**row, "hash": link})


def link_of(key: bytes, previous: str, row: dict[str, Scalar]) -> str:
    """The hash of a row that follows the one with hash `previous`."""
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
        anchored = self.anchored()
        assert anchored is not None  # there is a file for it
        if anchored.fault is not None:
            log.error("the audit does not hold, its anchor stays: %s", anchored.fault)
        elif last is not None and last.seq > (anchored.row or 0):
            write_head(self._head, last.seq, last.hash)
        self._anchored_at = time.monotonic()

    def anchored(self) -> Anchor | None:
        if self._head is None:
            return None
        held = read_head(self._head)
        if held is None:
            return Anchor(place=str(self._head))
        try:
            problem = _problem_of_anchor(held[1], self._alone(select(audit), held[0]))
        except DamagedRowError:
            problem = UNREADABLE
        fault = None if problem is None else _fault(held[0], problem)
        return Anchor(place=str(self._head), row=held[0], fault=fault)

    def last_row(self) -> int:
        with self._db.read() as c:  # its number alone: the row may be one that can't be read
            return c.execute(select(func.max(audit.c.seq))).scalar_one() or 0

    def verify(self, told: Callable[[int], None] = silent) -> AuditFault | None:
        """Walks the whole chain; names the first row that does not fit. The table may be ahead of
        its anchor and must not be behind it."""
        try:
            return self._first_fault(told)
        except DamagedRowError as error:
            return _fault(error.row, UNREADABLE)

    def _first_fault(self, told: Callable[[int], None]) -> AuditFault | None:
        held = read_head(self._head) if self._head is not None else None
        previous, expected = FIRST, 1
        for row in self._pages(_PAGE):
            problem = self._problem_of(row, previous, expected)
            if problem is None and held is not None and held[0] == expected:
                is_anchored = hmac.compare_digest(held[1], row.hash)
                problem = None if is_anchored else NOT_ANCHORED
            if problem is not None:
                return _fault(min(expected, row.seq), problem)
            previous, expected = row.hash, expected + 1
            if expected % PAGE == 0:
                told(expected)
        told(expected - 1)
        if held is not None and held[0] >= expected:
            cut = f"is missing: the end was cut off, {held[0]} rows were anchored"
            return _fault(expected, cut)
        return None

    def _problem_of(self, row: Row[Any], previous: str, expected: int) -> str | None:
        if row.seq < expected:
            return "was put in before the first"
        if row.seq > expected:
            return f"is missing (found {row.seq})"
        content = row._asdict()
        stored = str(content.pop("hash"))
        try:
            fits = hmac.compare_digest(link_of(self._db.audit_key, previous, content), stored)
        except (TypeError, ValueError):  # bytes, or half a character: nothing that we write
            fits = False
        if fits:
            return None
        return "was changed, put in or moved, or the key is not the one it was made with"

    def _pages(self, query: Select[Any]) -> Iterator[Row[Any]]:
        """Rows in the order of their numbers. A page at a time: a read that is long open keeps
        the writers of a SQLite file waiting until they give up. DamagedRowError when the next row
        can't be read."""
        after = BEFORE_ALL
        while True:
            try:
                with self._db.read() as c:
                    page = c.execute(query, {"after": after}).all()
            except UnavailableError:
                yield from self._one_by_one(query, after)
                raise  # each for itself they could be read: it was not for what they hold
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].seq

    def _one_by_one(self, query: Select[Any], after: int) -> Iterator[Row[Any]]:
        with self._db.read() as c:
            numbers = c.execute(_NUMBERS.limit(PAGE), {"after": after}).scalars().all()
        for number in numbers:
            found = self._alone(query, number)
            if found is not None:  # it may be none of those that were asked for
                yield found

    def _alone(self, query: Select[Any], number: int) -> Row[Any] | None:
        asked = query.where(audit.c.seq == number)
        try:
            with self._db.read() as c:
                return c.execute(asked, {"after": BEFORE_ALL}).first()
        except UnavailableError:
            with self._db.read() as c:  # raises as well when it is the ledger and not the row
                c.execute(select(audit.c.seq).where(audit.c.seq == number)).first()
            raise DamagedRowError(number) from None

    def exported(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        incident_id: str | None = None,
    ) -> Iterator[dict[str, Scalar]]:
        query = _WITH_PREVIOUS
        if since is not None:
            query = query.where(audit.c.at >= iso(since))
        if until is not None:
            query = query.where(audit.c.at < iso(until))
        if incident_id is not None:
            query = query.where(audit.c.incident_id == incident_id)
        for row in self._pages(query):
            yield row._asdict()


def _fault(row: int, problem: str) -> AuditFault:
    return AuditFault(row=row, problem=f"row {row} {problem}")


def _problem_of_anchor(link: str, found: Row[Any] | None) -> str | None:
    if found is None:
        return "was anchored and is missing"
    return None if found.hash == link else NOT_ANCHORED
