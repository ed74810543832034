"""Closes the incident and writes down what was learnt."""

from datetime import datetime

from langgraph.runtime import Runtime

from agentops_graph.closing import draft, last_diagnosis, resolution_of, tell_people
from agentops_graph.domain.incident import Incident, Resolution, TimelineEvent
from agentops_graph.domain.ledger import Chapter
from agentops_graph.errors import PortError
from agentops_graph.faults import fault
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def report(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident = ports.incidents.get(state["incident_id"])
    now = ports.clock.now()
    fault("report.before_resolution")
    with ports.incidents.together():
        resolution = _closed(ports, incident, now)
    fault("report.after_resolution")
    _remember(ports, incident, resolution)
    return {"status": "resolved", "said": resolution.summary}


def _closed(ports: Ports, incident: Incident, now: datetime) -> Resolution:
    """The resolution that was kept, its notices on their way."""
    kept = ports.incidents.keep(
        Chapter(
            incident_id=incident.incident_id,
            kind="resolution",
            plan_number=incident.plan_number,
            step=1,  # after the one that an escalation of this plan may have left
        ),
        resolution_of(ports, incident, "resolved", now),
    )
    resolution = Resolution.model_validate(kept)
    tell_people(ports, incident.incident_id, resolution, now)
    ports.incidents.update(incident.incident_id, ended_at=now, summary=resolution.summary)
    return resolution


def _remember(ports: Ports, incident: Incident, resolution: Resolution) -> None:
    """Post-mortem and history; what does not answer is named on the timeline, and the incident
    closes all the same."""
    diagnosis = last_diagnosis(ports, incident.incident_id)
    text = draft(ports, incident, resolution)
    if diagnosis is None or text is None:
        return
    try:
        ports.shelf.add_incident(incident.incident_id, text, confirmed=False)
        ports.history.record_incident(incident, resolution, diagnosis.root_cause)
        fault("report.after_history")
    except PortError as error:
        ports.incidents.update(
            incident.incident_id,
            TimelineEvent(
                incident_id=incident.incident_id,
                at=ports.clock.now(),
                agent="Remediator",
                node="report",
                kind="error",
                text=f"closed, but not everything could be written down: {error}",
            ),
        )
