"""Handing an incident to a person; used by the graph, and by the runner when the graph fails."""

from agentops_graph.closing import resolution_of
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.policy import rule
from agentops_graph.faults import fault
from agentops_graph.ports import Ports
from agentops_graph.wording import handed_over


def hand_to_person(ports: Ports, incident_id: str, why: str) -> str:
    """Sets the owner, tells them, and keeps a resolution that says where it stands."""
    incident: Incident = ports.incidents.get(incident_id)
    person, now = ports.policy.person_at(0), ports.clock.now()
    ports.incidents.keep(
        Chapter(
            incident_id=incident_id,
            kind="resolution",
            plan_number=incident.plan_number,
        ),
        resolution_of(ports, incident, "escalated", now),
    )
    ports.incidents.update(incident_id, owner=person, status="escalated")
    ports.outbox.put(
        incident_id,
        handed_over(incident, person, why),
        marker=f"{incident_id}:{incident.plan_number}:handed_over",
        reason=rule("send_slack_alert").reason,
        at=now,
    )
    return person
