"""INCIDENTS, the history of incidents, as the file holds it."""

from datetime import datetime
from pathlib import Path

from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.adapters.sqlite_warehouse.layout import columns_in, selected
from agentops_graph.adapters.sqlite_warehouse.tables import AS_TIME, reading
from agentops_graph.domain.frames import PastIncident
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.warehouse.history import minutes_of


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
        PastIncident(datetime.fromisoformat(at), str(name), str(kind or ""), minutes_of(lasted))
        for at, name, kind, lasted in found
    ]
