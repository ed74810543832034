"""The small chart of an alert: its metric over the look-back, with its line and its onset."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import feed_triggers, triggers
from agentops_graph.detection.performance import Unmeasured, appraise
from agentops_graph.detection.psi import aggregate
from agentops_graph.detection.segment_drift import MIN_ROWS, drift_inside
from agentops_graph.detection.segments import segment_mask
from agentops_graph.domain.alert import AlertClaim, Chart, Finding
from agentops_graph.domain.frames import Predictions, Series
from agentops_graph.errors import NotEnoughDataError, PortError
from agentops_graph.gathering.drift_measures import shift_between
from agentops_graph.gathering.rows import joined, picked, sliced

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.ports import Warehouse

POINTS = 60
SAMPLE_ROWS = 500  # of a stretch of a busy model
WINDOWS_BACK = 3  # of a model; an older level says little and is dear to read
HOURS_BACK = 24  # of a feed or an agent, whose rows are few
METRIC_ROWS = 50  # a primary metric of fewer rows is mostly noise
P99_ROWS = 100
Figure = float | None


def with_charts(warehouse: Warehouse, component: Component, claim: AlertClaim) -> AlertClaim:
    """The claim with a chart on each finding that can be drawn; that of a segment is drawn from the
    segment's rows. A warehouse that does not answer costs the chart, never the alert."""
    past = Past(warehouse, component)
    findings = tuple(_charted(past, finding) for finding in claim.findings)
    return claim.model_copy(update={"findings": findings})


@dataclass
class Past:
    """A component's look-back; several findings of one claim are drawn from the same rows."""

    warehouse: Warehouse
    component: Component
    held: dict[tuple[datetime, datetime, bool], list[Predictions]] = field(default_factory=dict)

    def stretches(self, start: datetime, end: datetime, rows: int) -> list[Predictions]:
        """The predictions in equal stretches, of which there are about `rows`; of a busy model the
        first of each stretch, as the rest would cost much and move no bar."""
        is_busy = rows > POINTS * SAMPLE_ROWS
        key = (start, end, is_busy)
        if key not in self.held:
            self.held[key] = self._first(start, end, rows) if is_busy else self._all(start, end)
        return self.held[key]

    def _all(self, start: datetime, end: datetime) -> list[Predictions]:
        rows = self.warehouse.predictions(self.component.name, start, end)
        return _cut(rows, start, end, self.component.thresholds.drift_min_rows)

    def _first(self, start: datetime, end: datetime, rows: int) -> list[Predictions]:
        length = (end - start) / POINTS
        part = length * min(1.0, POINTS * SAMPLE_ROWS / rows)
        begins = [start + number * length for number in range(POINTS)]
        name = self.component.name
        return [self.warehouse.predictions(name, begin, begin + part) for begin in begins]


def _charted(past: Past, finding: Finding) -> Finding:
    if finding.chart is not None:
        return finding
    try:
        if past.component.kind == "model":
            chart = _of_model(past, finding)
        else:
            chart = _of_series(past.warehouse, past.component, finding)
    except (NotEnoughDataError, PortError):
        return finding
    return finding.model_copy(update={"chart": chart})


def _of_model(past: Past, finding: Finding) -> Chart | None:
    end = finding.window_end
    start = end - WINDOWS_BACK * (end - finding.window_start)
    reference = _reference(past.warehouse, past.component.name)
    measured = _figure_of(past.component, finding.metric, reference, finding.segment)
    if measured is None:
        return None
    figure, least = measured
    # Only the whole says how many there were.
    rows = 0 if finding.metric == "volume_ratio" else WINDOWS_BACK * finding.rows
    rows = int(rows / finding.figures.get("share_of_traffic", 1.0) if finding.segment else rows)
    parts = past.stretches(start, end, rows)
    if finding.segment is not None:
        parts = _inside(parts, finding.segment, start, end, least)
    edges = _edges(start, end, len(parts))
    length_s = float(edges[1] - edges[0])
    return _chart(finding, edges, [figure(p, length_s) if len(p) >= least else None for p in parts])


def _inside(
    parts: list[Predictions], segment: str, start: datetime, end: datetime, least: int
) -> list[Predictions]:
    """The segment's rows in stretches that are long enough for it."""
    rows = joined(parts)
    mask = segment_mask(rows, segment)
    inside = picked(rows, np.zeros(len(rows), dtype=bool) if mask is None else mask)
    return _cut(inside, start, end, 2 * least)


