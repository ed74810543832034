"""Routes of approvals: what waits, what exactly it is, and the decision."""

from typing import Annotated, TypedDict

from fastapi import APIRouter, Query

from agentops_graph.chat import Asker, remark
from agentops_graph.domain.approval import ApprovalStatus, Door
from agentops_graph.serving.api.bodies import (
    ApprovalList,
    ApprovalView,
    DecisionBody,
    DecisionView,
)
from agentops_graph.serving.api.door import InService


class _Said(TypedDict):
    actor: str
    via: Door


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
    """403 to who would approve what they asked for, 409 when someone was first, 410 when it expired
    or was replaced, 422 without a reason to reject, with arguments that can't be edited or with the
    digest of something else."""
    said: _Said = {"actor": body.actor, "via": "http"}
    if body.verdict == "respond":
        service.needs("edit")  # before the approval is read, to draft the answer
        kept, answer = remark(service, approval_id, body.text, Asker(name=body.actor, via="http"))
        return DecisionView(approval=kept, hint=None, answer=answer)
    if body.verdict == "edit":
        edited = service.edit(approval_id, body.arguments, digest=body.digest, **said)
        return DecisionView.of(edited)
    decided = service.decide(
        approval_id, body.verdict, digest=body.digest, reason=body.reason, **said
    )
    return DecisionView.of(decided)
