"""Sends the plan's notices and proposes its next action; a person decides on what it proposed."""

from langgraph.runtime import Runtime

from agentops_graph.domain.approval import Proposal
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.gate import GateReport
from agentops_graph.domain.incident import Incident, Step
from agentops_graph.domain.knowledge import Outcome
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.plan import next_action, notices
from agentops_graph.domain.policy import rule
from agentops_graph.domain.sight import OF_A_SOURCE
from agentops_graph.domain.story import main_alert
from agentops_graph.ports import Ports
from agentops_graph.proposals import Draft, Situation, draft
from agentops_graph.replans import why_no_more
from agentops_graph.state import IncidentState, Update
from agentops_graph.wording import notice_for


def plan(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident = ports.incidents.get(state["incident_id"])
    diagnosis = _diagnosis(ports, incident)
    if (enough := why_no_more(ports, incident.incident_id)) is not None:
        return {"planned": "spent", "said": enough, "why": enough}
    _send_notices(ports, incident, diagnosis)
    tried = _outcomes(ports, incident)
    component = ports.components.get(incident.component)
    if component is None:
        why = _out_of_hand(incident)
        return {"planned": "spent", "said": why, "why": why}
    situation = Situation(ports, incident, component, ports.clock.now(), _gate(ports, incident))
    while (chosen := next_action(diagnosis.recommended_actions, tried)) is not None:
        made = draft(chosen.action, situation)
        if isinstance(made, Draft):
            return _asked(ports, incident, made, step=len(tried))
        _keep(
            ports,
            incident,
            Step(step=len(tried), action=chosen.action, outcome="unavailable", details=made),
        )
        tried[chosen.action] = "unavailable"
    why = _spent(ports, incident, diagnosis, tried)
    return {"planned": "spent", "said": why, "why": why}


def _out_of_hand(incident: Incident) -> str:
    if incident.component.startswith(OF_A_SOURCE):
        source = incident.component.removeprefix(OF_A_SOURCE)
        return f"nothing is done to {source} from here; this ends by itself once it is read again"
    return f"{incident.component} is not configured here, so nothing can be done to it"


def _diagnosis(ports: Ports, incident: Incident) -> Diagnosis:
    return Diagnosis.model_validate(ports.incidents.kept(incident.incident_id, "diagnosis")[-1][1])


def _send_notices(ports: Ports, incident: Incident, diagnosis: Diagnosis) -> None:
    alert = main_alert(incident, ports.log.alerts(incident.incident_id))
    with ports.incidents.together():
        for name in notices(diagnosis.recommended_actions):
            ports.outbox.put(
                incident.incident_id,
                notice_for(name, incident, alert, diagnosis),
                marker=f"{incident.incident_id}:{incident.plan_number}:{name}",
                reason=rule(name).reason,
                at=ports.clock.now(),
            )


def _outcomes(ports: Ports, incident: Incident) -> dict[str, Outcome]:
    """What this plan tried: kept steps, and the proposals that people rejected."""
    tried: dict[str, Outcome] = {s.action: s.outcome for s in _steps(ports, incident)}
    for approval in ports.approval_log.listed(incident_id=incident.incident_id):
        of_this_plan = approval.proposal.plan_number == incident.plan_number
        if of_this_plan and approval.status == "rejected":
            tried[approval.proposal.action.action] = "rejected"
    return tried


def _steps(ports: Ports, incident: Incident) -> list[Step]:
    return [
        Step.model_validate(document)
        for chapter, document in ports.incidents.kept(incident.incident_id, "step")
        if chapter.plan_number == incident.plan_number
    ]


def _gate(ports: Ports, incident: Incident) -> GateReport | None:
    trials = [
        document
        for chapter, document in ports.incidents.kept(incident.incident_id, "trial")
        if chapter.plan_number == incident.plan_number
    ]
    return GateReport.model_validate(trials[-1]) if trials else None


def _asked(ports: Ports, incident: Incident, made: Draft, step: int) -> Update:
    ruling = rule(made.action.action)
    approval = ports.approvals.propose(
        Proposal(
            approval_id="new",
            incident_id=incident.incident_id,
            plan_number=incident.plan_number,
            step=step,
            action=made.action,
            precondition=made.precondition,
            guard=made.guard,
            undo=made.undo,
        ),
        policy=ports.policy,
        reason=ruling.reason,
        notes=made.notes,
        at=ports.clock.now(),
    )
    return {
        "planned": "asked",
        "step": step,
        "approval_id": approval.approval_id,
        "status": "awaiting_approval",
        "said": f"{approval.approval_id} asks for {made.action.action} ({ruling.reason})",
    }


def _keep(ports: Ports, incident: Incident, step: Step) -> None:
    chapter = Chapter(
        incident_id=incident.incident_id,
        kind="step",
        plan_number=incident.plan_number,
        step=step.step,
    )
    ports.incidents.keep(chapter, step)


def _spent(
    ports: Ports, incident: Incident, diagnosis: Diagnosis, tried: dict[str, Outcome]
) -> str:
    if not tried:
        settle = (
            f"; this would settle it: {', '.join(diagnosis.missing)}" if diagnosis.missing else ""
        )
        return f"no action is recommended for: {diagnosis.root_cause}{settle}"
    reasons = {
        step.action: f" ({step.details})"
        for step in _steps(ports, incident)
        if step.outcome == "unavailable"
    }
    history = ", ".join(
        f"{action} {outcome}{reasons.get(action, '')}" for action, outcome in tried.items()
    )
    return f"every recommended action was tried or could not be: {history}"