def _cut(rows: Predictions, start: datetime, end: datetime, least: int) -> list[Predictions]:
    """Equal stretches with about so many rows at least."""
    count = min(POINTS, max(1, len(rows) // least))
    cuts = np.searchsorted(rows.timestamps, _edges(start, end, count))
    return [sliced(rows, int(first), int(last)) for first, last in pairwise(cuts)]


def _edges(start: datetime, end: datetime, count: int) -> Floats:
    return np.linspace(start.timestamp(), end.timestamp(), count + 1)


def _reference(warehouse: Warehouse, name: str) -> ReferenceProfile | None:
    try:
        return warehouse.reference(name, None)
    except NotEnoughDataError:
        return None


def _figure_of(
    component: Component,
    metric: str,
    reference: ReferenceProfile | None,
    segment: str | None,
) -> tuple[Callable[[Predictions, float], Figure], int] | None:
    """What gives the metric for some rows and a length in seconds, and the rows it needs."""
    least = component.thresholds.drift_min_rows
    if metric == f"current_{component.metric.name}":
        return lambda rows, _: _primary(component, rows), METRIC_ROWS
    if metric == "latency_p99":
        return lambda rows, _: _percentile(rows.latency_ms), P99_ROWS
    if metric == "volume_ratio" and component.expected_rows_per_hour is not None:
        per_s = component.expected_rows_per_hour / 3600
        return lambda rows, length_s: rows.rows / (per_s * length_s), 0
    if reference is None:
        return None
    if metric == "drift_score" and segment is not None:
        return lambda rows, _: _drift_inside(reference, rows, segment), MIN_ROWS
    if metric == "drift_score":
        return lambda rows, _: aggregate(shift_between(reference, rows).by_feature), least
    if metric == "anomaly_rate":
        return lambda rows, _: float(
            triggers.anomaly_rows(reference, rows.features).mean()
        ), METRIC_ROWS
    return None


def _drift_inside(reference: ReferenceProfile, rows: Predictions, segment: str) -> Figure:
    everyone = np.ones(len(rows), dtype=bool)
    by_feature = drift_inside(reference, rows.features, everyone, segment)
    return aggregate(by_feature) if by_feature else None


def _primary(component: Component, rows: Predictions) -> Figure:
    found = appraise(component.metric, rows.label, rows.prediction, rows.confidence, rows.ids)
    return None if isinstance(found, Unmeasured) or found.rows < METRIC_ROWS else found.value


def _percentile(latency_ms: Floats) -> Figure:
    known = latency_ms[np.isfinite(latency_ms)]
    return float(np.quantile(known, 0.99)) if len(known) >= P99_ROWS else None


def _of_series(warehouse: Warehouse, component: Component, finding: Finding) -> Chart | None:
    end = finding.window_end
    start = end - max(timedelta(hours=HOURS_BACK), end - finding.window_start)
    is_feed = component.kind == "pipeline"
    series = warehouse.series(
        "data_quality" if is_feed else "agent_metrics", component.name, start, end
    )
    drawn = _drawn(finding, series) if len(series) else None
    if drawn is None:
        return None
    values, fold, is_total = drawn
    length_s = (finding.window_end - finding.window_start).total_seconds()
    count = int(min(POINTS, (end - start).total_seconds() // length_s)) if is_total else POINTS
    edges = _edges(start, end, max(count, 1))
    cuts = np.searchsorted(series.timestamps, edges)
    nothing = 0.0 if is_total else None
    points = [_folded(values[first:last], fold, nothing) for first, last in pairwise(cuts)]
    return _chart(finding, edges, points)


def _drawn(
    finding: Finding, series: Series
) -> tuple[Floats, Callable[[Floats], float], bool] | None:
    """The values to draw, how those of one stretch become one, and whether that is a total, whose
    stretches have to be as long as the window."""
    if finding.metric == "quality_violations":
        return feed_triggers.violation_rates(series), lambda v: float(v.max()), False
    if finding.metric == "volume_ratio" and "record_count" in series.columns:
        counts = series.columns["record_count"]
        return counts / _usual_total(finding, series), lambda v: float(v.sum()), True
    values = series.columns.get(finding.metric, np.empty(0))
    if not len(values):
        return None
    if finding.metric == "total_cost":
        return values, lambda v: float(v.sum()), True
    return values, lambda v: float(np.median(v)), False


def _usual_total(finding: Finding, series: Series) -> float:
    """The records that were expected; of a feed that sent nothing, what a window brought before."""
    if finding.value > 0:
        return finding.rows / finding.value or 1.0
    length_s = (finding.window_end - finding.window_start).total_seconds()
    windows = float(series.timestamps[-1] - series.timestamps[0]) / length_s
    return float(np.nansum(series.columns["record_count"])) / max(windows, 1.0) or 1.0


def _folded(values: Floats, fold: Callable[[Floats], float], nothing: Figure) -> Figure:
    known = values[np.isfinite(values)]
    return fold(known) if len(known) else nothing


def _short(value: Figure) -> Figure:
    """As many digits as a small picture shows: it is kept with the alert."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.6g}")


def _chart(finding: Finding, edges: Floats, values: list[Figure]) -> Chart | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Chart(
        metric=finding.metric,
        begins_at=datetime.fromtimestamp(float(edges[0]), UTC),
        every_s=float(edges[1] - edges[0]),
        values=tuple(_short(value) for value in values),
        threshold=finding.threshold,
        onset_at=finding.onset_at,
    )
