"""A LangGraph graph with our ten nodes' names and path and nothing in them."""

from typing import Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class State(TypedDict, total=False):
    """As many words as our own state holds."""

    incident_id: str
    plan_number: int
    measured: str
    triaged: str
    planned: str
    approval_id: str
    decision: str
    effect: str
    verdict: str
    status: str
    said: str


SAYS: dict[str, State] = {
    "detect": {"measured": "holds", "status": "detected"},
    "triage": {"triaged": "go", "status": "investigating"},
    "investigate": {"plan_number": 0, "status": "investigating"},
    "diagnose": {},
    "plan": {"planned": "asked", "approval_id": "A-1", "status": "awaiting_approval"},
    "approve": {"decision": "approved", "status": "acting"},
    "act": {"effect": "done", "status": "verifying"},
    "verify": {"verdict": "healthy"},
    "report": {"status": "resolved"},
    "escalate": {"status": "escalated"},
}
PAUSES = ("approve", "verify")


def build_bare_graph(checkpointer: BaseCheckpointSaver[str]) -> Any:
    """The same edges, routes and pauses; the nodes return a constant."""
    graph = StateGraph(State)
    for name in SAYS:
        graph.add_node(name, _pausing(name) if name in PAUSES else _saying(name))
    graph.add_edge(START, "detect")
    graph.add_conditional_edges(
        "detect", lambda s: "triage" if s["measured"] == "holds" else END, ["triage", END]
    )
    graph.add_conditional_edges(
        "triage", lambda s: "investigate" if s["triaged"] == "go" else END, ["investigate", END]
    )
    graph.add_edge("investigate", "diagnose")
    graph.add_edge("diagnose", "plan")
    graph.add_conditional_edges(
        "plan",
        lambda s: "approve" if s["planned"] == "asked" else "escalate",
        ["approve", "escalate"],
    )
    graph.add_conditional_edges(
        "approve", lambda s: "act" if s["decision"] == "approved" else "plan", ["act", "plan"]
    )
    graph.add_conditional_edges(
        "act", lambda s: "verify" if s["effect"] == "done" else "escalate", ["verify", "escalate"]
    )
    graph.add_conditional_edges(
        "verify",
        lambda s: "report" if s["verdict"] == "healthy" else "escalate",
        ["report", "escalate"],
    )
    graph.add_edge("report", END)
    graph.add_edge("escalate", END)
    return graph.compile(checkpointer=checkpointer)


def _saying(name: str) -> Any:
    def node(state: State) -> State:
        return {**SAYS[name], "said": f"{name} of {state['incident_id']} said what it did"}

    return node


def _pausing(name: str) -> Any:
    def node(state: State) -> State:
        interrupt({"waits_in": name})
        return {**SAYS[name], "said": f"{name} of {state['incident_id']} said what it did"}

    return node
