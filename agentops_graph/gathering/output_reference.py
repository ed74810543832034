"""Takes the baseline of an agent or a text model from its outputs of a time when all was well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.detection.performance import Estimate
from agentops_graph.detection.text_quality import quality, scores_of
from agentops_graph.detection.text_scorers import SCORERS
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.call_measures import rows_of, sampled

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.domain.component import Component
    from agentops_graph.ports import Warehouse

WIDER = 4  # times the cap of a window; a baseline is taken once


def reference_of_outputs(
    warehouse: Warehouse,
    component: Component,
    since: datetime,
    until: datetime,
    version: str | None,
    *,
    at: datetime,
) -> ReferenceProfile | None:
    """The scores of a sample of that version's outputs, by default of the one that answered last.

    None when no output is logged; raises NotEnoughDataError when the primary metric has too few.
    """
    try:
        calls = warehouse.calls(component.name, since, until)
    except NotEnoughDataError:
        return None
    if not len(calls):
        return None
    version = calls.version[-1] if version is None else version
    calls = rows_of(calls, [row for row, name in enumerate(calls.version) if name == version])
    how = component.sampling.model_copy(update={"cap": WIDER * component.sampling.cap})
    wide = component.model_copy(update={"sampling": how})
    sample = sampled(warehouse, wide, calls, since, until)
    found = {
        metric.name: quality(
            metric.name, sample, scores_of(metric.name, sample.exchanges), how.least
        )
        for metric in (component.metric, *component.other_metrics)
        if metric.name in SCORERS
    }
    primary = found.get(component.metric.name)
    if primary is not None and not isinstance(primary, Estimate):
        raise NotEnoughDataError(
            f"{component.metric.name} of {component.name} version {version or 'not said'} between "
            f"{since.isoformat()} and {until.isoformat()}: {primary.why}; log more in AGENT_OUTPUTS"
        )
    known = {name: each for name, each in found.items() if isinstance(each, Estimate)}
    return ReferenceProfile(
        model_name=component.name,
        model_version=version,
        rows=len(sample),
        metrics={name: each.value for name, each in known.items()},
        metric_errors={name: each.error for name, each in known.items()},
        recorded_at=at,
    )
