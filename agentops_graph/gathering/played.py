"""The incidents of a replay: what they tell, whose story they are, and when they are over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agentops_graph.domain.alert import SEVERITY_ORDER, Alert, AlertClaim
from agentops_graph.domain.incident import Incident, story_it_belongs_to
from agentops_graph.domain.story import Kin, Told, gravest

MONITOR = "monitor"


@dataclass
class Played:
    """An incident that would have been, with the alerts that it would have had."""

    incident: Incident
    alerts: list[Alert] = field(default_factory=list)
    is_paged: bool = True

    def told(self) -> list[Told]:
        return [
            Told(
                incident_id=self.incident.incident_id,
                root=self.incident.component,
                component=alert.affected_component,
                segment=alert.segment,
                alert_type=alert.alert_type,
                severity=alert.severity,
                excess=alert.excess,
                status=self.incident.status,
                opened_by=MONITOR,
                ended_at=self.incident.ended_at,
            )
            for alert in self.alerts
        ]


class Book:
    """The incidents of one replay. It takes alerts in as the ledger does, and writes nothing."""

    def __init__(self) -> None:
        self.all: list[Played] = []

    def open(self) -> list[Played]:
        return [one for one in self.all if one.incident.is_open]

    def told(self, since: datetime) -> list[Told]:
        return gravest(
            [
                row
                for one in reversed(self.all)
                if one.incident.ended_at is None or one.incident.ended_at > since
                for row in one.told()
            ]
        )

    def admit(self, claim: AlertClaim, kin: Sequence[Kin], at: datetime) -> tuple[Played, bool]:
        """The incident that has the alert now, and whether it was opened for it."""
        alert = claim.with_id(f"replayed {len(self.all)}")
        for one in self.open():
            if any(row.is_of(claim) for row in one.told()) or _is_kin(one, kin):
                one.alerts.append(alert)
                _as_grave(one, alert)
                return one, False
        opened = Played(_incident(len(self.all), claim, at), [alert])
        story = story_it_belongs_to(opened.incident, [one.incident for one in self.open()])
        if story is not None:
            ended = {"status": "suppressed", "ended_at": at}
            opened.incident = opened.incident.model_copy(update=ended)
        opened.is_paged = story is None and claim.severity != "info"
        self.all.append(opened)
        return opened, True


def end(played: Played, at: datetime) -> None:
    """It recovered: what was alerted is under its clear level."""
    changes = {"status": "resolved", "ended_at": at}
    played.incident = played.incident.model_copy(update=changes)


def _is_kin(one: Played, kin: Sequence[Kin]) -> bool:
    return any(
        k.fits(alert) and one.incident.opened_at >= k.opened_since
        for k in kin
        for alert in one.alerts
    )


def _as_grave(one: Played, alert: Alert) -> None:
    if SEVERITY_ORDER[alert.severity] > SEVERITY_ORDER[one.incident.severity]:
        one.incident = one.incident.model_copy(update={"severity": alert.severity})


def _incident(number: int, claim: AlertClaim, at: datetime) -> Incident:
    return Incident(
        incident_id=f"replayed-{number:06d}",
        component=claim.affected_component,
        segment=claim.segment,
        alert_type=claim.alert_type,
        severity=claim.severity,
        status="investigating",
        title=claim.summary,
        opened_by=MONITOR,
        onset_at=claim.onset_at,
        opened_at=at,
    )
