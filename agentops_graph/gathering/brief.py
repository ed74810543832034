"""Puts together everything a reasoner may read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from agentops_graph.domain.diagnosis import Brief
from agentops_graph.domain.tenancy import comparable

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.evidence import Evidence
    from agentops_graph.ports import Shelf

# More pages pushed the measurements out of a small model's window.
RUNBOOK_PAGES = 3
PRECEDENTS = 3


def brief_of(
    shelf: Shelf,
    alert: Alert,
    evidence: tuple[Evidence, ...],
    *,
    watched: Mapping[str, Component],
    incident_id: str,
    diagnosis_id: str,
    now: datetime,
) -> Brief:
    """The alert, its evidence, the causes that runbooks know for it, and the nearest pages; of
    past incidents those of its component's tenant."""
    question = f"{alert.alert_type.replace('_', ' ')} {alert.summary}"
    kind = alert.alert_type
    return Brief(
        diagnosis_id=diagnosis_id,
        incident_id=incident_id,
        alert=alert,
        evidence=evidence,
        causes=tuple(shelf.causes(kind, question=question)),
        pages=tuple(shelf.search(question, kind="runbook", alert_type=kind, limit=RUNBOOK_PAGES)),
        precedents=tuple(
            shelf.search(
                question,
                kind="incident",
                alert_type=kind,
                component=alert.affected_component,
                components=comparable(alert.affected_component, watched),
                limit=PRECEDENTS,
            )
        ),
        asked_at=now,
    )
