"""Which findings of one look tell the same story, and whether an incident already tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.domain.alert import AlertClaim, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.domain.incident import Incident

# What a drifted model also shows is the drift's effect and belongs in its alert.
EFFECTS_OF_DRIFT = ("accuracy_drop", "anomaly_spike")


def story_of(finding: Finding, findings: Sequence[Finding]) -> tuple[str | None, str]:
    """The segment and alert type under which this finding is told.

    Drift takes its effects along, drift of the whole model first. A segment loses its metric by
    itself only while the rest holds: then a loss of the whole is that segment's doing.
    """
    drifted = [f.segment for f in findings if f.alert_type == "model_drift"]
    if finding.alert_type in EFFECTS_OF_DRIFT and drifted:
        return (None if None in drifted else drifted[0]), "model_drift"
    if finding.alert_type == "accuracy_drop":
        lost = [f.segment for f in findings if f.alert_type == "accuracy_drop" and f.segment]
        return (lost[0] if lost else None), "accuracy_drop"
    return finding.segment, finding.alert_type


def is_told_by(incident: Incident, claim: AlertClaim) -> bool:
    """True when the incident is of the same story: of the whole model, of the same segment, or of
    one whose rows are mostly the same."""
    same = (incident.component, incident.alert_type) == (
        claim.affected_component,
        claim.alert_type,
    )
    if not same or incident.segment == claim.segment:
        return same
    if claim.segment is None:
        return False
    covered = {name for f in claim.findings for name in (f.segment, *f.covers)}
    return incident.segment is None or incident.segment in covered
