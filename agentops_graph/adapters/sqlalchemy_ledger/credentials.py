"""Tokens, sessions and one-time links, as rows; of a secret only its hash is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, or_, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, next_number, when
from agentops_graph.domain.approval import Door
from agentops_graph.domain.identity import Credential
from agentops_graph.errors import ConflictError, GoneError, NotFoundError

_COLUMNS = [column for column in t.credentials.c if column.name != "secret_sha256"]
_SPENT = "this link was used, taken back or has expired; ask for another one"


class LedgerCredentials:
    """Implements `Credentials`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, credential: Credential, *, secret_sha256: str, via: Door) -> Credential:
        with self._db.write() as c:
            if credential.parent_id is not None:
                # Locked, so that a revocation at the same time sees the new row or stops it.
                parent = _row(c, credential.parent_id, lock=True)
                if not parent.counts(credential.created_at):
                    raise ConflictError(
                        f"{parent.credential_id} has ended; nothing is made with it"
                    )
            number = next_number(c, f"credential:{credential.kind}")
            kept = credential.numbered(number)
            values = kept.model_dump() | {
                "created_at": iso(kept.created_at),
                "expires_at": None if kept.expires_at is None else iso(kept.expires_at),
                "secret_sha256": secret_sha256,
            }
            c.execute(insert(t.credentials).values(**values))
            self._write_down(c, "created", kept, by=kept.created_by, via=via, at=kept.created_at)
            return kept

    def find(self, secret_sha256: str) -> Credential | None:
        query = select(*_COLUMNS).where(t.credentials.c.secret_sha256 == secret_sha256)
        with self._db.read() as c:
            row = c.execute(query).mappings().first()
        return None if row is None else _credential(row)

    def listed(self) -> list[Credential]:
        query = select(*_COLUMNS).order_by(t.credentials.c.created_at)
        with self._db.read() as c:
            return [_credential(row) for row in c.execute(query).mappings()]

    def revoke(self, credential_id: str, *, by: str, via: Door, at: datetime) -> Credential:
        with self._db.write() as c:
            held = _row(c, credential_id, lock=True)
            if held.revoked_at is not None:
                return held
            c.execute(
                update(t.credentials)
                .where(
                    or_(
                        t.credentials.c.credential_id == credential_id,
                        t.credentials.c.parent_id == credential_id,
                    ),
                    t.credentials.c.revoked_at.is_(None),
                )
                .values(revoked_at=iso(at))
            )
            self._write_down(c, "revoked", held, by=by, via=via, at=at)
            return held.model_copy(update={"revoked_at": at})

    def use(self, credential_id: str, *, at: datetime) -> Credential:
        claim = (
            update(t.credentials)
            .where(
                t.credentials.c.credential_id == credential_id,
                t.credentials.c.kind == "link",
                t.credentials.c.revoked_at.is_(None),
                t.credentials.c.expires_at > iso(at),
            )
            .values(revoked_at=iso(at))
        )
        with self._db.write() as c:
            if c.execute(claim).rowcount != 1:
                raise GoneError(_SPENT)
            used = _row(c, credential_id)
            self._write_down(c, "used", used, by=used.name, via="link", at=at)
            return used

    def has_tokens(self) -> bool:
        with self._db.read() as c:
            query = select(exists().where(t.credentials.c.kind == "token"))
            return bool(c.execute(query).scalar_one())

    def _write_down(
        self, c: Connection, what: str, held: Credential, *, by: str, via: Door, at: datetime
    ) -> None:
        append(
            c,
            self._db.audit_key,
            f"{held.kind}.{what}",
            actor=by,
            via=via,
            at=at,
            credential_id=held.credential_id,
            name=held.name,
            role=held.role,
            tenant=held.tenant,
            approval_id=held.approval_id,
            parent_id=held.parent_id,
        )


def _row(c: Connection, credential_id: str, *, lock: bool = False) -> Credential:
    query = select(*_COLUMNS).where(t.credentials.c.credential_id == credential_id)
    row = c.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFoundError(f"no token {credential_id!r}; `agentops token list` lists them")
    return _credential(row)


def _credential(row: Any) -> Credential:
    stored = dict(row)
    instants = {k: when(stored[k]) for k in ("created_at", "expires_at", "revoked_at")}
    return Credential(**stored | instants)
