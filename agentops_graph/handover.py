"""Handing an incident to a person; used by the graph, and by the runner when the graph fails."""

from agentops_graph.closing import resolution_of
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.policy import rule
from agentops_graph.faults import fault
from agentops_graph.ports import Ports
from agentops_graph.wording import handed_over


def hand_to_person(ports: Ports, incident_id: str, why: str) -> str:
    """Sets the owner, tells them, withdraws what was still asked for, and keeps a resolution that
    says where it stands, all in one transaction."""
    incident: Incident = ports.incidents.get(incident_id)
    person = ports.policy.person_at(0)
    with ports.incidents.together():
        _write_down(ports, incident, person, why)
    fault("handover.after_status")
    return person


def _write_down(ports: Ports, incident: Incident, person: str, why: str) -> None:
    incident_id, now = incident.incident_id, ports.clock.now()
    # Written first: from here on nobody proposes, edits or decides beside this.
    ports.incidents.update(
        incident_id,
        owner=person,
        status="escalated",
        needs_reconcile=_leave_in_doubt(ports, incident_id, why) or incident.needs_reconcile,
    )
    waiting = ports.approval_log.listed(incident_id=incident_id, status="pending")
    ports.incidents.keep(
        Chapter(
            incident_id=incident_id,
            kind="resolution",
            plan_number=incident.plan_number,
        ),
        resolution_of(ports, incident, "escalated", now),
    )
    for approval in waiting:
        ports.approvals.retire(
            approval.approval_id,
            "withdrawn",
            why=f"handed over to {person}; `agentops retry {incident_id}` asks anew",
            by="agentops",
            at=now,
        )
    ports.outbox.put(
        incident_id,
        handed_over(incident, person, why),
        marker=f"{incident_id}:{incident.plan_number}:handed_over",
        reason=rule("send_slack_alert").reason,
        at=now,
    )
    fault("handover.before_status")


def _leave_in_doubt(ports: Ports, incident_id: str, why: str) -> bool:
    """No runner comes back to an intent that is open here: what nobody could settle is unknown, or
    it would hold its target for ever. True when something is to be reconciled."""
    effects = ports.effect_log.listed(incident_id)
    for effect in effects:
        if effect.state == "intent":
            ports.effects.finish(
                effect.key,
                effect.lease_token,
                "unknown",
                at=ports.clock.now(),
                error=f"nobody could settle it: {why}"[:1000],
            )
    return any(effect.state in ("intent", "unknown") for effect in effects)
