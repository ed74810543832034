"""Gathers the evidence of an incident, all kinds at once, in a fixed order."""

from __future__ import annotations

import logging
import math
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as SlowError
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from agentops_graph.domain.component import Component
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.plain_text import one_line
from agentops_graph.domain.redaction import redacted
from agentops_graph.domain.sight import OF_A_SOURCE
from agentops_graph.errors import AgentOpsError
from agentops_graph.gathering import context_evidence as context
from agentops_graph.gathering import metric_evidence as metrics
from agentops_graph.gathering.asked_once import Asking, Memory
from agentops_graph.gathering.blind_evidence import blindness
from agentops_graph.gathering.case import Case, Gatherer, Observed
from agentops_graph.gathering.cost_evidence import COSTS
from agentops_graph.gathering.drift_evidence import feature_drift
from agentops_graph.gathering.error_evidence import ERRORS
from agentops_graph.gathering.infrastructure_evidence import INFRASTRUCTURE
from agentops_graph.gathering.output_evidence import output_quality
from agentops_graph.gathering.oversize import within_limits
from agentops_graph.gathering.provider_evidence import PROVIDERS
from agentops_graph.gathering.root_cause_evidence import root_cause_ranking
from agentops_graph.gathering.run_evidence import RUNS
from agentops_graph.gathering.source_evidence import declared_gatherers
from agentops_graph.gathering.version_evidence import VERSION_DIFF
from agentops_graph.gathering.widened import looked_again

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.incident import Incident
    from agentops_graph.domain.record import Scalar
    from agentops_graph.evidence_ports import AnswersKept
    from agentops_graph.ports import Ports

log = logging.getLogger(__name__)

LONGEST_FAULT = 200
TIMEOUT_S = (
    30.0  # a busy host reads two hours of a large log in 12 s; without them nothing is known
)

AROUND = (
    Gatherer("data_quality", "DATA_QUALITY", context.data_quality),
    Gatherer("changes", "CHANGES", context.changes, looks_before=True),
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
        VERSION_DIFF,
        RUNS,
    ),
    "pipeline": (
        Gatherer("metric_history", "DATA_QUALITY", context.pipeline_history),
        *AROUND,
        *KNOWLEDGE,
        WHERE,
        RUNS,
    ),
    "agent": (
        *AROUND,
        Gatherer("service_health", "AGENT_METRICS", metrics.agent_health),
        *KNOWLEDGE,
        WHERE,
        PROVIDERS,
        COSTS,
    ),
}


@dataclass(frozen=True)
class Underway:
    """One gatherer at work."""

    gatherer: Gatherer
    asking: Asking
    found: Future[tuple[Observed, datetime | None]]


def gather(
    ports: Ports,
    incident: Incident,
    alert: Alert,
    now: datetime,
    *,
    timeout_s: float = TIMEOUT_S,
    kept: AnswersKept | None = None,
    only: Callable[[Gatherer], bool] = lambda _: True,
) -> list[Evidence]:
    """Evidence of every kind that applies, in declared order, numbered E1, E2, ...

    A gatherer whose source fails, holds too little or is slower than `timeout_s` gives evidence of
    status "failed" with the reason. A read that hangs is left behind; reads change nothing. The
    same question is put to a source once, for all gatherers; what is `kept` of the incident's
    earlier diagnoses and can't have changed is not asked again.
    """
    component = ports.components.get(incident.component) or Component(name=incident.component)
    case = Case(ports, incident, alert, component, now)
    numbered = [(n, each) for n, each in enumerate(gatherers_of(case), 1) if only(each)]
    memory, deadline = Memory(incident.incident_id, now, kept), monotonic() + timeout_s
    pool = ThreadPoolExecutor(max_workers=max(1, len(numbered)), thread_name_prefix="gather")
    try:
        underway = []
        for number, gatherer in numbered:
            asking = Asking(memory, deadline=deadline)
            found = pool.submit(looked_again, gatherer, case.asked_by(asking))
            underway.append((number, Underway(gatherer, asking, found)))
        return [_evidence(case, one, number, deadline) for number, one in underway]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def gatherers_of(case: Case) -> tuple[Gatherer, ...]:
    """Those that apply to the incident's component and to what is declared of it."""
    component = case.component
    gatherers = GATHERERS[component.kind]
    if component.name.startswith(OF_A_SOURCE):
        gatherers = OF_SOURCES  # what can't be read need not be asked for its own rows
    elif component.speaks:
        gatherers = (SAID, *(g for g in gatherers if g.kind != SAID.kind))
    if component.kind != "agent" and component.costs is not None:
        gatherers = (*gatherers, COSTS)
    around = case.ports.surroundings()
    if around is not None and around.figures(component.name):
        gatherers = (*gatherers, INFRASTRUCTURE)
    return (*gatherers, *declared_gatherers(case))


def _evidence(case: Case, underway: Underway, number: int, deadline: float) -> Evidence:
    why = ""
    try:
        observed, widened_to = underway.found.result(timeout=max(0.0, deadline - monotonic()))
        observed, file = within_limits(case, underway.gatherer.kind, f"E{number}", observed)
        return _piece(case, underway, number, observed, widened_to=widened_to, file=file)
    except (SlowError, AgentOpsError) as error:
        why = str(error) or "it did not answer in time"
    except Exception as error:  # noqa: BLE001 - one kind of evidence fails, never the incident
        why = _fault(underway.gatherer, error)
    return _piece(case, underway, number, None, why=why)


def _fault(gatherer: Gatherer, error: Exception) -> str:
    """What went wrong in our own reading of a source, in a few words; the log has all of it."""
    log.error("the evidence %s could not be gathered", gatherer.kind, exc_info=error)
    said = one_line(redacted(f"{type(error).__name__}: {error}"))[:LONGEST_FAULT]
    return f"{said}; this is a fault in {gatherer.kind}, and the log has its trace"


def _piece(
    case: Case,
    underway: Underway,
    number: int,
    observed: Observed | None,
    *,
    why: str = "",
    widened_to: datetime | None = None,
    file: str | None = None,
) -> Evidence:
    gatherer, meter = underway.gatherer, underway.asking.meter
    return Evidence(
        evidence_id=f"{case.incident.incident_id}/p{case.incident.plan_number}/E{number}",
        incident_id=case.incident.incident_id,
        kind=gatherer.kind,
        source=observed.source if observed else gatherer.source,
        query=observed.query if observed else f"{gatherer.kind}({case.component.name})",
        summary=observed.summary if observed else f"{gatherer.source} failed: {why}",
        values=_finite(observed.values) if observed else {},
        signals=observed.signals if observed else {},
        references=observed.references if observed else (),
        measured_at=case.now,
        status="failed" if observed is None else "ok" if observed.found else "absent",
        got=meter.got,
        widened_to=widened_to,
        file=file,
    )


def _finite(values: dict[str, Scalar]) -> dict[str, Scalar]:
    return {
        name: value
        for name, value in values.items()
        if not isinstance(value, float) or math.isfinite(value)
    }
