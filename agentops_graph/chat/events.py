"""What a conversation takes and gives: who asks, pieces of the answer, and its result."""

from typing import Literal

from pydantic import Field, JsonValue

from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.approval import Approval, Door
from agentops_graph.domain.record import Moment, Name, Record, Text

ANONYMOUS = "anonymous"
DomainName = Literal["cost", "security", "performance", "reliability", "quality"]

DOMAINS: dict[AlertType, tuple[DomainName, ...]] = {
    "model_drift": ("quality",),
    "data_quality": ("quality",),
    "accuracy_drop": ("quality",),
    "anomaly_spike": ("quality", "reliability"),
    "volume_anomaly": ("quality", "reliability"),
    "latency": ("performance",),
    "memory_bloat": ("performance",),
    "convergence_stall": ("performance", "reliability"),
    "provider_outage": ("reliability",),
    "cost_spike": ("cost",),
    "policy_false_positives": ("security",),
}


class Asker(Record):
    """Who asks, and through which door."""

    name: Name = ANONYMOUS
    via: Door = "chat"


class Choice(Record):
    """An answer to an approval, handed over beside the words, by a button or a program for a
    person."""

    approval_id: Name
    verdict: Literal["approve", "reject", "edit", "respond"]
    digest: str | None = Field(default=None, min_length=64, max_length=64)
    reason: str | None = Field(default=None, max_length=2000)
    arguments: dict[Text, JsonValue] = Field(default_factory=dict)  # edit: what to change
    text: str = Field(default="", max_length=2000)  # respond: the question


class Source(Record):
    """Something an answer rests on: a runbook section, a past incident, a piece of evidence."""

    reference: str
    title: str = ""


class PendingApproval(Record):
    """An action that waits for a person, as a client needs it to offer the decision."""

    approval_id: Name
    action: str
    target: str
    reason: str  # why policy asks a person
    digest: str
    incident_id: Name
    expires_at: Moment


class Delta(Record):
    """The next piece of the answer's text."""

    text: str


class Result(Record):
    """The whole answer; `confidence` is the diagnosis's and None when it is unknown."""

    text: str
    sources: tuple[Source, ...] = ()
    confidence: float | None = None
    domains: tuple[DomainName, ...] = ()
    pending_approvals: tuple[PendingApproval, ...] = ()
    incident_id: str | None = None


ChatEvent = Delta | Result


def pending_form(approval: Approval) -> PendingApproval:
    return PendingApproval(
        approval_id=approval.approval_id,
        action=approval.proposal.action.action,
        target=approval.proposal.target,
        reason=approval.policy_reason,
        digest=approval.digest,
        incident_id=approval.proposal.incident_id,
        expires_at=approval.expires_at,
    )
