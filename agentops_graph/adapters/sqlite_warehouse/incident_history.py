"""INCIDENTS, the history of incidents: its row for one that closed, and what it holds."""

from datetime import datetime
from pathlib import Path

from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.adapters.sqlite_warehouse.layout import columns_in, selected
from agentops_graph.adapters.sqlite_warehouse.tables import AS_TIME, reading
from agentops_graph.domain.frames import PastIncident
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.record import seconds_between
from agentops_graph.errors import NotEnoughDataError


def incident_row(incident: Incident, resolution: Resolution, root_cause: str) -> dict[str, object]:
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


def incidents_between(path: Path, since: datetime, until: datetime) -> list[PastIncident]:
    """In order of time; nothing where there is no such table."""
    time = AS_TIME.format("timestamp")
    try:
        with reading(path, "INCIDENTS") as connection:
            there = columns_in(connection, path, "INCIDENTS")
            columns = selected(["incident_id", "alert_type", "duration_minutes"], there)
            found = connection.execute(
                f"SELECT {time} AS at, {columns} FROM INCIDENTS "
                f"WHERE {time} >= ? AND {time} < ? ORDER BY at",
                [time_text(since), time_text(until)],
            ).fetchall()
    except NotEnoughDataError:
        return []
    return [
        PastIncident(datetime.fromisoformat(at), str(name), str(kind or ""), _minutes(lasted))
        for at, name, kind, lasted in found
    ]


def _minutes(lasted: object) -> float:
    return float(lasted) if isinstance(lasted, int | float) else 0.0
