"""Everything about one incident, in one record."""

from agentops_graph.domain.alert import Alert
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.effect import Effect
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.incident import Incident, Resolution, TimelineEvent
from agentops_graph.domain.ledger import Notification
from agentops_graph.domain.model_use import ModelUse
from agentops_graph.domain.record import Record
from agentops_graph.domain.stakes import Stakes
from agentops_graph.domain.verdict import IncidentVerdict


class Case(Record):
    """Everything about one incident."""

    incident: Incident
    alerts: tuple[Alert, ...]
    diagnosis: Diagnosis | None
    evidence: tuple[Evidence, ...]
    approvals: tuple[Approval, ...]
    effects: tuple[Effect, ...]
    work: tuple[str, ...] = ()  # a line for each piece of detached work that runs
    notices: tuple[Notification, ...]
    resolution: Resolution | None
    timeline: tuple[TimelineEvent, ...]
    verdicts: tuple[IncidentVerdict, ...] = ()  # oldest first; the last one counts
    model_use: ModelUse | None = None  # of all its diagnoses and second opinions

    @property
    def stakes(self) -> Stakes:
        """What the newest alert that tells of it says is at stake."""
        told = [Stakes.among(alert.metrics) for alert in reversed(self.alerts)]
        return next((stakes for stakes in told if stakes.lines), Stakes())

    @property
    def pending(self) -> tuple[Approval, ...]:
        return tuple(a for a in self.approvals if a.status == "pending")
