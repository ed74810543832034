"""Gives the incident to a person, with everything known so far."""

from langgraph.runtime import Runtime

from agentops_graph.handover import hand_to_person
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update


def escalate(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    why = state.get("why", "the agent could not settle it")
    person = hand_to_person(runtime.context, state["incident_id"], why)
    return {"status": "escalated", "said": f"handed over to {person}: {why}"}
