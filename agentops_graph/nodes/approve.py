"""Waits for a person's decision; the ledger holds it, the resume value is only a knock."""

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def approve(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    approval = ports.approvals.get(state["approval_id"])
    if approval.status == "pending":
        interrupt({"approval_id": approval.approval_id, "digest": approval.digest})
        approval = ports.approvals.get(state["approval_id"])
    if approval.status == "pending":
        return {"decision": "pending"}
    because = f": {approval.reason}" if approval.reason else ""
    said = f"{approval.approval_id} {approval.status} by {approval.decided_by}{because}"
    if approval.status == "approved":
        return {"decision": "approved", "status": "acting", "said": said}
    if approval.status == "rejected":
        return {"decision": "rejected", "status": "investigating", "said": said}
    if approval.status == "withdrawn":
        return {"decision": "withdrawn", "status": "verifying", "said": said}
    return {
        "decision": approval.status,
        "plan_number": state.get("plan_number", 0) + 1,
        "step": 0,
        "status": "investigating",
        "said": f"{said}; planning anew from fresh evidence",
    }
