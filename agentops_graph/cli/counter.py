"""The one place where a command's person is asked for: a data folder behind its gate."""

from functools import cached_property
from typing import TYPE_CHECKING

from agentops_graph.access import Access, Keys, identified, write_unproved
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.identity import Identity
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import UnauthenticatedError
from agentops_graph.ports import AuditLog
from agentops_graph.service import Service

if TYPE_CHECKING:
    from agentops_graph.adapters.sqlite_shelf import SqliteShelf

NO_ADMIN_LEFT = (
    "no admin's token counts any more: unset AGENTOPS_TOKEN, leave --token-file out, and make the "
    "next one with `agentops token create NAME --role admin`"
)


class Counter(Workshop):
    """A data folder whose service answers to whoever the token is of.

    While no token was ever made, it answers to everybody. Running incidents asks for no token: a
    runner decides nothing, and what it may carry out is in the ledger.
    """

    @cached_property
    def service(self) -> Access:
        """UnauthenticatedError, and a row in the audit, when a token is needed and none is given
        that counts."""
        try:
            return self._proved
        except UnauthenticatedError:
            write_unproved(self.ports, "cli")
            raise

    @cached_property
    def _proved(self) -> Access:
        token = self.settings.token
        secret = token.get_secret_value().strip() if token is not None else None
        return self._for(identified(self.ports.credentials, secret, self.ports.clock.now()))

    @property
    def audit(self) -> AuditLog:
        """For admins of every tenant."""
        self.service.needs("administer", everywhere=True)
        return self.ports.audit

    @property
    def kept_shelf(self) -> "SqliteShelf":
        """For admins of every tenant: everybody's diagnoses rest on it."""
        self.service.needs("administer", everywhere=True)
        return self.shelf

    def write_down(self, what: str, actor: str, **fields: Scalar) -> None:
        """A row of the audit for what is done here and not by the service."""
        at = self.ports.clock.now()
        self.ports.audit.write(what, actor=self.service.called(actor), via="cli", at=at, **fields)

    @property
    def keys(self) -> Keys:
        return Keys(self.service)

    @property
    def first_keys(self) -> Keys:
        """To make an admin's token with. Where no admin's token counts any more, whoever may write
        to the data folder makes the next one; anything else still needs a token."""
        owner = Keys(self._for(Identity(name="owner of the data folder", role="admin")))
        if owner.live_admins() or not self.ports.credentials.has_tokens():
            return self.keys
        if self.settings.token is None:
            return owner
        try:
            return self.keys
        except UnauthenticatedError as error:
            raise UnauthenticatedError(f"{error}; {NO_ADMIN_LEFT}") from None

    def _for(self, identity: Identity) -> Access:
        return Access(Service(self.ports), identity, "cli")
