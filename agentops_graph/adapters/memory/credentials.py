"""Tokens, sessions and one-time links, in memory."""

from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.approval import Door
from agentops_graph.domain.identity import Credential
from agentops_graph.errors import ConflictError, GoneError, NotFoundError


class MemoryCredentials:
    """Implements `Credentials`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._hashes: dict[str, str] = {}  # hash of a secret -> credential_id

    def add(self, credential: Credential, *, secret_sha256: str, via: Door) -> Credential:
        with self._ledger.lock:
            parent_id = credential.parent_id
            if parent_id is not None and not self._held(parent_id).counts(credential.created_at):
                raise ConflictError(f"{parent_id} has ended; nothing is made with it")
            kept = credential.numbered(self._ledger.number(f"credential:{credential.kind}"))
            self._ledger.credentials[kept.credential_id] = kept
            self._hashes[secret_sha256] = kept.credential_id
            self._write_down("created", kept, by=kept.created_by, via=via, at=kept.created_at)
            return kept

    def find(self, secret_sha256: str) -> Credential | None:
        with self._ledger.lock:
            return self._ledger.credentials.get(self._hashes.get(secret_sha256, ""))

    def listed(self) -> list[Credential]:
        with self._ledger.lock:
            return sorted(self._ledger.credentials.values(), key=lambda held: held.created_at)

    def revoke(self, credential_id: str, *, by: str, via: Door, at: datetime) -> Credential:
        with self._ledger.lock:
            held = self._held(credential_id)
            if held.revoked_at is not None:
                return held
            for other in list(self._ledger.credentials.values()):
                is_meant = credential_id in (other.credential_id, other.parent_id)
                if is_meant and other.revoked_at is None:
                    self._end(other, at)
            self._write_down("revoked", held, by=by, via=via, at=at)
            return self._held(credential_id)

    def use(self, credential_id: str, *, at: datetime) -> Credential:
        with self._ledger.lock:
            held = self._held(credential_id)
            if held.kind != "link" or not held.counts(at):
                raise GoneError("this link was used, taken back or has expired")
            used = self._end(held, at)
            self._write_down("used", used, by=used.name, via="link", at=at)
            return used

    def has_tokens(self) -> bool:
        with self._ledger.lock:
            return any(held.kind == "token" for held in self._ledger.credentials.values())

    def _held(self, credential_id: str) -> Credential:
        held = self._ledger.credentials.get(credential_id)
        if held is None:
            raise NotFoundError(f"no token {credential_id!r}")
        return held

    def _end(self, held: Credential, at: datetime) -> Credential:
        ended = held.model_copy(update={"revoked_at": at})
        self._ledger.credentials[held.credential_id] = ended
        return ended

    def _write_down(self, what: str, held: Credential, *, by: str, via: Door, at: datetime) -> None:
        self._ledger.write_down(
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
