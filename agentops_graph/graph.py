"""The whole agent on one page: every node, every edge, every place where a person is asked.

    detect -> triage -> investigate -> diagnose -> plan -> approve -> act -> verify -> report
    Monitor   Monitor   Investigator  (three of them)      Remediator (to the end)

`approve` waits for a person; `verify` waits for time, data or detached work. Both wait as rows of
the ledger, never in a sleeping process. What can't be settled goes to `escalate`, to a person.
"""

from typing import Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import RetryPolicy

from agentops_graph.errors import UnavailableError
from agentops_graph.journal import told
from agentops_graph.nodes.act import act
from agentops_graph.nodes.approve import approve
from agentops_graph.nodes.detect import detect
from agentops_graph.nodes.diagnose import diagnose
from agentops_graph.nodes.escalate import escalate
from agentops_graph.nodes.investigate import investigate
from agentops_graph.nodes.plan import plan
from agentops_graph.nodes.report import report
from agentops_graph.nodes.triage import triage
from agentops_graph.nodes.verify import verify
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState

# Only nodes that read are tried again; an effect never is.
READS_AGAIN = RetryPolicy(max_attempts=2, retry_on=UnavailableError)


def after_detect(state: IncidentState) -> Literal["triage", "__end__"]:
    """A claim that no longer holds on live data ends here, suppressed."""
    return "__end__" if state["measured"] == "gone" else "triage"


def after_triage(state: IncidentState) -> Literal["investigate", "__end__"]:
    """A part of another story, or mere information, needs no investigation."""
    return "investigate" if state["triaged"] == "go" else "__end__"


def after_plan(state: IncidentState) -> Literal["approve", "escalate"]:
    """The next action to ask for, or nobody knows one."""
    return "approve" if state["planned"] == "asked" else "escalate"


def after_approve(
    state: IncidentState,
) -> Literal["act", "plan", "investigate", "approve", "report"]:
    """Approved: act. Rejected: the next action. Withdrawn: it recovered by itself. Expired, or
    superseded because the world moved: plan anew, from fresh evidence. Edited: ask again."""
    if state["decision"] == "approved":
        return "act"
    if state["decision"] == "pending":
        return "approve"
    if state["decision"] == "withdrawn":
        return "report"
    return "plan" if state["decision"] == "rejected" else "investigate"


def after_act(state: IncidentState) -> Literal["verify", "plan", "escalate"]:
    """Done: see whether it helped. Certainly not done: the next action. Doubt: a person."""
    if state["effect"] == "done":
        return "verify"
    return "plan" if state["effect"] == "failed" else "escalate"


def after_verify(state: IncidentState) -> Literal["verify", "plan", "report", "escalate"]:
    """Look again later, take the plan's next action, or close."""
    if state["verdict"] == "waiting":
        return "verify"
    if state["verdict"] == "next":
        return "plan"
    return "report" if state["verdict"] == "healthy" else "escalate"


def build_graph(
    checkpointer: BaseCheckpointSaver[str] | None = None,
) -> CompiledStateGraph[IncidentState, Ports, IncidentState, IncidentState]:
    """The compiled graph; its thread id is the incident id, its context the ports."""
    graph = StateGraph(IncidentState, context_schema=Ports)

    # Monitor
    graph.add_node("detect", told(detect), retry_policy=READS_AGAIN)  # measures the claim again
    graph.add_node("triage", told(triage))  # one story, one incident; how urgent?
    # Investigator
    graph.add_node("investigate", told(investigate), retry_policy=READS_AGAIN)  # gathers evidence
    graph.add_node("diagnose", told(diagnose))  # names the cause, cites what it read
    graph.add_node("plan", told(plan))  # sends notices, proposes the next action
    # Remediator
    graph.add_node("approve", told(approve))  # A PERSON IS ASKED HERE
    graph.add_node("act", told(act))  # carries out what was approved, at most once
    graph.add_node("verify", told(verify))  # gate, health window, is it better?
    graph.add_node("report", told(report))  # closes, writes down what was learnt
    graph.add_node("escalate", told(escalate))  # a person owns it; nothing is lost

    graph.add_edge(START, "detect")
    graph.add_conditional_edges("detect", after_detect)
    graph.add_conditional_edges("triage", after_triage)
    graph.add_edge("investigate", "diagnose")
    graph.add_edge("diagnose", "plan")
    graph.add_conditional_edges("plan", after_plan)
    graph.add_conditional_edges("approve", after_approve)
    graph.add_conditional_edges("act", after_act)
    graph.add_conditional_edges("verify", after_verify)
    graph.add_edge("report", END)
    graph.add_edge("escalate", END)
    return graph.compile(checkpointer=checkpointer)
