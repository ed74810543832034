"""Where a run of an incident begins: at its checkpoint or, when that is lost, from the ledger."""

import logging
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateSnapshot

from agentops_graph.domain.approval import Approval
from agentops_graph.domain.effect import effect_key
from agentops_graph.domain.health import longest_wait
from agentops_graph.domain.incident import GRAPH_VERSION, Incident, TimelineEvent
from agentops_graph.effects import carry_out
from agentops_graph.errors import CheckpointError
from agentops_graph.faults import fault
from agentops_graph.handover import hand_to_person
from agentops_graph.nodes.verify import keep_guard
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState
from agentops_graph.window import ended_at

log = logging.getLogger(__name__)

Graph = CompiledStateGraph[IncidentState, Ports, IncidentState, IncidentState]
NOTHING = object()  # there is nothing to run


def entry_of(ports: Ports, graph: Graph, incident: Incident, why: str) -> Any:
    """What to invoke the graph with: a start, a knock on the pause, or nothing new."""
    config: RunnableConfig = {"configurable": {"thread_id": incident.incident_id}}
    try:
        snapshot = graph.get_state(config)
    except CheckpointError as error:
        log.warning("%s goes on from the ledger: %s", incident.incident_id, error)
        return _from_ledger(ports, graph, incident, str(error))
    if snapshot.created_at is None:
        if incident.status == "detected":
            return _beginning(incident.incident_id, incident.plan_number)
        return _from_ledger(ports, graph, incident, "its checkpoints are gone")
    return _from_checkpoint(snapshot, incident, why)


def _from_checkpoint(snapshot: StateSnapshot, incident: Incident, why: str) -> Any:
    if snapshot.values.get("plan_number", 0) < incident.plan_number:
        return _beginning(incident.incident_id, incident.plan_number)
    if snapshot.interrupts:
        return Command(resume={pause.id: {"knock": why} for pause in snapshot.interrupts})
    # A process may have died between two nodes, or after a node's writes and before the step was
    # closed; `next` is empty in the second case, and the tasks are not.
    return None if snapshot.tasks else NOTHING


def _beginning(incident_id: str, plan_number: int) -> IncidentState:
    return {"incident_id": incident_id, "plan_number": plan_number}


def _from_ledger(ports: Ports, graph: Graph, incident: Incident, seen: str) -> Any:
    """An approved action is followed to its end; else the plan is made anew, and asked anew."""
    underway = _underway(ports, incident)
    if underway is None:
        return _planned_anew(ports, graph, incident, seen)
    text = f"progress was lost ({seen}); goes on with {underway.approval_id}"
    ports.incidents.update(incident.incident_id, _note(ports, incident, text))
    _delete_thread(graph, incident.incident_id)
    config: RunnableConfig = {"configurable": {"thread_id": incident.incident_id}}
    decided: IncidentState = {
        "incident_id": incident.incident_id,
        "plan_number": incident.plan_number,
        "step": underway.proposal.step,
        "approval_id": underway.approval_id,
        "decision": "approved",
    }
    graph.update_state(config, decided, as_node="approve")
    return None


def _underway(ports: Ports, incident: Incident) -> Approval | None:
    """The approved action of this plan of which no outcome is kept; its effect has a key, so that
    asking for it once more does nothing twice."""
    ended = {
        chapter.step
        for chapter, _ in ports.incidents.kept(incident.incident_id, "step")
        if chapter.plan_number == incident.plan_number
    }
    for approval in ports.approval_log.listed(incident_id=incident.incident_id, status="approved"):
        proposal = approval.proposal
        if proposal.plan_number == incident.plan_number and proposal.step not in ended:
            return approval
    return None


def end_older(ports: Ports, incident: Incident) -> None:
    """Hands over an incident that another version of the graph began: its checkpoint means nothing
    here. A guard whose window is open is kept to its end first, for that needs nothing but the
    ledger: looks are taken, and a breach is undone."""
    begun = f"it was begun by version {incident.graph_version} of the graph and this is "
    why = f"{begun}{GRAPH_VERSION}; `agentops retry {incident.incident_id}` plans it anew"
    guarded = _guarded(ports, incident)
    if guarded is not None:
        seen = keep_guard(ports, guarded)
        if seen is None:
            _tell_once(ports, incident, f"{begun}{GRAPH_VERSION}; only its health window goes on")
            return
        why = f"{guarded.approval_id}: {seen}; {why}"
    hand_to_person(ports, incident.incident_id, why)


def _guarded(ports: Ports, incident: Incident) -> Approval | None:
    """The action underway, when it was carried out and its guard still watches. What a killed
    runner left half done is settled first, as far as that can be known."""
    underway = _underway(ports, incident)
    if underway is None:
        return None
    effect = ports.effects.find(effect_key(underway.approval_id, "do"))
    if effect is None:
        return None
    if effect.state == "intent":
        effect = carry_out(ports, underway)
    if effect.state == "unknown":
        ports.incidents.update(incident.incident_id, needs_reconcile=True)
    is_open = effect.state == "done" and underway.proposal.guard is not None
    return underway if is_open else None


def is_guarded(ports: Ports, incident: Incident) -> bool:
    """True while a window that was approved with an action may still show a breach."""
    approval = _underway(ports, incident)
    guard = approval.proposal.guard if approval is not None else None
    if approval is None or guard is None:
        return False
    effect = ports.effects.find(effect_key(approval.approval_id, "do"))
    if effect is None or effect.state != "done":
        return False
    waited_s = (ports.clock.now() - ended_at(ports, approval)).total_seconds()
    return waited_s < longest_wait(guard.window_s)


def _tell_once(ports: Ports, incident: Incident, text: str) -> None:
    if not any(event.text == text for event in ports.log.timeline(incident.incident_id)):
        note = _note(ports, incident, text).model_copy(update={"kind": "note"})
        ports.incidents.update(incident.incident_id, note)


def _planned_anew(ports: Ports, graph: Graph, incident: Incident, seen: str) -> IncidentState:
    number, now = incident.plan_number + 1, ports.clock.now()
    text = f"progress was lost ({seen}); planned anew from the ledger"
    with ports.incidents.together():
        # Written first: what is listed after it is all that waits.
        ports.incidents.update(
            incident.incident_id,
            _note(ports, incident, text),
            plan_number=number,
            status="detected",
        )
        for waiting in ports.approval_log.listed(
            incident_id=incident.incident_id, status="pending"
        ):
            ports.approvals.retire(
                waiting.approval_id, "superseded", why=text, by="agentops", at=now
            )
    _delete_thread(graph, incident.incident_id)
    return _beginning(incident.incident_id, number)


def _delete_thread(graph: Graph, incident_id: str) -> None:
    fault("entry.before_thread_deleted")
    saver = graph.checkpointer
    if saver is not None and not isinstance(saver, bool):
        saver.delete_thread(incident_id)
    fault("entry.after_thread_deleted")


def _note(ports: Ports, incident: Incident, text: str) -> TimelineEvent:
    return TimelineEvent(
        incident_id=incident.incident_id,
        at=ports.clock.now(),
        node="runner",
        kind="error",
        text=text[:1000],
    )
