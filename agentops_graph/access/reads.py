"""What an identity may read and ask, each use of the service by name."""

from collections.abc import Callable, Mapping
from datetime import datetime

from agentops_graph.access.discretion import discreet
from agentops_graph.access.gate import Gate
from agentops_graph.domain.alert import Alert
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.backtest import Backtest
from agentops_graph.domain.case import Case
from agentops_graph.domain.effect import Effect
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.knowledge import Page
from agentops_graph.domain.ledger import Silence
from agentops_graph.domain.lineage.chart import Chart
from agentops_graph.domain.noise import RuleNoise
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import NotFoundError
from agentops_graph.gathering.measure import Measurement
from agentops_graph.service import Inquiry

EVERY = 1_000_000  # what is another tenant's is left out before the list is cut
PAGES_LOOKED_AT = 50


class Reads(Gate):
    """The reads of the service."""

    @property
    def components(self) -> list[str]:
        self.needs("read")
        return self._service.components

    def component_in(self, question: str, *, by_name: bool = False) -> str:
        """A tenant's only component is not taken for another's that is named."""
        self.needs("read")
        by_name = by_name or self.identity.tenant is not None
        return self._service.component_in(question, by_name=by_name)

    def investigate(self, question: str, *, actor: str) -> Inquiry:
        self.needs("ask")
        name = self.component_in(question)
        return self._service.investigate(name, actor=self.called(actor))

    def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        self.needs("read")
        if self.identity.tenant is None:
            return self._service.incidents(open_only=open_only, limit=limit)
        every = self._service.incidents(open_only=open_only, limit=EVERY)
        return [i for i in every if self._sees(i.component)][:limit]

    def alerts(self, *, limit: int = 100) -> list[Alert]:
        self.needs("read")
        if self.identity.tenant is None:
            return self._service.alerts(limit=limit)
        every = self._service.alerts(limit=EVERY)
        return [a for a in every if self._sees(a.affected_component)][:limit]

    def case(self, incident_id: str) -> Case:
        self.needs("read")
        self._check_incident(incident_id)
        case = self._service.case(incident_id)
        return case if self.identity.tenant is None else discreet(case, self._is_foreign)

    def approvals(self, *, status: str | None = "pending") -> list[Approval]:
        self.needs("read")
        return [a for a in self._service.approvals(status=status) if self._sees_approval(a)]

    def approval(self, approval_id: str) -> Approval:
        """Open to a link, too, for the approval that it speaks for."""
        self.needs("read" if self.identity.approval_id is None else "decide")
        self._check_approval(approval_id)
        return self._service.approval(approval_id)

    def runners_alive(self) -> list[str]:
        self.needs("read")
        return self._service.runners_alive()

    def page(self, reference: str) -> Page:
        self.needs("read")
        if self.identity.tenant is None:
            return self._service.page(reference)
        try:
            found = self._service.page(reference)
            if self._may_read_page(found.document):
                return discreet(found, self._is_foreign)
        except NotFoundError:
            pass
        raise NotFoundError(f"no page {reference!r}; `agentops runbooks search` finds pages")

    def search(self, query: str, *, limit: int = 5) -> list[Page]:
        self.needs("read")
        if self.identity.tenant is None:
            return self._service.search(query, limit=limit)
        found = self._service.search(query, limit=max(limit, PAGES_LOOKED_AT))
        own = [page for page in found if self._may_read_page(page.document)][:limit]
        return [discreet(page, self._is_foreign) for page in own]

    def documents(self, rows: list[dict[str, Scalar]]) -> list[dict[str, Scalar]]:
        """Of the shelf's documents those that may be read."""
        self.needs("read")
        return [row for row in rows if self._may_read_page(str(row["document"]))]

    def readings(self, component: str) -> Measurement:
        self.needs("read")
        return self._service.readings(component)

    def noise(
        self, days: float, *, only: Callable[[str], bool] = lambda _: True
    ) -> list[RuleNoise]:
        self.needs("read")
        return self._service.noise(days, only=lambda name: self._sees(name) and only(name))

    def backtest(
        self,
        component: str | None,
        since: datetime,
        until: datetime,
        *,
        every_s: float = 3600,
        tried: Mapping[str, str] | None = None,
        told: Callable[[int, int], None] = lambda *_: None,
        only: Callable[[str], bool] = lambda _: True,
    ) -> Backtest:
        self.needs("ask")
        return self._service.backtest(
            component,
            since,
            until,
            every_s=every_s,
            tried=tried,
            told=told,
            only=lambda name: self._sees(name) and only(name),
        )

    def paused(self) -> str | None:
        self.needs("read")
        return self._service.paused()

    def lineage(self) -> Chart:
        """The map names what belongs to every tenant."""
        self.needs("read", everywhere=True)
        return self._service.lineage()

    def silences(self) -> list[Silence]:
        self.needs("read")
        return [s for s in self._service.silences() if self._sees(s.component)]

    def work_underway(self, incident_id: str) -> list[str]:
        self.needs("read")
        self._check_incident(incident_id)
        return self._service.work_underway(incident_id)

    def work_in_trouble(self) -> dict[str, str]:
        self.needs("read")
        every = self._service.work_in_trouble()
        return {i: words for i, words in every.items() if self._sees_incident(i)}

    def is_in_doubt(self, incident_id: str) -> bool:
        self.needs("read")
        self._check_incident(incident_id)
        return self._service.is_in_doubt(incident_id)

    def to_reconcile(self) -> list[Effect]:
        self.needs("read")
        return [e for e in self._service.to_reconcile() if self._sees_incident(e.incident_id)]
