"""Carries out the approved action through the executor, at most once."""

from langgraph.runtime import Runtime

from agentops_graph.domain.incident import Step
from agentops_graph.domain.ledger import Chapter
from agentops_graph.effects import carry_out
from agentops_graph.errors import RefusedError
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def act(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    approval = ports.approvals.get(state["approval_id"])
    action = approval.proposal.action
    try:
        effect = carry_out(ports, approval)
    except RefusedError as refusal:
        why = f"{action.action} was not carried out: {refusal}"
        return {"effect": "refused", "said": why, "why": why}
    if effect.state == "done":
        _mark_first_action(ports, state["incident_id"])
        made = effect.receipt.reference if effect.receipt else "done"
        return {
            "effect": "done",
            "status": "verifying",
            "said": f"{action.action} carried out for {approval.approval_id}: {made}",
        }
    if effect.state == "failed":
        why = f"{action.action} did not happen: {effect.error}"
        ports.incidents.keep(
            Chapter(
                incident_id=state["incident_id"],
                kind="step",
                plan_number=approval.proposal.plan_number,
                step=approval.proposal.step,
            ),
            Step(step=approval.proposal.step, action=action.action, outcome="failed", details=why),
        )
        return {"effect": "failed", "status": "investigating", "said": why}
    ports.incidents.update(state["incident_id"], needs_reconcile=True)
    why = f"whether {action.action} happened is not known ({effect.error}); `agentops reconcile`"
    return {"effect": "unknown", "said": why, "why": why}


def _mark_first_action(ports: Ports, incident_id: str) -> None:
    if ports.incidents.get(incident_id).acted_at is None:
        ports.incidents.update(incident_id, acted_at=ports.clock.now())
