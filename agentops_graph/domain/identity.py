"""Who someone is, how it was proved, and what each role may do."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator

from agentops_graph.domain.record import Moment, Name, Record, storable

Role = Literal["sender", "viewer", "operator", "approver", "admin"]
Deed = Literal["read", "report", "ask", "operate", "edit", "decide", "administer"]
Kind = Literal["token", "session", "link"]

# A program that tells us of things and is told nothing.
APART: dict[Role, tuple[Deed, ...]] = {"sender": ("report",)}
# Each role may do what is named here and everything that the roles before it may.
ROLE_MAY: dict[Role, tuple[Deed, ...]] = {
    "viewer": ("read", "ask"),
    "operator": ("report", "operate", "edit"),  # alerts, rows, silences, pause, retry, close
    "approver": ("decide",),  # approve and reject
    "admin": ("administer",),  # tokens, resume after a pause, reconcile, audit export
}
ROLES: tuple[Role, ...] = (*APART, *ROLE_MAY)
# In words, for people who read what they may and may not do.
DEEDS: dict[Deed, str] = {
    "read": "read incidents, alerts, evidence, approvals, silences, runbooks, prompts",
    "ask": "ask questions, and have a component measured (what is wrong opens an incident)",
    "report": "send alerts and changes, and load rows into the warehouse",
    "operate": (
        "silence, pause, retry, close, withdraw, confirm a report, take a reference, judge "
        "incidents"
    ),
    "edit": "change the arguments of a proposal, or ask back about it",
    "decide": "approve and reject; make one-time links for an approval",
    "administer": (
        "tokens, resume after a pause, reconcile, verify and export the audit, log the agent to "
        "MLflow, folders of runbooks, push prompts"
    ),
}
_PREFIX: dict[Kind, str] = {"token": "T", "session": "SES", "link": "L"}
Person = Annotated[Name, AfterValidator(storable)]


class Identity(Record):
    """Someone at a door."""

    name: Person
    role: Role
    tenant: Name | None = None  # sees only components of this tenant; every one when empty
    credential_id: str | None = None  # the token that vouches; nothing where the door is open
    approval_id: str | None = None  # a one-time link speaks for this one approval only
    subject: str | None = None  # who an outside issuer of identities says it is

    @property
    def is_proved(self) -> bool:
        """False where the door is open and the name is only what was said."""
        return not (self.credential_id is self.approval_id is self.subject is None)

    @property
    def sender(self) -> str | None:
        """Whose what it delivers is; None where nobody is asked who they are."""
        return self.name if self.is_proved else None

    def may(self, deed: Deed) -> bool:
        """True when the role, or one before it, names the deed; a link may only decide."""
        if self.approval_id is not None and deed != "decide":
            return False
        return role_may(self.role, deed)


class Credential(Record):
    """A token, a page's session or a one-time link, as the ledger knows it: never its secret."""

    credential_id: Name  # T-1, SES-1, L-1
    kind: Kind
    name: Person  # whose it is: the actor of what is done with it
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
        """Vouched for by the token at the root: what is decided over a session or a link stands
        while that token does, however soon the session ends or the link is used up."""
        vouching = self.credential_id if self.kind == "token" else self.parent_id
        return Identity(
            name=self.name,
            role=self.role,
            tenant=self.tenant,
            credential_id=vouching,
            approval_id=self.approval_id,
        )

    def counts(self, at: datetime) -> bool:
        """True while it lets someone in."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def numbered(self, number: int) -> Self:
        return self.model_copy(update={"credential_id": f"{_PREFIX[self.kind]}-{number}"})


def role_may(role: Role, deed: Deed) -> bool:
    """True when the role, or one before it, names the deed."""
    if role in APART:
        return deed in APART[role]
    for each, deeds in ROLE_MAY.items():
        if deed in deeds:
            return True
        if each == role:
            return False
    return False


def roles_that_may(deed: Deed) -> tuple[Role, ...]:
    """The roles to whom a deed is open, least first; those apart are not among them."""
    return tuple(role for role in ROLE_MAY if role_may(role, deed))
