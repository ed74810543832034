"""Tokens, sessions and one-time links: made, listed, ended and used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from agentops_graph.access.access import Access
from agentops_graph.access.authentication import credential_of, hashed, new_secret
from agentops_graph.domain.approval import is_same_person
from agentops_graph.domain.identity import Credential, Identity, Role
from agentops_graph.errors import (
    ConflictError,
    GoneError,
    InputError,
    NotFoundError,
    UnauthenticatedError,
)
from agentops_graph.service import Decided, Service
from agentops_graph.verdicts import checked

SESSION_LASTS = timedelta(hours=12)
FIRST_IS_AN_ADMINS = (
    "the first token must be an admin's, for every tenant: once there is one, nobody is let in "
    "without, and only an admin can make the others"
)


@dataclass(frozen=True)
class Given:
    """A new credential with its secret, which is nowhere else."""

    credential: Credential
    secret: str


class Keys:
    """What one identity may do with credentials."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._ports = access._behind
        self._credentials = self._ports.credentials

    def create(
        self, name: str, role: Role, *, tenant: str | None = None, lasts: timedelta | None = None
    ) -> Given:
        """A token for somebody. The first one must be an admin's, and an admin of one tenant makes
        tokens for that tenant only."""
        self._access.needs("administer")
        who = self._access.identity
        if (role, tenant) != ("admin", None) and not self.live_admins():
            raise InputError(FIRST_IS_AN_ADMINS, field="role")
        if who.tenant is not None and tenant != who.tenant:
            self._access._refuse("administer", f"it makes tokens for {who.tenant} only")
        now = self._ports.clock.now()
        ends = None if lasts is None else now + lasts
        return self._give("token", name, role, now, ends, tenant=tenant)

    def live_admins(self) -> list[Credential]:
        """Tokens that count now and may do everything for every tenant."""
        now = self._ports.clock.now()
        return [
            held
            for held in self._credentials.listed()
            if (held.kind, held.role, held.tenant) == ("token", "admin", None) and held.counts(now)
        ]

    def listed(self) -> list[Credential]:
        """What counts now and what has ended; an admin of one tenant sees that tenant's."""
        self._access.needs("administer")
        tenant = self._access.identity.tenant
        return [h for h in self._credentials.listed() if tenant in (None, h.tenant)]

    def revoke(self, credential_id: str) -> Credential:
        """Ends a token with the sessions and links made with it; NotFoundError."""
        credential_id = credential_id.upper()
        if credential_id not in [held.credential_id for held in self.listed()]:
            raise NotFoundError(f"no token {credential_id!r}; `agentops token list` lists them")
        return self._credentials.revoke(
            credential_id,
            by=self._access.called(),
            via=self._access.via,
            at=self._ports.clock.now(),
        )

    def link(self, approval_id: str, name: str) -> Given:
        """A one-time link with which somebody decides on this approval, and does nothing else. It
        ends with the approval and with the token it is made with."""
        self._access.needs("decide")
        self._check_may_link()
        approval = self._access.approval(approval_id)
        now = self._ports.clock.now()
        if approval.four_eyes and is_same_person(approval.requested_by, self._access.called()):
            self._access._refuse(
                "decide",
                f"{approval.requested_by} asked for {approval.approval_id}, so somebody else has "
                "to approve it or make a link",
            )
        if approval.status != "pending":
            raise ConflictError(f"{approval.approval_id} was already {approval.status}")
        if approval.expires_at <= now:
            raise GoneError(f"{approval.approval_id} has expired")
        return self._give(
            "link",
            name,
            "approver",
            now,
            min(approval.expires_at, self._own_end() or approval.expires_at),
            tenant=self._access.identity.tenant,
            approval_id=approval.approval_id,
        )

    def _check_may_link(self) -> None:
        """A link falls with the token it was made with, and speaks with that token's one voice; a
        proof that is none of our tokens could do neither."""
        who = self._access.identity
        if who.approval_id is not None:
            self._access._refuse("decide", "a link is for one decision and makes no further links")
        if who.is_proved and who.credential_id is None:
            self._access._refuse("decide", "links are made with a token; ask an admin for one")

    def _own_end(self) -> datetime | None:
        """When the token that is asked with ends."""
        own = self._access.identity.credential_id
        held = [c for c in self._credentials.listed() if c.credential_id == own]
        return held[0].expires_at if held else None

    def _give(
        self,
        kind: str,
        name: str,
        role: Role,
        at: datetime,
        ends: datetime | None,
        *,
        tenant: str | None,
        approval_id: str | None = None,
    ) -> Given:
        secret = new_secret()
        made = checked(
            Credential,
            {
                "credential_id": "new",
                "kind": kind,
                "name": name.strip(),
                "role": role,
                "tenant": tenant,
                "approval_id": approval_id,
                "parent_id": None if kind == "token" else self._access.identity.credential_id,
                "created_by": self._access.called(),
                "created_at": at,
                "expires_at": ends,
            },
        )
        kept = self._credentials.add(made, secret_sha256=hashed(secret), via=self._access.via)
        return Given(kept, secret)


def begin_session(service: Service, token_secret: str) -> Given:
    """A session of a page in the name of whoever holds the token; UnauthenticatedError."""
    ports = service._ports
    now = ports.clock.now()
    token = credential_of(ports.credentials, token_secret, now)
    ends = now + SESSION_LASTS
    made = token.model_copy(
        update={
            "kind": "session",
            "parent_id": token.credential_id,
            "created_by": token.name,
            "created_at": now,
            "expires_at": ends if token.expires_at is None else min(ends, token.expires_at),
        }
    )
    secret = new_secret()
    return Given(ports.credentials.add(made, secret_sha256=hashed(secret), via="http"), secret)


def identity_of_link(service: Service, secret: str) -> tuple[Credential, Identity]:
    """Who a live link speaks for; UnauthenticatedError. One that was made while the doors were open
    ends when they close: no token vouches for it."""
    ports = service._ports
    link = credential_of(ports.credentials, secret, ports.clock.now(), "link")
    if link.parent_id is None and ports.credentials.has_tokens():
        raise UnauthenticatedError("this link was made before there were tokens")
    return link, link.identity


def decide_by_link(
    access: Access, link: Credential, verdict: str, digest: str, reason: str | None
) -> Decided:
    """The link's one use and the decision, in one transaction: neither is without the other."""
    ports, said = access._behind, _said_by(verdict)
    assert link.approval_id is not None
    # What refuses is written down outside the transaction, which takes back all it holds.
    access.check_may_decide(link.approval_id, said)
    with access.refusals_written("decide"), ports.incidents.together():
        ports.credentials.use(link.credential_id, at=ports.clock.now())
        return access._service.decide(
            link.approval_id,
            said,
            actor=link.name,
            via="link",
            digest=digest,
            reason=reason,
            identity=access.identity,
        )


def _said_by(verdict: str) -> Literal["approve", "reject"]:
    return "approve" if verdict == "approve" else "reject"
