"""Writes a closed incident to MLflow as one run and one trace; implements `Tracker`."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agentops_graph.adapters.mlflow_registry.store import MlflowStore, translated
from agentops_graph.domain.incident import Incident, TimelineEvent
from agentops_graph.domain.record import seconds_between
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import NotFoundError, PortError

if TYPE_CHECKING:
    from mlflow.entities import LiveSpan
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

AGENT = "agentops"


class MlflowTracker:
    """Incidents as runs with artifacts, and traces with one span for each step of the timeline.

    Text is redacted before it becomes a span or an artifact. A store that does not answer costs
    one warning and a few seconds; the incident goes on.
    """

    def __init__(self, store: MlflowStore, experiment: str = "agentops") -> None:
        self._store = store
        self._experiment = experiment
        self._warned = False

    def incident(
        self, incident: Incident, timeline: list[TimelineEvent], documents: dict[str, str]
    ) -> str | None:
        try:
            experiment_id = self._store.fluent(self._experiment)
            with translated(f"tracking {incident.incident_id}"):
                return self._tracked(experiment_id, incident, timeline, documents)
        except (PortError, NotFoundError) as error:
            level = logging.DEBUG if self._warned else logging.WARNING
            log.log(level, "the incident is not tracked in MLflow: %s", error)
            self._warned = True
            return None

    def _tracked(
        self,
        experiment_id: str,
        incident: Incident,
        timeline: list[TimelineEvent],
        documents: dict[str, str],
    ) -> str | None:
        client = self._store.client()
        run_id = _run(client, experiment_id, incident, timeline)
        for name, text in documents.items():
            client.log_text(run_id, redacted(text), name)
        trace_id = _trace(experiment_id, run_id, incident, timeline)
        if trace_id is not None:
            client.set_tag(run_id, "trace_id", trace_id)
        client.set_terminated(run_id, end_time=_millis(_end_of(incident, timeline)))
        return trace_id


def _run(
    client: MlflowClient, experiment_id: str, incident: Incident, timeline: list[TimelineEvent]
) -> str:
    opened = incident.opened_at
    run = client.create_run(
        experiment_id,
        start_time=_millis(opened),
        run_name=f"Agent: {AGENT} | Session: {incident.incident_id} | {opened:%H:%M:%S}",
        tags={
            "session_id": incident.incident_id,
            "agent_name": AGENT,
            "incident_id": incident.incident_id,
            "component": incident.component,
            "alert_type": incident.alert_type,
            "status": incident.status,
            "conversation_type": "incident",
        },
    )
    run_id = str(run.info.run_id)
    for name, value in _metrics(incident, timeline).items():
        client.log_metric(run_id, name, value)
    return run_id


def _metrics(incident: Incident, timeline: list[TimelineEvent]) -> dict[str, float]:
    """Seconds of the whole, of its phases and of each node's steps together."""
    figures = {
        "execution_time_seconds": seconds_between(incident.opened_at, _end_of(incident, timeline)),
        "time_to_detect": seconds_between(incident.onset_at, incident.opened_at),
        "time_to_diagnose": seconds_between(incident.opened_at, incident.diagnosed_at),
        "time_to_act": seconds_between(incident.diagnosed_at, incident.acted_at),
    }
    steps: dict[str, float] = {}
    for event in timeline:
        if event.ms is not None:
            name = f"step_{event.node}_seconds"
            steps[name] = steps.get(name, 0.0) + event.ms / 1000
    return {name: value for name, value in figures.items() if value is not None} | steps


def _trace(
    experiment_id: str, run_id: str, incident: Incident, timeline: list[TimelineEvent]
) -> str | None:
    import mlflow
    from mlflow.tracing.constant import TraceMetadataKey

    root = mlflow.start_span_no_context(
        f"incident {incident.incident_id}",
        span_type="AGENT",
        inputs={"component": incident.component, "alert_type": incident.alert_type},
        tags={"incident_id": incident.incident_id, "agent_name": AGENT},
        metadata={
            TraceMetadataKey.SOURCE_RUN: run_id,
            TraceMetadataKey.TRACE_SESSION: incident.incident_id,
        },
        experiment_id=experiment_id,
        start_time_ns=_nanos(_began(incident, timeline)),
    )
    for event in timeline:
        _span(root, event)
    root.set_outputs({"status": incident.status, "summary": redacted(incident.summary)})
    root.end(end_time_ns=_nanos(_end_of(incident, timeline)))
    return str(root.trace_id) if root.trace_id.startswith("tr-") else None


def _span(root: LiveSpan, event: TimelineEvent) -> None:
    """A step ends when its event was written and began `ms` before that."""
    import mlflow

    began = event.at - timedelta(milliseconds=event.ms or 0.0)
    attributes: dict[str, object] = {"agent_name": event.agent or "person", "kind": event.kind}
    for name, value in event.fields.items():
        attributes[name] = redacted(value) if isinstance(value, str) else value
    span = mlflow.start_span_no_context(
        event.node,
        span_type="CHAIN" if event.kind == "step" else "UNKNOWN",
        parent_span=root,
        attributes=attributes,
        start_time_ns=_nanos(began),
    )
    span.set_outputs({"text": redacted(event.text)})
    span.end(status="ERROR" if event.kind == "error" else "OK", end_time_ns=_nanos(event.at))


def _began(incident: Incident, timeline: list[TimelineEvent]) -> datetime:
    return min([incident.opened_at, *(e.at - timedelta(milliseconds=e.ms or 0) for e in timeline)])


def _end_of(incident: Incident, timeline: list[TimelineEvent]) -> datetime:
    if incident.ended_at is not None:
        return incident.ended_at
    return max([incident.opened_at, *(event.at for event in timeline)])


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _nanos(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
