"""Gathers the evidence of an incident, all kinds at once, in a fixed order."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as SlowError
from time import monotonic
from typing import TYPE_CHECKING

from agentops_graph.domain.component import Component
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.sight import OF_A_SOURCE
from agentops_graph.errors import AgentOpsError
from agentops_graph.gathering import context_evidence as context
from agentops_graph.gathering import metric_evidence as metrics
from agentops_graph.gathering.blind_evidence import blindness
from agentops_graph.gathering.case import Case, Gatherer, Observed
from agentops_graph.gathering.drift_evidence import feature_drift
from agentops_graph.gathering.error_evidence import ERRORS
from agentops_graph.gathering.infrastructure_evidence import INFRASTRUCTURE
from agentops_graph.gathering.output_evidence import output_quality
from agentops_graph.gathering.root_cause_evidence import root_cause_ranking
from agentops_graph.gathering.source_evidence import declared_gatherers

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.incident import Incident
    from agentops_graph.domain.record import Scalar
    from agentops_graph.ports import Ports

TIMEOUT_S = (
    30.0  # a busy host reads two hours of a large log in 12 s; without them nothing is known
)

AROUND = (
    Gatherer("data_quality", "DATA_QUALITY", context.data_quality),
    Gatherer("changes", "CHANGES", context.changes),
)
KNOWLEDGE = (
    Gatherer("similar_incidents", "incident reports", context.similar_incidents),
    Gatherer("runbook_sections", "runbooks", context.runbook_sections),
)
WHERE = Gatherer("root_cause_ranking", "warehouse series", root_cause_ranking)
SAID = Gatherer("metric_history", "AGENT_OUTPUTS", output_quality)
OF_SOURCES = (Gatherer("blindness", "the ledger's sights", blindness), *KNOWLEDGE)
GATHERERS: dict[str, tuple[Gatherer, ...]] = {
    "model": (
        Gatherer("metric_history", "PREDICTION_LOGS", metrics.model_metric_history),
        Gatherer("feature_drift", "PREDICTION_LOGS", feature_drift),
        *AROUND,
        Gatherer("model_versions", "model registry", context.model_versions),
        Gatherer("service_health", "PREDICTION_LOGS", metrics.model_health),
        *KNOWLEDGE,
        ERRORS,
        WHERE,
    ),
    "pipeline": (
        Gatherer("metric_history", "DATA_QUALITY", context.pipeline_history),
        *AROUND,
        *KNOWLEDGE,
        WHERE,
    ),
    "agent": (
        *AROUND,
        Gatherer("service_health", "AGENT_METRICS", metrics.agent_health),
        *KNOWLEDGE,
        WHERE,
    ),
}


def gather(
    ports: Ports,
    incident: Incident,
    alert: Alert,
    now: datetime,
    *,
    timeout_s: float = TIMEOUT_S,
) -> list[Evidence]:
    """Evidence of every kind that applies, in declared order, numbered E1, E2, ...

    A gatherer whose source fails, holds too little or is slower than `timeout_s` gives evidence of
    status "failed" with the reason. A read that hangs is left behind; reads change nothing.
    """
    component = ports.components.get(incident.component) or Component(name=incident.component)
    case = Case(ports, incident, alert, component, now)
    gatherers = GATHERERS[component.kind]
    if incident.component.startswith(OF_A_SOURCE):
        gatherers = OF_SOURCES  # what can't be read need not be asked for its own rows
    elif component.speaks:
        gatherers = (SAID, *(g for g in gatherers if g.kind != SAID.kind))
    around = ports.surroundings()
    if around is not None and around.figures(component.name):
        gatherers = (*gatherers, INFRASTRUCTURE)
    gatherers = (*gatherers, *declared_gatherers(case))
    pool = ThreadPoolExecutor(max_workers=len(gatherers), thread_name_prefix="gather")
    try:
        begun = monotonic()
        futures = [pool.submit(gatherer.observe, case) for gatherer in gatherers]
        return [
            _evidence(case, gatherer, future, number, begun + timeout_s)
            for number, (gatherer, future) in enumerate(zip(gatherers, futures, strict=True), 1)
        ]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _evidence(
    case: Case, gatherer: Gatherer, future: Future[Observed], number: int, deadline: float
) -> Evidence:
    try:
        observed = future.result(timeout=max(0.0, deadline - monotonic()))
    except (SlowError, AgentOpsError) as error:
        why = str(error) or "it did not answer in time"
        observed = None
    summary = observed.summary if observed else f"{gatherer.source} failed: {why}"
    return Evidence(
        evidence_id=f"{case.incident.incident_id}/p{case.incident.plan_number}/E{number}",
        incident_id=case.incident.incident_id,
        kind=gatherer.kind,
        source=observed.source if observed else gatherer.source,
        query=observed.query if observed else f"{gatherer.kind}({case.component.name})",
        summary=summary,
        values=_finite(observed.values) if observed else {},
        signals=observed.signals if observed else {},
        references=observed.references if observed else (),
        measured_at=case.now,
        status="failed" if observed is None else "ok" if observed.found else "absent",
    )


def _finite(values: dict[str, Scalar]) -> dict[str, Scalar]:
    return {
        name: value
        for name, value in values.items()
        if not isinstance(value, float) or math.isfinite(value)
    }
