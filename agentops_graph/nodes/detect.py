"""Measures the alert again on live data; a claim that no longer holds ends suppressed."""

from langgraph.runtime import Runtime

from agentops_graph.domain.incident import Incident
from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.domain.story import main_alert
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.elsewhere import fires_elsewhere
from agentops_graph.gathering.hysteresis import held_now
from agentops_graph.gathering.recent import repaired_at, settled_at
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def detect(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident = ports.incidents.get(state["incident_id"])
    component = ports.components.get(incident.component)
    if component is None:
        return _trusted(f"{incident.component} is not configured here")
    try:
        now = ports.clock.now()
        since = settled_at(ports.log, component, now)
        found = held_now(
            ports.warehouse,
            component,
            incident.alert_type,
            now,
            told=main_alert(incident, ports.log.alerts(incident.incident_id)).metrics,
            segment=incident.segment,
            since=since,
            repaired=repaired_at(ports.log, component, now),
        )
    except NotEnoughDataError as error:
        return _trusted(str(error))
    seen = found.seen
    ports.incidents.keep(
        Chapter(
            incident_id=incident.incident_id,
            kind="measurement",
            plan_number=state.get("plan_number", 0),
        ),
        Note(values=dict(seen.readings)),
    )
    if found.state == "lingers" and _had_crossed(ports, incident):
        text = "measured again: back under its line, but not yet under its clear level"
        return {"measured": "holds", "status": "detected", "said": text}
    if found.state == "holds":
        numbers = "; ".join(finding.summary for finding in seen.findings)
        return {"measured": "holds", "status": "detected", "said": f"measured again: {numbers}"}
    if found.state == "over" and fires_elsewhere(ports, incident.incident_id):
        return _trusted("the system that raised it has not said its end, and here it does not hold")
    if found.state == "unmeasured":
        return _trusted("; ".join(seen.notes) or "nothing to measure it by")
    ports.incidents.update(
        incident.incident_id,
        ended_at=ports.clock.now(),
        summary="measured again on live data: the claim no longer holds",
    )
    return {
        "measured": "gone",
        "status": "suppressed",
        "said": "measured again: the claim no longer holds",
    }


def _had_crossed(ports: Ports, incident: Incident) -> bool:
    """True when a look of ours had seen the line crossed; what others report is held to the line
    itself."""
    return bool(main_alert(incident, ports.log.alerts(incident.incident_id)).findings)


def _trusted(why: str) -> Update:
    return {
        "measured": "trusted",
        "status": "detected",
        "said": f"the claim can't be measured again ({why}); taken as it came",
    }
