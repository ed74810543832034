"""The one place where a command's person is asked for: a data folder behind its gate."""

from functools import cached_property

from agentops_graph.access import Access, Keys, identified
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.identity import Identity
from agentops_graph.errors import UnauthenticatedError
from agentops_graph.ports import AuditLog
from agentops_graph.service import Service


class Counter(Workshop):
    """A data folder whose service answers to whoever the token is of.

    While no token was ever made, it answers to everybody. Running incidents asks for no token: a
    runner decides nothing, and what it may carry out is in the ledger.
    """

    @cached_property
    def service(self) -> Access:
        """UnauthenticatedError when a token is needed and none is given that counts."""
        token = self.settings.token
        secret = token.get_secret_value().strip() if token is not None else None
        return self._for(identified(self.ports.credentials, secret, self.ports.clock.now()))

    @property
    def audit(self) -> AuditLog:
        """For admins of every tenant."""
        self.service.needs("administer", everywhere=True)
        return self.ports.audit

    @property
    def keys(self) -> Keys:
        return Keys(self.service)

    @property
    def first_keys(self) -> Keys:
        """To make an admin's token with. Where no admin's token counts any more, whoever may write
        to the data folder makes the next one; anything else still needs a token."""
        try:
            return self.keys
        except UnauthenticatedError:
            keys = Keys(self._for(Identity(name="owner of the data folder", role="admin")))
            if self.settings.token is not None or keys.live_admins():
                raise
            return keys

    def _for(self, identity: Identity) -> Access:
        return Access(Service(self.ports), identity, "cli")
