"""Writes what each node did on the incident's timeline, with its agent and its time."""

import time
from contextlib import nullcontext
from typing import Protocol

from langgraph.runtime import Runtime

from agentops_graph.domain.incident import AgentName, TimelineEvent
from agentops_graph.errors import ConflictError
from agentops_graph.faults import fault
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


class Node(Protocol):
    """A function of the graph."""

    __name__: str

    def __call__(self, state: IncidentState, runtime: Runtime[Ports]) -> Update: ...


AGENTS: dict[str, AgentName] = {
    "detect": "Monitor",
    "triage": "Monitor",
    "investigate": "Investigator",
    "diagnose": "Investigator",
    "plan": "Investigator",
    "approve": "Remediator",
    "act": "Remediator",
    "verify": "Remediator",
    "report": "Remediator",
    "escalate": "Remediator",
}
# These write only when they have read everything, so that what they write and their line on the
# timeline can be one transaction; the others call the outside between two writes.
WRITE_LAST = ("detect", "triage", "investigate", "diagnose", "escalate")
HANDOVERS = {"triage": "Investigator", "plan": "Remediator"}


def told(node: Node) -> Node:
    """The node, with its line, status and milliseconds written in one transaction at its end."""
    name = node.__name__
    before, after = f"{name}.before", f"{name}.after"

    def run(state: IncidentState, runtime: Runtime[Ports]) -> Update:
        fault(before)
        _stop_if_lost(runtime.context, state["incident_id"])
        together = runtime.context.incidents.together
        with together() if name in WRITE_LAST else nullcontext():
            began = time.perf_counter()
            update = node(state, runtime)
            _stop_if_lost(runtime.context, state["incident_id"])
            if "said" in update:
                took_ms = round((time.perf_counter() - began) * 1000, 2)
                with together():
                    _tell(runtime.context, state["incident_id"], name, update, took_ms)
        fault(after)
        return update

    run.__name__ = name
    return run


def _stop_if_lost(ports: Ports, incident_id: str) -> None:
    # A process that stood still must not go on where another has been since: what it would write
    # down, also as its checkpoint, is of the past.
    if ports.is_lost():
        raise ConflictError(f"{incident_id} went to another runner while this one stood still")


def _tell(ports: Ports, incident_id: str, name: str, update: Update, took_ms: float) -> None:
    event = TimelineEvent(
        incident_id=incident_id,
        at=ports.clock.now(),
        agent=AGENTS[name],
        node=name,
        kind="step",
        text=update["said"],
        ms=took_ms,
    )
    changes = {"status": update["status"]} if "status" in update else {}
    ports.incidents.update(incident_id, event, **changes)
    _hand_over(ports, incident_id, name, update)


def _hand_over(ports: Ports, incident_id: str, name: str, update: Update) -> None:
    goes_on = update.get("triaged") == "go" or update.get("planned") == "asked"
    if name not in HANDOVERS or not goes_on:
        return
    ports.incidents.update(
        incident_id,
        TimelineEvent(
            incident_id=incident_id,
            at=ports.clock.now(),
            agent=AGENTS[name],
            node=name,
            kind="handover",
            text=f"{AGENTS[name]} hands over to {HANDOVERS[name]}: {update.get('said', '')}",
        ),
    )
