"""The incident: its status, its timeline, and the resolution it ends with."""

from typing import Literal

from pydantic import Field

from agentops_graph.domain.alert import SEVERITY_ORDER, AlertType, Severity
from agentops_graph.domain.knowledge import Outcome
from agentops_graph.domain.record import Moment, Name, Record, Scalar

GRAPH_VERSION = "1"
RECOVERED = "incident.recovered"  # in the audit: its alerts were over where they came from
IncidentStatus = Literal[
    "detected",
    "investigating",
    "awaiting_approval",
    "acting",
    "verifying",
    "resolved",
    "escalated",
    "suppressed",
    "closed",
]
OPEN: tuple[IncidentStatus, ...] = (
    "detected",
    "investigating",
    "awaiting_approval",
    "acting",
    "verifying",
    "escalated",
)
AgentName = Literal["Monitor", "Investigator", "Remediator"]


class Incident(Record):
    """One story of one component, from detection to close."""

    incident_id: Name
    component: Name
    segment: str | None = None
    alert_type: AlertType
    severity: Severity
    status: IncidentStatus
    title: str
    opened_by: str = "monitor"
    owner: str | None = None  # the person an escalated incident belongs to
    needs_reconcile: bool = False
    graph_version: str = GRAPH_VERSION
    plan_number: int = 0
    onset_at: Moment | None = None
    opened_at: Moment
    diagnosed_at: Moment | None = None
    acted_at: Moment | None = None
    ended_at: Moment | None = None
    summary: str = ""
    hourly_cost: float | None = None  # of the newest alert that told one, in its currency
    currency: str | None = None
    metric_loss: float | None = None  # of the primary metric, positive is worse

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def urgency(self) -> tuple[bool, int, float, float, float]:
        """Orders incidents: open ones, then by severity, cost, loss of the metric, and time."""
        return (
            self.is_open,
            SEVERITY_ORDER[self.severity] if self.is_open else 0,
            (self.hourly_cost or 0.0) if self.is_open else 0.0,
            (self.metric_loss or 0.0) if self.is_open else 0.0,
            self.opened_at.timestamp(),
        )


class ActionTaken(Record):
    """One line of a resolution."""

    action: str
    status: Outcome | Literal["sent", "queued", "waiting", "unknown"]
    details: str = ""
    approval_url: str | None = None


class Resolution(Record):
    """How an incident ended, in the contract's fields; times are seconds."""

    alert_id: Name
    actions_taken: tuple[ActionTaken, ...] = ()
    resolution_status: Literal["resolved", "escalated", "suppressed", "closed"]
    time_to_detect: float | None = None  # onset to alert
    time_to_diagnose: float | None = None  # alert to diagnosis
    time_to_act: float | None = None  # diagnosis to the first action carried out
    time_to_resolve: float | None = None  # alert to end
    waited_for_people: float = 0.0  # part of the above that approvals were pending
    summary: str = ""


class Step(Record):
    """What a plan tried and what came of it."""

    step: int
    action: str
    outcome: Outcome
    details: str = ""


class Replan(Record):
    """A question to a person that was taken back because the world had moved."""

    approval_id: Name
    because: Literal["production", "cause"]
    why: str
    at: Moment


class TimelineEvent(Record):
    """Something that happened in an incident, by which agent and node."""

    seq: int = 0
    incident_id: Name
    at: Moment
    agent: AgentName | None = None
    node: str
    kind: Literal["step", "handover", "decision", "effect", "notice", "wait", "note", "error"]
    text: str
    ms: float | None = None
    fields: dict[str, Scalar] = Field(default_factory=dict)


# A drift explains the drop in accuracy and the odd predictions that it causes, and is made of the
# missing values and unknown categories.
_COVERS: dict[str, tuple[str, ...]] = {
    "model_drift": ("accuracy_drop", "anomaly_spike", "data_quality"),
    "accuracy_drop": ("anomaly_spike",),
    "provider_outage": ("latency", "convergence_stall"),
}


def story_it_belongs_to(incident: Incident, others: list[Incident]) -> Incident | None:
    """The open incident that already tells this one's story, or None.

    Same component, the same segment or the whole, an alert type that covers this one, and opened
    earlier. An incident of the whole covers the same alert type of a segment.
    """
    for other in sorted(others, key=lambda o: o.opened_at):
        earlier = (other.opened_at, other.incident_id) < (incident.opened_at, incident.incident_id)
        if not earlier or other.status == "escalated":
            continue
        if other.component != incident.component:
            continue
        covered = incident.alert_type in _COVERS.get(other.alert_type, ())
        if other.segment == incident.segment and covered:
            return other
        is_part = other.segment is None and incident.segment is not None
        if is_part and (covered or other.alert_type == incident.alert_type):
            return other
    return None
