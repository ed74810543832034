"""Alertmanager's webhook (version 4), and how its labels are read as alerts of ours."""

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agentops_graph.domain.alert import ALERT_TYPES, AlertClaim, AlertType, Severity
from agentops_graph.domain.delivery import Outside, key_of, plain
from agentops_graph.domain.record import FIRST_YEAR, LAST_YEAR, Name, Record
from agentops_graph.domain.redaction import redacted

LONGEST_NAME, LONGEST_SUMMARY, LONGEST_LABEL = 200, 500, 80
LABELS_TOLD = 12
USUAL_COMPONENT_LABELS = (
    "component",
    "model_name",
    "model",
    "pipeline",
    "agent",
    "service",
    "deployment",
    "job",
)
USUAL_SEVERITIES: dict[str, Severity] = {
    "critical": "critical",
    "page": "critical",
    "error": "critical",
    "warning": "warning",
    "ticket": "warning",
    "info": "info",
    "none": "info",
}
SUMMARIES = ("summary", "message", "description")
Labels = dict[str, str]


class AlertmanagerSource(Record):
    """The section `alertmanager` of `sources.yaml`: what labels mean here."""

    component_labels: tuple[Name, ...] = USUAL_COMPONENT_LABELS  # the first that is there names it
    components: dict[Name, Name] = Field(default_factory=dict)  # what the label says -> component
    alert_types: dict[Name, AlertType] = Field(default_factory=dict)  # by alertname
    other_alerts: AlertType | None = "anomaly_spike"  # of any other alertname; null ignores it
    severities: dict[Name, Severity] = Field(default_factory=dict)  # on top of the usual words
    other_severity: Severity = "warning"
    segment_label: Name | None = None
    shared_by: tuple[Name, ...] = ()  # tokens of one cluster: each may end what another told

    def sender(self, name: str | None) -> str | None:
        """Whose the alerts of a token are; None for those that share one source."""
        return None if name in self.shared_by else name


class PushedAlert(BaseModel):
    """One alert of a notification; what a later version adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Labels = Field(default_factory=dict)
    startsAt: AwareDatetime  # noqa: N815 - as Alertmanager writes it
    endsAt: AwareDatetime | None = None  # noqa: N815
    fingerprint: Annotated[str, Field(min_length=1, max_length=100)]

    @property
    def name(self) -> str:
        return plain(self.labels.get("alertname", ""), LONGEST_NAME) or "alert"


class Notification(BaseModel):
    """What Alertmanager posts to a webhook."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "version": "4",
                    "groupKey": '{}:{alertname="HighLatency"}',
                    "truncatedAlerts": 0,
                    "alerts": [
                        {
                            "status": "firing",
                            "labels": {"alertname": "HighLatency", "service": "fraud_model"},
                            "annotations": {"summary": "p99 above 1 s"},
                            "startsAt": "2026-02-28T10:15:00Z",
                            "endsAt": "0001-01-01T00:00:00Z",
                            "fingerprint": "a1b2c3d4e5f60718",
                        }
                    ],
                }
            ]
        },
    )

    version: Literal["4"]
    groupKey: Annotated[str, Field(max_length=20_000)]  # noqa: N815
    truncatedAlerts: Annotated[int, Field(ge=0)] = 0  # noqa: N815
    alerts: tuple[PushedAlert, ...]


def told_by(
    notification: Notification,
    mapping: AlertmanagerSource,
    components: Collection[str],
    *,
    source: str,
    at: datetime,
) -> list[Outside]:
    """Its alerts in order of their time, each as a message of its own; `components` are those
    under watch."""
    alerts = sorted(notification.alerts, key=lambda alert: alert.startsAt)
    return [
        _outside(alert, notification.groupKey, mapping, components, source, at) for alert in alerts
    ]


def _outside(
    alert: PushedAlert,
    group: str,
    mapping: AlertmanagerSource,
    components: Collection[str],
    source: str,
    at: datetime,
) -> Outside:
    began = _real(alert.startsAt) or at
    parts = (source, group, alert.fingerprint, began.isoformat(), alert.status)
    is_firing = alert.status == "firing"
    claim = _claim(alert, mapping, components, began) if is_firing else None
    ignored = f"{alert.name} is in no table of alert types, and others are ignored"
    return Outside(
        source=source,
        key=key_of("alertmanager", *parts),
        fingerprint=plain(alert.fingerprint, LONGEST_NAME) or "none",
        starts_at=began,
        over_at=None if is_firing else _real(alert.endsAt) or at,
        claim=claim,
        said=ignored if is_firing and claim is None else "",
    )


def _real(at: datetime | None) -> datetime | None:
    """None for what stands for no time, such as the year 1 of an alert that fires."""
    return at if at is not None and FIRST_YEAR <= at.year <= LAST_YEAR else None


def _claim(
    alert: PushedAlert, mapping: AlertmanagerSource, components: Collection[str], began: datetime
) -> AlertClaim | None:
    kind = alert_type_of(alert, mapping)
    if kind is None:
        return None
    segment = alert.labels.get(mapping.segment_label) if mapping.segment_label else None
    return AlertClaim(
        severity=severity_of(alert.labels, mapping),
        alert_type=kind,
        affected_component=component_of(alert, mapping, components),
        metrics=_figures(alert.annotations),
        timestamp=began,
        onset_at=began,
        segment=plain(segment, LONGEST_NAME) or None if segment else None,
        summary=_summary(alert),
    )


def alert_type_of(alert: PushedAlert, mapping: AlertmanagerSource) -> AlertType | None:
    """By the label `alert_type`, when it is one; else by the table; None for what is ignored."""
    said = alert.labels.get("alert_type", "")
    listed: dict[str, AlertType | None] = {word: word for word in ALERT_TYPES}  # type: ignore[misc]
    if said in listed:
        return listed[said]
    return mapping.alert_types.get(alert.labels.get("alertname", ""), mapping.other_alerts)


def severity_of(labels: Mapping[str, str], mapping: AlertmanagerSource) -> Severity:
    said = labels.get("severity", "").lower()
    words = USUAL_SEVERITIES | {word.lower(): meant for word, meant in mapping.severities.items()}
    return words.get(said, mapping.other_severity)


def component_of(
    alert: PushedAlert, mapping: AlertmanagerSource, components: Collection[str]
) -> str:
    """The component that the first known label names, under the name that is under watch when it
    differs in case, `-` and `_` only; without any such label the alert's own name."""
    said = (plain(alert.labels.get(name, ""), LONGEST_NAME) for name in mapping.component_labels)
    named = next(filter(None, said), alert.name)
    named = mapping.components.get(named, named)
    watched = {_folded(name): name for name in components}
    return watched.get(_folded(named), named)


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def _summary(alert: PushedAlert) -> str:
    """Redacted before it is cut: half a credential is one that no pattern knows."""
    told = (redacted(alert.annotations.get(name, "")[:20_000]) for name in SUMMARIES)
    words = next(filter(None, (plain(each, LONGEST_SUMMARY) for each in told)), "")
    if words:
        return f"{alert.name}: {words}"
    shown = [f"{name}={value}" for name, value in sorted(alert.labels.items())[:LABELS_TOLD]]
    cut = ", ".join(plain(redacted(each), LONGEST_LABEL) for each in shown)
    return f"{alert.name}: {cut}"


def _figures(annotations: Mapping[str, str]) -> dict[str, float]:
    """The annotation `value`, where a rule writes one."""
    try:
        value = float(annotations.get("value", "").removesuffix("%"))
    except ValueError:
        return {}
    return {"value": value} if math.isfinite(value) else {}
