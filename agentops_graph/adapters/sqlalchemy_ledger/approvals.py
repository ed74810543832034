"""Approvals: what was proposed, by whom it was decided, and how it is read."""

from sqlalchemy import select

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.approval_rows import row_of, rows_of
from agentops_graph.adapters.sqlalchemy_ledger.decisions import LedgerDecisions
from agentops_graph.adapters.sqlalchemy_ledger.proposals import LedgerProposals
from agentops_graph.domain.approval import Approval


class LedgerApprovals(LedgerProposals, LedgerDecisions):
    """Implements `Approvals` and `ApprovalLog`; actions only, notices are the outbox's."""

    def get(self, approval_id: str) -> Approval:
        with self._db.read() as c:
            return row_of(c, approval_id)

    def listed(
        self, *, status: str | None = None, incident_id: str | None = None
    ) -> list[Approval]:
        query = (
            select(t.approvals)
            .where(t.approvals.c.kind == "action")
            .order_by(t.approvals.c.requested_at)
        )
        if status is not None:
            query = query.where(t.approvals.c.status == status)
        if incident_id is not None:
            query = query.where(t.approvals.c.incident_id == incident_id)
        with self._db.read() as c:
            return rows_of(c, query)
