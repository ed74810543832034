"""Earlier incidents of the same component, segment and type: what each of them told and kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agentops_graph.domain.alert import SEVERITY_ORDER
from agentops_graph.domain.diagnosis import Diagnosis, Hypothesis
from agentops_graph.domain.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.domain.incident import Incident
    from agentops_graph.ports import Ports

LOOKED_AT = 300  # newest incidents
LONGEST_CHAIN = 50  # repeats of repeats; one beyond them is investigated
ENDED = ("resolved", "closed", "escalated")


@dataclass(frozen=True)
class Telling:
    """What the alerts of an incident said: how grave, of what, and who said it."""

    gravity: int
    names: frozenset[str]  # of metrics, and of findings with their type
    origins: frozenset[str]  # who opened it, and the rules of other systems that fired

    def is_graver(self, others: Sequence[Telling]) -> bool:
        return all(self.gravity > other.gravity for other in others)

    def tells_more(self, others: Sequence[Telling]) -> bool:
        return not self.names <= frozenset().union(*(other.names for other in others))

    def comes_from_elsewhere(self, others: Sequence[Telling]) -> bool:
        return not self.origins <= frozenset().union(*(other.origins for other in others))


def earlier_than(ports: Ports, incident: Incident, now: datetime) -> list[Incident]:
    """Of the same place inside the window, ended or with a person, the newest first."""
    since = now - timedelta(seconds=ports.policy.recurrence_window_s)
    found = [
        one
        for one in ports.log.listed(limit=LOOKED_AT)
        if _place(one) == _place(incident)
        and one.incident_id != incident.incident_id
        and one.status in ENDED
        and (one.ended_at or one.opened_at) >= since
    ]
    return sorted(found, key=lambda one: one.opened_at, reverse=True)


def telling_of(ports: Ports, incident: Incident) -> Telling:
    """By the alerts of its own place; those that joined it from elsewhere are another's words."""
    place = _place(incident)
    own = [
        alert
        for alert in ports.log.alerts(incident.incident_id)
        if (alert.affected_component, alert.segment or None, alert.alert_type) == place
    ]
    findings = {f"{f.alert_type}: {f.metric}" for alert in own for f in alert.findings}
    fired = ports.outside_alerts.followed(incident.incident_id)
    rules = {f"{firing.source}: {firing.fingerprint}" for firing in fired}
    return Telling(
        gravity=max((SEVERITY_ORDER[alert.severity] for alert in own), default=0),
        names=frozenset(findings.union(*(alert.metrics for alert in own))),
        origins=frozenset({f"opened by {incident.opened_by}", *rules}),
    )


def diagnosis_kept(ports: Ports, incident_id: str) -> Diagnosis | None:
    kept = ports.incidents.kept(incident_id, "diagnosis")
    return Diagnosis.model_validate(kept[-1][1]) if kept else None


def origin_of(ports: Ports, incident_id: str) -> tuple[str, Diagnosis] | None:
    """The investigation that the answer of an incident comes from, through repeats of repeats."""
    for _ in range(LONGEST_CHAIN):
        diagnosis = diagnosis_kept(ports, incident_id)
        if diagnosis is None or diagnosis.recurrence is None:
            return None if diagnosis is None else (incident_id, diagnosis)
        incident_id = diagnosis.recurrence.of
    return None


def named_by(diagnosis: Diagnosis) -> Hypothesis | None:
    return next((h for h in diagnosis.hypotheses if h.cause == diagnosis.cause), None)


def evidence_kept(ports: Ports, incident_id: str) -> list[Evidence]:
    """That of its last plan."""
    kept = ports.incidents.kept(incident_id, "evidence")
    plans = [chapter.plan_number for chapter, _ in kept]
    return [Evidence.model_validate(d) for c, d in kept if c.plan_number == max(plans)]


def _place(incident: Incident) -> tuple[str, str | None, str]:
    return incident.component, incident.segment or None, incident.alert_type
