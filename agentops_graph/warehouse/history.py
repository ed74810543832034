"""What the product writes into a warehouse, as rows: incidents, batches, changes, profiles."""

from agentops_graph.domain.contract import KeptBatch
from agentops_graph.domain.frames import Change
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.record import seconds_between

Row = dict[str, object]


def incident_row(incident: Incident, resolution: Resolution, root_cause: str) -> Row:
    lasted = seconds_between(incident.opened_at, incident.ended_at)
    return {
        "incident_id": incident.incident_id,
        "timestamp": incident.opened_at,
        "alert_type": incident.alert_type,
        "severity": incident.severity,
        "root_cause": root_cause,
        "resolution": resolution.summary or resolution.resolution_status,
        "duration_minutes": None if lasted is None else lasted / 60,
    }


def minutes_of(lasted: object) -> float:
    """How long an incident lasted; 0 where nobody wrote it down."""
    return float(lasted) if isinstance(lasted, int | float) else 0.0


def change_row(change: Change) -> Row:
    return {
        "timestamp": change.at,
        "kind": change.kind,
        "subject": change.subject,
        "summary": change.summary,
        "link": change.link,
    }


def reference_row(profile: ReferenceProfile) -> Row:
    return {
        "model_name": profile.model_name,
        "model_version": profile.model_version,
        "profile": profile.model_dump_json(),
        "recorded_at": profile.recorded_at,
    }


def check_row(kept: KeptBatch) -> Row:
    """Of BATCH_CHECKS: what was found in one batch file."""
    return {
        "timestamp": kept.at,
        "pipeline_name": kept.pipeline,
        "batch_id": kept.batch_id,
        "file": kept.stamp,
        "report": kept.report.model_dump_json(),
        "checked_at": kept.checked_at,
    }


def quality_row(kept: KeptBatch) -> Row:
    """Of DATA_QUALITY: the same batch, in figures."""
    report = kept.report
    return {
        "timestamp": kept.at,
        "pipeline_name": kept.pipeline,
        "null_rate": report.null_rate,
        "schema_violations": report.violations,
        "record_count": report.rows,
        "status": report.status,
    }
