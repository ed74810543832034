"""Decides whether this is a story of its own, and how urgent it is."""

from langgraph.runtime import Runtime

from agentops_graph.domain.incident import Incident, TimelineEvent, story_it_belongs_to
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def triage(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident = ports.incidents.get(state["incident_id"])
    story = story_it_belongs_to(incident, ports.log.listed(open_only=True))
    if story is not None:
        return _joined(ports, incident, story)
    now = ports.clock.now()
    for silence in ports.silences.active(now):
        if silence.covers(incident.component, incident.alert_type, now):
            why = f"{silence.kind} {silence.silence_id} until {silence.ends_at:%Y-%m-%d %H:%M} UTC"
            _end(ports, incident, f"{why}: {silence.reason}")
            return {"triaged": "suppressed", "status": "suppressed", "said": why}
    if incident.severity == "info":
        _end(ports, incident, "information only; nothing to remedy")
        return {
            "triaged": "suppressed",
            "status": "suppressed",
            "said": "information only: recorded, not investigated",
        }
    return {
        "triaged": "go",
        "status": "investigating",
        "said": f"{incident.severity} {incident.alert_type} on {incident.component}",
    }


def _joined(ports: Ports, incident: Incident, story: Incident) -> Update:
    _end(ports, incident, f"part of {story.incident_id}")
    ports.incidents.update(
        story.incident_id,
        TimelineEvent(
            incident_id=story.incident_id,
            at=ports.clock.now(),
            agent="Monitor",
            node="triage",
            kind="note",
            text=f"{incident.incident_id} belongs to this: {incident.title}",
        ),
    )
    return {
        "triaged": "duplicate",
        "status": "suppressed",
        "said": f"part of {story.incident_id}; goes on there",
    }


def _end(ports: Ports, incident: Incident, summary: str) -> None:
    ports.incidents.update(incident.incident_id, ended_at=ports.clock.now(), summary=summary)
