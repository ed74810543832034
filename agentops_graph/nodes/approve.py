"""Waits for a person's decision; the ledger holds it, the resume value is only a knock."""

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agentops_graph.domain.approval import Approval
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def approve(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    approval = _as_edited(ports, state["approval_id"])
    if approval.status == "pending":
        interrupt({"approval_id": approval.approval_id, "digest": approval.digest})
        approval = _as_edited(ports, approval.approval_id)
    approval_id = approval.approval_id
    if approval.status == "pending":
        return _still_waits(state, approval)
    because = f": {approval.reason}" if approval.reason else ""
    said = f"{approval_id} {approval.status} by {approval.decided_by}{because}"
    decided: Update = {"approval_id": approval_id, "decision": approval.status, "said": said}
    if approval.status == "approved":
        return {**decided, "status": "acting"}
    if approval.status == "rejected":
        return {**decided, "status": "investigating"}
    if approval.status == "withdrawn":
        return {**decided, "status": "verifying"}
    return {
        **decided,
        "plan_number": state.get("plan_number", 0) + 1,
        "step": 0,
        "status": "investigating",
        "said": f"{said}; planning anew from fresh evidence",
    }


def _as_edited(ports: Ports, approval_id: str) -> Approval:
    """The approval that stands for this step now; one of a later plan is no edit of it."""
    approval = ports.approvals.get(approval_id)
    while approval.superseded_by is not None:
        successor = ports.approvals.get(approval.superseded_by)
        if successor.place != approval.place:
            break
        approval = successor
    return approval


def _still_waits(state: IncidentState, approval: Approval) -> Update:
    update: Update = {"approval_id": approval.approval_id, "decision": "pending"}
    if approval.approval_id == state["approval_id"]:
        return update
    said = f"{approval.approval_id} asks instead of {state['approval_id']}: {approval.requested_by}"
    return {**update, "said": f"{said} edited it"}
