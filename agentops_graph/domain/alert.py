"""Findings, and the alert that several findings make."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from agentops_graph.domain.record import Moment, Name, Record, Text, storable

Severity = Literal["critical", "warning", "info"]
AlertType = Literal[
    "model_drift",
    "data_quality",
    "latency",
    "accuracy_drop",
    "anomaly_spike",
    "cost_spike",
    "provider_outage",
    "memory_bloat",
    "convergence_stall",
    "policy_false_positives",
    "volume_anomaly",
]
ALERT_TYPES: tuple[str, ...] = get_args(AlertType)
SEVERITY_ORDER: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}


class Chart(Record):
    """A small picture of a metric: its value over stretches of equal length, with its line."""

    metric: Name
    begins_at: Moment
    every_s: float = Field(gt=0)  # length of a stretch
    values: tuple[float | None, ...] = Field(max_length=60)  # None where too little was there
    threshold: float | None = None
    onset_at: Moment | None = None


class Finding(Record):
    """One measurement of one component that crossed its threshold."""

    component: Name
    alert_type: AlertType
    severity: Severity
    metric: Name
    value: float
    baseline: float | None = None
    threshold: float
    segment: str | None = None
    window_start: Moment
    window_end: Moment
    onset_at: Moment | None = None
    rows: int = 0
    features: dict[str, float] = Field(default_factory=dict)  # per-feature figure, worst first
    figures: dict[str, float] = Field(default_factory=dict)  # other measures of the worst features
    chart: Chart | None = None
    covers: tuple[str, ...] = ()  # segments that lost as well, because their rows lie in this one
    summary: str  # the feed line without its severity


class Alert(Record):
    """A structured claim that a component went bad, with the numbers that made it."""

    alert_id: Name
    severity: Severity
    alert_type: AlertType
    affected_component: Name
    metrics: dict[str, float]
    timestamp: Moment
    segment: str | None = None
    summary: str = Field(default="", max_length=2000)
    onset_at: Moment | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def excess(self) -> float | None:
        return excess_of(self.findings)

    @property
    def feed_line(self) -> str:
        """The line people see in the alert feed."""
        return f"{self.severity.upper()}: {self.summary or self.alert_type}"


def excess_of(findings: Sequence[Finding]) -> float | None:
    """How far the worst finding is beyond its line, as a share of the line; None without one."""
    beyond = [abs(f.value - f.threshold) / abs(f.threshold) for f in findings if f.threshold]
    return max(beyond, default=None)


class AlertClaim(Record):
    """An alert before the ledger has given it an id; what other systems post."""

    severity: Severity
    alert_type: AlertType
    affected_component: Annotated[Name, AfterValidator(storable)]
    metrics: dict[Text, float] = Field(default_factory=dict)
    timestamp: Moment
    segment: Text | None = Field(default=None, max_length=200)
    summary: Text = Field(default="", max_length=2000)
    onset_at: Moment | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def excess(self) -> float | None:
        return excess_of(self.findings)

    def with_id(self, alert_id: str) -> Alert:
        return Alert(alert_id=alert_id, **dict(self))


def claim_from(findings: list[Finding]) -> AlertClaim:
    """One claim from findings of one story, the worst first; it is of the worst one's segment."""
    worst = max(findings, key=lambda f: SEVERITY_ORDER[f.severity])
    metrics: dict[str, float] = {}
    for finding in findings:
        place = "" if finding.segment == worst.segment else f"[{finding.segment or 'all'}]"
        metrics[f"{finding.metric}{place}"] = finding.value
        if finding.baseline is not None:
            name = finding.metric.removeprefix("current_")
            metrics[f"baseline_{name}{place}"] = finding.baseline
        metrics[f"threshold_{finding.metric}{place}"] = finding.threshold
    onsets = [f.onset_at for f in findings if f.onset_at is not None]
    return AlertClaim(
        severity=worst.severity,
        alert_type=worst.alert_type,
        affected_component=worst.component,
        metrics=metrics,
        timestamp=max(f.window_end for f in findings),
        segment=worst.segment,
        summary=worst.summary,
        onset_at=min(onsets) if onsets else None,
        findings=tuple(findings),
    )
