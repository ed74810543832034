"""Routes of approvals: what waits, what exactly it is, and the decision."""

from typing import Annotated

from fastapi import APIRouter, Query

from agentops_graph.domain.approval import ApprovalStatus
from agentops_graph.serving.api.bodies import (
    ApprovalList,
    ApprovalView,
    DecisionBody,
    DecisionView,
)
from agentops_graph.serving.api.door import InService

routes = APIRouter(prefix="/api/v1/approvals", tags=["approvals"])
Status = Annotated[ApprovalStatus | None, Query()]


@routes.get("")
def approvals(service: InService, status: Status = None) -> ApprovalList:
    return ApprovalList(approvals=tuple(service.approvals(status=status)))


@routes.get("/{approval_id}")
def approval(approval_id: str, service: InService) -> ApprovalView:
    return ApprovalView.of(service.approval(approval_id))


@routes.post("/{approval_id}/decision")
def decide(approval_id: str, service: InService, body: DecisionBody) -> DecisionView:
    """409 when someone was first, 410 when it expired or was replaced, 422 without a reason to
    reject or with the digest of something else."""
    decided = service.decide(
        approval_id,
        body.verdict,
        actor=body.actor,
        via="http",
        digest=body.digest,
        reason=body.reason,
    )
    return DecisionView.of(decided)
