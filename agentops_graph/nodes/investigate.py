"""Gathers evidence in parallel and keeps it."""

from langgraph.runtime import Runtime

from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.story import main_alert
from agentops_graph.gathering.gather import gather
from agentops_graph.gathering.recurrence import repeat_of
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def investigate(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident_id, plan_number = state["incident_id"], state.get("plan_number", 0)
    incident = ports.incidents.get(incident_id).model_copy(update={"plan_number": plan_number})
    alert = main_alert(incident, ports.log.alerts(incident_id))
    now = ports.clock.now()
    # Who asks for a plan anew wants fresh eyes, not the answer of the last time.
    repeat = None if plan_number else repeat_of(ports, incident, alert, now)
    found = repeat.evidence if repeat else gather(ports, incident, alert, now, kept=ports.answers)
    ports.incidents.update(incident_id, plan_number=plan_number)
    if repeat is not None:
        ports.incidents.keep(Chapter(incident_id=incident_id, kind="recurrence"), repeat.recurrence)
    for number, piece in enumerate(found):
        ports.incidents.keep(
            Chapter(incident_id=incident_id, kind="evidence", plan_number=plan_number, step=number),
            piece,
        )
    failed = [piece.kind for piece in found if piece.status == "failed"]
    missing = f"; did not answer: {', '.join(failed)}" if failed else ""
    said = f"{len(found) - len(failed)} pieces of evidence{missing}"
    return {
        "plan_number": plan_number,
        "status": "investigating",
        "said": said if repeat is None else repeat.recurrence.in_words,
    }
