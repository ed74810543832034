"""Who someone is, how it was proved, and what each role may do."""

from typing import Literal

from agentops_graph.domain.record import Moment, Name, Record

Role = Literal["viewer", "operator", "approver", "admin"]
Deed = Literal["read", "report", "ask", "operate", "edit", "decide", "administer"]

# Each role may do what is named here and everything that the roles before it may.
ROLE_MAY: dict[Role, tuple[Deed, ...]] = {
    "viewer": ("read", "ask"),
    "operator": ("report", "operate", "edit"),  # alerts, silences, pause, retry, close, withdraw
    "approver": ("decide",),  # approve and reject
    "admin": ("administer",),  # tokens, resume after a pause, reconcile, audit export
}


class Identity(Record):
    """Someone at a door."""

    name: Name
    role: Role
    tenant: Name | None = None  # sees only components of this tenant; every one when empty
    credential_id: str | None = None  # what it was proved by; nothing where the door is open
    approval_id: str | None = None  # a signed link speaks for this one approval only

    def may(self, deed: Deed) -> bool:
        """True when the role, or one before it, names the deed."""
        return role_may(self.role, deed)


class Credential(Record):
    """A token, a page's session or a one-time link, as the ledger knows it: never its secret."""

    credential_id: Name  # T-1, S-1, L-1
    kind: Literal["token", "session", "link"]
    name: Name  # whose it is: the actor of what is done with it
    role: Role
    tenant: Name | None = None
    approval_id: str | None = None  # links only
    parent_id: str | None = None  # the token that a session or link was made with
    created_by: Name
    created_at: Moment
    expires_at: Moment | None = None
    revoked_at: Moment | None = None  # a link that was used is revoked

    @property
    def identity(self) -> Identity:
        return Identity(
            name=self.name,
            role=self.role,
            tenant=self.tenant,
            credential_id=self.credential_id,
            approval_id=self.approval_id,
        )


def role_may(role: Role, deed: Deed) -> bool:
    """True when the role, or one before it, names the deed."""
    for each, deeds in ROLE_MAY.items():
        if deed in deeds:
            return True
        if each == role:
            return False
    return False


def roles_that_may(deed: Deed) -> tuple[Role, ...]:
    """The roles to whom a deed is open, least first."""
    return tuple(role for role in ROLE_MAY if role_may(role, deed))
