"""What requests carry and what answers say, where that is not a record of the domain."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, JsonValue

from agentops_graph.domain.alert import Alert, Finding
from agentops_graph.domain.approval import Approval, shown_lines
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.knowledge import Page
from agentops_graph.domain.ledger import Admission
from agentops_graph.domain.noise import RuleNoise
from agentops_graph.domain.record import Name, Record, Text
from agentops_graph.domain.redaction import redacted_within
from agentops_graph.domain.segment import SegmentReading
from agentops_graph.domain.verdict import VerdictWord
from agentops_graph.service import Decided, Inquiry

SOMEONE = "anonymous"
ALERT_EXAMPLE = {
    "severity": "critical",
    "alert_type": "model_drift",
    "affected_component": "fraud_model",
    "metrics": {"aggregate_psi": 0.47, "current_f1": 0.71, "baseline_f1": 0.89},
    "timestamp": "2026-02-28T10:15:00Z",
    "summary": "Model drift detected. Aggregate PSI: 0.47",
}


def _example(**fields: str) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [dict[str, JsonValue](fields)]})


class DecisionBody(Record):
    """A person's decision; it names an approval and never an action."""

    model_config = _example(verdict="reject", reason="a release is in progress", actor="mia")

    verdict: Literal["approve", "reject", "edit", "respond"]
    reason: str | None = Field(default=None, max_length=2000)  # to reject
    arguments: dict[Text, JsonValue] = Field(default_factory=dict)  # to edit: what changes
    text: str = Field(default="", max_length=2000)  # to respond: a question or a remark
    digest: str | None = Field(default=None, min_length=64, max_length=64)
    actor: Name = SOMEONE


class CloseBody(Record):
    """How a person ended an escalated incident."""

    model_config = _example(note="the vendor fixed the feed", actor="mia")

    note: str = Field(max_length=2000)
    actor: Name = SOMEONE


class RetryBody(Record):
    """Who wants an escalated incident planned anew."""

    model_config = _example(actor="mia")

    actor: Name = SOMEONE


class VerdictBody(Record):
    """What a person says of an incident afterwards; `of` is the incident it is a duplicate of."""

    model_config = _example(verdict="false_alarm", comment="a holiday", actor="mia")

    verdict: VerdictWord
    of: Text | None = Field(default=None, min_length=1, max_length=40)
    comment: Text = Field(default="", max_length=2000)
    actor: Name = SOMEONE


class QuestionBody(Record):
    """A question that names the component to measure."""

    model_config = _example(question="is fraud_model healthy?", actor="mia")

    question: str = Field(min_length=1, max_length=4000)
    actor: Name = SOMEONE


class Admitted(Record):
    """What became of an alert."""

    alert_id: Name
    incident_id: Name
    is_new: bool

    @classmethod
    def of(cls, admission: Admission) -> Self:
        return cls(
            alert_id=admission.alert.alert_id,
            incident_id=admission.incident_id,
            is_new=admission.is_new,
        )


class NoiseList(Record):
    """How precise each rule has been over so many days, the least precise first."""

    days: float
    rules: tuple[RuleNoise, ...]


class AlertList(Record):
    alerts: tuple[Alert, ...]


class IncidentList(Record):
    incidents: tuple[Incident, ...]


class ApprovalList(Record):
    approvals: tuple[Approval, ...]


class ShownLine(Record):
    """One row of what a person is shown before deciding."""

    label: str
    text: str


class ApprovalView(Record):
    """An approval with the rows rendered from the very bytes that the digest is of."""

    approval: Approval
    digest: str
    shown: tuple[ShownLine, ...]

    @classmethod
    def of(cls, approval: Approval) -> Self:
        rows = shown_lines(approval.proposal.canonical())
        return cls(
            approval=approval,
            digest=approval.digest,
            shown=tuple(ShownLine(label=label, text=text) for label, text in rows),
        )


class DecisionView(Record):
    """What was said, as it was written: the approval as it is now, or the one that an edit put in
    its place. `hint` says what is missing before it is carried out; `answer` is the agent's, to a
    question."""

    approval: Approval
    hint: str | None
    answer: str | None = None

    @classmethod
    def of(cls, decided: Decided) -> Self:
        return cls(approval=decided.approval, hint=decided.hint)


class InquiryView(Record):
    """What a measurement on demand saw, and the incidents it opened or joined."""

    component: Name
    readings: dict[str, float]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    segments: tuple[SegmentReading, ...] = ()  # worst first, at most 50
    incidents: tuple[Admitted, ...]

    @classmethod
    def of(cls, inquiry: Inquiry) -> Self:
        seen = inquiry.measurement
        # Names in the rows become keys and text here; the ledger's door has only seen the alerts.
        return redacted_within(
            cls(
                component=inquiry.component,
                readings=seen.readings,
                findings=tuple(seen.findings),
                notes=tuple(seen.notes),
                segments=tuple(seen.segments[:50]),
                incidents=tuple(Admitted.of(admission) for admission in inquiry.admissions),
            )
        )


class Found(Record):
    """What a search of the runbooks and past incidents gave, best first."""

    query: str
    pages: tuple[Page, ...]
