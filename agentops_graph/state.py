"""What flows through the graph: ids and routing words, JSON scalars only."""

from typing import Literal, TypedDict

from agentops_graph.domain.approval import ApprovalStatus
from agentops_graph.domain.incident import IncidentStatus


class IncidentState(TypedDict, total=False):
    """State and update in one: a node returns the keys it changes. Records live in the ledger."""

    incident_id: str
    plan_number: int
    step: int
    measured: Literal["holds", "trusted", "gone"]
    triaged: Literal["go", "duplicate", "suppressed"]
    planned: Literal["asked", "spent"]
    approval_id: str
    decision: ApprovalStatus
    effect: Literal["done", "failed", "unknown", "refused"]
    verdict: Literal["waiting", "healthy", "next", "doubt"]
    status: IncidentStatus  # what the incident's row becomes when the node ends
    said: str  # the node's line on the timeline
    why: str  # what a person has to know when the incident is handed over


Update = IncidentState
