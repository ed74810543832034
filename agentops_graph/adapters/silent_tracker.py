"""Tracking switched off."""

from agentops_graph.domain.incident import Incident, TimelineEvent


class SilentTracker:
    """Implements `Tracker` and tracks nothing; chosen with `AGENTOPS_MLFLOW=false`."""

    def incident(
        self, incident: Incident, timeline: list[TimelineEvent], documents: dict[str, str]
    ) -> str | None:
        return None
