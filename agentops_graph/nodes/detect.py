"""Measures the alert again on live data; a claim that no longer holds ends suppressed."""

from langgraph.runtime import Runtime

from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.judged import was_measured
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.recent import settled_at
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
        seen = measure(ports.warehouse, component, now, since=since)
    except NotEnoughDataError as error:
        return _trusted(str(error))
    ports.incidents.keep(
        Chapter(
            incident_id=incident.incident_id,
            kind="measurement",
            plan_number=state.get("plan_number", 0),
        ),
        Note(values=dict(seen.readings)),
    )
    if any(finding.alert_type == incident.alert_type for finding in seen.findings):
        numbers = "; ".join(finding.summary for finding in seen.findings)
        return {"measured": "holds", "status": "detected", "said": f"measured again: {numbers}"}
    if not was_measured(incident.alert_type, component.metric.name, seen, incident.segment):
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


def _trusted(why: str) -> Update:
    return {
        "measured": "trusted",
        "status": "detected",
        "said": f"the claim can't be measured again ({why}); taken as it came",
    }
