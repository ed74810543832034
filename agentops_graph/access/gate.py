"""What is checked before every use of the service: role, tenant, and what a link speaks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from agentops_graph.domain.approval import Approval, Door
from agentops_graph.domain.identity import Deed, Identity, roles_that_may
from agentops_graph.errors import ForbiddenError, NotFoundError
from agentops_graph.ports import Ports
from agentops_graph.service import Service

NOBODY = "anonymous"


def write_unproved(ports: Ports, via: Door) -> None:
    """A row for somebody who was let in nowhere: with no token, or one that does not count."""
    ports.audit.write("access.refused", actor=NOBODY, via=via, at=ports.clock.now())


class Gate(Service):
    """Stands before a service, in its place, for one identity at one door.

    It has no ports of its own: a use of the service that is not let through here by name finds
    nothing to work with.
    """

    def __init__(self, service: Service, identity: Identity, via: Door) -> None:
        self.identity = identity
        self.via = via
        self._behind = service._ports
        self._service = service
        if identity.tenant is not None:
            watched = self._behind.components.items()
            own = {name: c for name, c in watched if c.tenant == identity.tenant}
            self._service = Service(replace(self._behind, components=own))

    def needs(self, deed: Deed, *, everywhere: bool = False) -> None:
        """ForbiddenError, and a row in the audit, unless the identity may do this; `everywhere`
        when it concerns the components of every tenant."""
        who = self.identity
        if not who.may(deed):
            self._refuse(deed, f"{deed} needs the role {' or '.join(roles_that_may(deed))}")
        if everywhere and who.tenant is not None:
            self._refuse(deed, f"this concerns every tenant, and the token is {who.tenant}'s")

    def called(self, actor: str | None = None) -> str:
        """Whose word it is: who was proved, or the name that was given where nothing is asked."""
        return self.identity.name if self.identity.is_proved else actor or self.identity.name

    @contextmanager
    def refusals_written(self, deed: Deed) -> Iterator[None]:
        """What the ledger forbids is a row in the audit, too."""
        try:
            yield
        except ForbiddenError:
            self._write_refusal(deed)
            raise

    def _refuse(self, deed: Deed, why: str) -> NoReturn:
        self._write_refusal(deed)
        who = self.identity
        kind = "this link of" if who.approval_id is not None else ""
        raise ForbiddenError(f"{kind} {who.name} ({who.role}) may not do that: {why}".strip())

    def _write_refusal(self, deed: Deed) -> None:
        who = self.identity
        self._behind.audit.write(
            "access.refused",
            actor=who.name,
            via=self.via,
            at=self._behind.clock.now(),
            deed=deed,
            role=who.role,
            credential_id=who.credential_id,
            approval_id=who.approval_id,
            subject=who.subject,
        )

    def _sees(self, component: str) -> bool:
        return self.identity.tenant is None or component in self._service.components

    def _check_incident(self, incident_id: str) -> None:
        """NotFoundError in the same words for what is another tenant's and for what is not."""
        if self.identity.tenant is None:
            return
        try:
            if self._sees(self._behind.incidents.get(incident_id).component):
                return
        except NotFoundError:
            pass
        raise NotFoundError(f"no incident {incident_id!r}; `agentops incidents` lists them")

    def _check_approval(self, approval_id: str) -> None:
        """The same for approvals; a link knows of one only."""
        if self.identity.approval_id not in (None, approval_id.upper()):
            raise _no_approval(approval_id)
        if self.identity.tenant is None:
            return
        try:
            if self._sees_approval(self._behind.approvals.get(approval_id.upper())):
                return
        except NotFoundError:
            pass
        raise _no_approval(approval_id)

    def _check_voice(self, approval_id: str) -> None:
        """One token is one voice: nobody adds a second with a link made for another name."""
        who = self.identity
        if who.credential_id is None:
            return
        for vote in self._behind.approvals.get(approval_id.upper()).votes:
            if vote.credential_id == who.credential_id and vote.actor != who.name:
                self._refuse("decide", f"{vote.actor} has spoken with the same token")

    def _sees_approval(self, approval: Approval) -> bool:
        return self._sees_incident(approval.proposal.incident_id)

    def _sees_incident(self, incident_id: str) -> bool:
        if self.identity.tenant is None:
            return True
        return self._sees(self._behind.incidents.get(incident_id).component)

    def _is_foreign(self, incident_id: str) -> bool:
        """Of another tenant; False for what is no incident of the ledger."""
        try:
            return not self._sees_incident(incident_id)
        except NotFoundError:
            return False

    def _may_read_page(self, document: str) -> bool:
        """Runbooks, and reports that came with them, are everybody's; a report of an incident is
        its component's tenant's."""
        return not self._is_foreign(document.removesuffix(".md"))


def _no_approval(approval_id: str) -> NotFoundError:
    return NotFoundError(f"no approval {approval_id!r}; `agentops approvals` lists those that wait")
