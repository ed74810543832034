"""Measures one component now: its readings, and the findings that crossed a threshold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

from agentops_graph.detection.psi import WORST
from agentops_graph.detection.triggers import Window
from agentops_graph.domain.alert import AlertClaim, Finding, claim_from
from agentops_graph.domain.story import told_under
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.agent_measures import measure_agent
from agentops_graph.gathering.call_measures import measure_calls
from agentops_graph.gathering.feed_measures import measure_pipeline
from agentops_graph.gathering.model_measures import measure_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.domain.component import Component
    from agentops_graph.domain.segment import SegmentReading
    from agentops_graph.ports import Warehouse


@dataclass(frozen=True)
class Measurement:
    """What one look at a component gave."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    readings: dict[str, float] = field(default_factory=dict)
    segments: list[SegmentReading] = field(default_factory=list)  # worst first

    def grouped(self) -> list[AlertClaim]:
        """One claim per story; what drift causes joins the drift's claim."""
        groups: dict[tuple[str | None, str], list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(told_under(finding, self.findings), []).append(finding)
        return [_claim(kind, place, findings) for (place, kind), findings in groups.items()]


def measure(
    warehouse: Warehouse,
    component: Component,
    now: datetime,
    *,
    version: str | None = None,
    since: datetime | None = None,
    repaired: Callable[[], datetime | None] = lambda: None,
) -> Measurement:
    """Every trigger of the component's kind over the last `drift_window_s` seconds, or `since`.

    A model is measured on the rows of `version`, by default of the version that predicted last.
    Raises NotEnoughDataError when the warehouse lacks the table, UnavailableError when it does not
    answer; too few rows are a note. Where labels are late, rows from before the model was
    `repaired` are not gone back to.
    """
    start = since or now - timedelta(seconds=component.thresholds.drift_window_s)
    window = Window(component, start, now)
    measurement = Measurement()
    if component.kind == "pipeline":
        measure_pipeline(warehouse, window, measurement)
    elif component.kind == "agent":
        measure_agent(warehouse, window, measurement, version)
    elif component.speaks and measure_calls(warehouse, window, measurement, version):
        _measure_log(warehouse, window, measurement, version, since is None, repaired)
    else:
        measure_model(
            warehouse, window, measurement, version, whole=since is None, repaired=repaired
        )
    for name in [n for n, value in measurement.readings.items() if not isfinite(value)]:
        del measurement.readings[name]
    return measurement


def _measure_log(
    warehouse: Warehouse,
    window: Window,
    measurement: Measurement,
    version: str | None,
    whole: bool,
    repaired: Callable[[], datetime | None],
) -> None:
    """A text model may log features as well; what its outputs already told stands."""
    try:
        if warehouse.latest(window.component.name) is not None:
            measure_model(warehouse, window, measurement, version, whole=whole, repaired=repaired)
    except NotEnoughDataError:
        return


def _claim(kind: str, segment: str | None, findings: list[Finding]) -> AlertClaim:
    ordered = sorted(findings, key=lambda f: (f.alert_type != kind, f.segment != segment))
    claim = claim_from(ordered)
    worst = {
        f"psi_{name}": value
        for finding in ordered
        for name, value in list(finding.features.items())[:WORST]
    }
    figures = {n: value for finding in ordered[::-1] for n, value in finding.figures.items()}
    return claim.model_copy(update={"metrics": claim.metrics | worst | figures})
