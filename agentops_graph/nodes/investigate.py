"""Gathers evidence in parallel and keeps it."""

from datetime import datetime

from langgraph.runtime import Runtime

from agentops_graph.domain.alert import Alert
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.recurrence import Recurrence
from agentops_graph.domain.story import main_alert
from agentops_graph.gathering.gather import gather
from agentops_graph.gathering.pause import timer_of
from agentops_graph.gathering.recurrence import Repeat, recalled
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def investigate(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident_id, plan_number = state["incident_id"], state.get("plan_number", 0)
    incident = ports.incidents.get(incident_id).model_copy(update={"plan_number": plan_number})
    alert = main_alert(incident, ports.log.alerts(incident_id))
    now = ports.clock.now()
    held = _held(ports, incident)
    if held is not None:
        return _told(plan_number, held.in_words)
    repeat, why_not = _repeat(ports, incident, alert, now)
    found = repeat.evidence if repeat else gather(ports, incident, alert, now, kept=ports.answers)
    ports.incidents.update(incident_id, plan_number=plan_number)
    for piece in found:
        chapter = Chapter(
            incident_id=incident_id,
            kind="evidence",
            plan_number=plan_number,
            step=_place(piece),
        )
        ports.incidents.keep(chapter, piece)
    # Last: who is killed before it looks again, at all of it, and nothing is in the way.
    if repeat is not None:
        _keep_repeat(ports, incident, repeat.recurrence, now)
        return _told(plan_number, repeat.recurrence.in_words)
    failed = [piece.kind for piece in found if piece.status == "failed"]
    missing = f"; did not answer: {', '.join(failed)}" if failed else ""
    doubt = f"; {why_not}" if why_not else ""
    return _told(plan_number, f"{len(found) - len(failed)} pieces of evidence{missing}{doubt}")


def _told(plan_number: int, said: str) -> Update:
    return {"plan_number": plan_number, "status": "investigating", "said": said}


def _place(piece: Evidence) -> int:
    """The same for a piece of a repeat as for that piece among all of them."""
    return int(piece.evidence_id.rpartition("/E")[2]) - 1


def _held(ports: Ports, incident: Incident) -> Recurrence | None:
    """What this plan was found to be before a crash; it is not looked up twice."""
    if incident.plan_number:
        return None
    kept = ports.incidents.kept(incident.incident_id, "recurrence")
    return Recurrence.model_validate(kept[-1][1]) if kept else None


def _repeat(
    ports: Ports, incident: Incident, alert: Alert, now: datetime
) -> tuple[Repeat | None, str]:
    """Who asks for a plan anew wants fresh eyes, not the answer of the last time; and what was
    investigated before a crash was no repeat."""
    is_begun = bool(ports.incidents.kept(incident.incident_id, "evidence"))
    if incident.plan_number or is_begun:
        return None, ""
    return recalled(ports, incident, alert, now)


def _keep_repeat(ports: Ports, incident: Incident, known: Recurrence, now: datetime) -> None:
    """With the timer that ends its pause: one is never there without the other."""
    chapter = Chapter(incident_id=incident.incident_id, kind="recurrence")
    timer = timer_of(incident, known, now)
    with ports.incidents.together():
        ports.incidents.keep(chapter, known)
        if timer is not None:
            ports.timers.set(timer)
