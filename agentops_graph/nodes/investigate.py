"""Gathers evidence in parallel and keeps it."""

from langgraph.runtime import Runtime

from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.recurrence import Recurrence
from agentops_graph.domain.story import main_alert
from agentops_graph.gathering.gather import gather
from agentops_graph.gathering.recurrence import repeat_of
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def investigate(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident_id, plan_number = state["incident_id"], state.get("plan_number", 0)
    known = _known(ports, incident_id, plan_number)
    if known is not None:
        return _update(plan_number, known.in_words)
    incident = ports.incidents.get(incident_id).model_copy(update={"plan_number": plan_number})
    alert = main_alert(incident, ports.log.alerts(incident_id))
    now = ports.clock.now()
    # Who asks for a plan anew wants fresh eyes, not the answer of the last time.
    repeat = None if plan_number else repeat_of(ports, incident, alert, now)
    found = repeat.evidence if repeat else gather(ports, incident, alert, now, kept=ports.answers)
    ports.incidents.update(incident_id, plan_number=plan_number)
    for piece in found:
        ports.incidents.keep(
            Chapter(
                incident_id=incident_id,
                kind="evidence",
                plan_number=plan_number,
                step=_place(piece),
            ),
            piece,
        )
    # Last: who is killed before it looks again, at all of it if need be, and nothing is in the way.
    if repeat is not None:
        ports.incidents.keep(Chapter(incident_id=incident_id, kind="recurrence"), repeat.recurrence)
        return _update(plan_number, repeat.recurrence.in_words)
    failed = [piece.kind for piece in found if piece.status == "failed"]
    missing = f"; did not answer: {', '.join(failed)}" if failed else ""
    return _update(plan_number, f"{len(found) - len(failed)} pieces of evidence{missing}")


def _known(ports: Ports, incident_id: str, plan_number: int) -> Recurrence | None:
    """What a process that was killed here had found; by now it might find something else."""
    kept = ports.incidents.kept(incident_id, "recurrence") if plan_number == 0 else []
    return Recurrence.model_validate(kept[-1][1]) if kept else None


def _place(piece: Evidence) -> int:
    """The same for a piece of a repeat as for that piece among all of them."""
    return int(piece.evidence_id.rpartition("/E")[2]) - 1


def _update(plan_number: int, said: str) -> Update:
    return {"plan_number": plan_number, "status": "investigating", "said": said}
