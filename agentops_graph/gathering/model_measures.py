"""Measures a model on its prediction log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from agentops_graph.detection import triggers
from agentops_graph.detection.changepoint import Onset, onset_of
from agentops_graph.detection.drift import drift_of
from agentops_graph.detection.performance import (
    Baseline,
    Estimate,
    Unmeasured,
    appraise,
    known_names,
    row_losses,
)
from agentops_graph.detection.psi import WORST, aggregate, notable, psi_by_feature, row_scores
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.rows import picked
from agentops_graph.gathering.segment_measures import segment_drifts, segment_performance

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Floats, Predictions
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.domain.segment import SegmentReading
    from agentops_graph.ports import Warehouse

LOOK_BACK = 3  # windows searched for an onset
BASELINE_DAYS = 7
LEVEL_POINTS = 3  # of a logged metric; one bad point is a dip
QUARTILES_APART = 1.349  # standard deviations, of a normal
MEDIAN_ERROR = 1.2533  # of a normal's median, in standard errors of its mean
COVERED_S = 600.0  # rows this shortly before the window show that all of it was recorded


class Sheet(Protocol):
    """Where findings, notes and readings are written down."""

    @property
    def findings(self) -> list[Finding]: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def readings(self) -> dict[str, float]: ...
    @property
    def segments(self) -> list[SegmentReading]: ...


@dataclass(frozen=True)
class ModelCase:
    """One model, its window, the rows in it and the reference they are held against."""

    warehouse: Warehouse
    window: Window
    everything: Predictions  # in the window
    rows: Predictions  # those of the measured version
    reference: ReferenceProfile | None

    def drift_onset(self, by_feature: dict[str, float]) -> Onset | None:
        """Searched in the window, then further back; in rows of every version, because drift is
        older than a deploy."""
        if self.reference is None:
            return None
        onset = drift_onset(self.everything, self.reference, by_feature)
        if onset is not None:
            return onset
        start, end = self.window.start, self.window.end
        rows = self.warehouse.predictions(
            self.window.component.name, start - (LOOK_BACK - 1) * (end - start), end
        )
        return drift_onset(rows, self.reference, by_feature)


def measure_model(
    warehouse: Warehouse, window: Window, sheet: Sheet, version: str | None, *, whole: bool
) -> None:
    """Drift, anomalies, primary metric, latency and, over a `whole` window, volume."""
    name = window.component.name
    everything = warehouse.predictions(name, window.start, window.end)
    if whole and version is None:
        _volume(warehouse, window, everything, sheet)
    if version is None:
        newest = warehouse.latest(name)
        version = newest[1] if newest else None
    rows = picked(everything, np.array([v == version for v in everything.version], dtype=bool))
    case = ModelCase(
        warehouse, window, everything, rows, _reference(warehouse, name, version, sheet)
    )
    sheet.readings["rows"] = float(len(rows))
    if len(rows):
        sheet.readings["error_rate"] = float(np.isnan(rows.prediction).mean())
    _drift(case, sheet)
    segment_drifts(case, sheet)
    _performance(case, sheet)
    _latency(case, sheet)


def _reference(
    warehouse: Warehouse, name: str, version: str | None, sheet: Sheet
) -> ReferenceProfile | None:
    try:
        reference = warehouse.reference(name, version)
    except NotEnoughDataError:
        reference = None
    if reference is None:
        of = f"{name} version {version}" if version else name
        sheet.notes.append(
            f"no reference profile of {of}: drift not judged; take one from rows of a good time "
            f"with `agentops reference {name} --from DATE --until DATE`"
        )
    return reference


def _drift(case: ModelCase, sheet: Sheet) -> None:
    needed = case.window.component.thresholds.drift_min_rows
    if case.reference is None:
        return
    if len(case.rows) < needed:
        sheet.notes.append(f"not enough data: {len(case.rows)} of {needed} rows")
        return
    by_feature = psi_by_feature(case.reference, case.rows.features)
    sheet.readings.update({f"psi_{name}": value for name, value in by_feature.items()})
    sheet.readings["drift_score"] = aggregate(by_feature)
    anomalous = triggers.anomaly_rows(case.reference, case.rows.features)
    sheet.readings["anomaly_rate"] = float(anomalous.mean())
    if triggers.drift(case.window, by_feature, len(case.rows), None):
        onset = case.drift_onset(by_feature)
        figures = _figures(case.reference, case.rows, by_feature)
        _keep(
            sheet,
            triggers.drift(case.window, by_feature, len(case.rows), _moment(onset), figures),
        )
    onset = onset_of(case.rows.timestamps, anomalous)
    _keep(sheet, triggers.anomalies(case.window, anomalous, _moment(onset)))


def _figures(
    reference: ReferenceProfile, rows: Predictions, by_feature: dict[str, float]
) -> dict[str, float]:
    """KS and JS of the worst features, as a second and third opinion beside their PSI."""
    figures: dict[str, float] = {}
    for name in list(by_feature)[:WORST]:
        column = rows.features.get(name, np.full(len(rows), np.nan))
        found = drift_of(reference.features[name], column)
        figures |= {f"ks_{name}": found.ks, f"js_{name}": found.js}
    return figures


def drift_onset(
    rows: Predictions, reference: ReferenceProfile, by_feature: dict[str, float]
) -> Onset | None:
    """When the features that moved began to; None when all of `rows` look the same."""
    moved = notable(by_feature, len(rows), reference.rows) or list(by_feature)[:WORST]
    scores = row_scores(reference, {n: rows.features[n] for n in moved if n in rows.features})
    if len(scores) != len(rows):
        return None
    return onset_of(rows.timestamps, scores)


def _performance(case: ModelCase, sheet: Sheet) -> None:
    component = case.window.component
    metric, needed = component.metric, component.thresholds.drift_min_rows
    rows, name = case.rows, component.metric.name
    found = appraise(metric, rows.label, rows.prediction, rows.confidence, rows.ids)
    if isinstance(found, Unmeasured):
        found = logged_metric(case.warehouse, case.window) or found
    baseline = baseline_of(case.warehouse, case.window, case.reference)
    if baseline is not None:
        sheet.readings[f"baseline_{name}"] = baseline.value
    if isinstance(found, Unmeasured):
        sheet.notes.append(why_unmeasured(metric, found))
        return
    sheet.readings["labelled_rows"] = float(found.rows)
    if np.isfinite(rows.label).any() and found.rows < needed:
        sheet.notes.append(f"{name}: not enough data: {found.rows} of {needed} labelled rows")
        return
    sheet.readings[name] = found.value
    _others(component, rows, sheet)
    if baseline is None:
        sheet.notes.append(f"{name}: no baseline to compare with")
        segment_performance(case, sheet, found, baseline)
        return
    onset = onset_of(rows.timestamps, row_losses(metric, rows.label, rows.prediction, rows.ids))
    dropped = triggers.metric_drop(
        case.window, found, baseline.value, _moment(onset), baseline_error=baseline.error
    )
    _keep(sheet, dropped)
    segment_performance(case, sheet, found, baseline)


def _others(component: Component, rows: Predictions, sheet: Sheet) -> None:
    """The component's other metrics are shown; its primary one is what raises an alert."""
    for metric in component.other_metrics:
        found = appraise(metric, rows.label, rows.prediction, rows.confidence, rows.ids)
        if isinstance(found, Unmeasured):
            sheet.notes.append(why_unmeasured(metric, found))
        else:
            sheet.readings[metric.name] = found.value


def why_unmeasured(metric: Metric, found: Unmeasured) -> str:
    """What to say when neither labels nor MODEL_METRICS gave a metric."""
    if metric.name in known_names(metric):
        return f"{metric.name}: {found.why} in the window"
    return f"{metric.name}: {found.why}, and MODEL_METRICS has too few values of it in the window"


def baseline_of(
    warehouse: Warehouse, window: Window, reference: ReferenceProfile | None
) -> Baseline | None:
    """The primary metric recorded while the version was healthy, else its median of the week
    before the window; None when neither is known."""
    metric = window.component.metric
    recorded = None if reference is None else metric.among(reference.metrics)
    if reference is not None and recorded is not None:
        return Baseline(recorded, metric.among(reference.metric_errors) or 0.0)
    values = _metric_column(warehouse, window, timedelta(days=BASELINE_DAYS))
    if not len(values):
        return None
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    spread = float(high - low) / QUARTILES_APART  # of a normal, which outliers don't stretch
    return Baseline(float(middle), MEDIAN_ERROR * spread / float(np.sqrt(len(values))))


def logged_metric(warehouse: Warehouse, window: Window) -> Estimate | None:
    """The metric as someone else logged it: the median of the window, between its quartiles."""
    values = _metric_column(warehouse, window, None)
    if len(values) < LEVEL_POINTS:
        return None
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return Estimate(float(middle), float(low), float(high), len(values), len(values))


def _metric_column(warehouse: Warehouse, window: Window, back: timedelta | None) -> Floats:
    start, end = (window.start, window.end) if back is None else (window.start - back, window.start)
    try:
        series = warehouse.series("model_metrics", window.component.name, start, end)
    except NotEnoughDataError:
        return np.empty(0)
    values = window.component.metric.among(series.columns)
    return np.empty(0) if values is None else values[np.isfinite(values)]


def _latency(case: ModelCase, sheet: Sheet) -> None:
    latency = case.rows.latency_ms
    known = latency[np.isfinite(latency)]
    if not len(known):
        return
    sheet.readings["latency_p99"] = float(np.quantile(known, 0.99))
    sheet.readings["latency_mean"] = float(known.mean())
    onset = onset_of(case.rows.timestamps, np.log1p(np.maximum(latency, 0)))
    _keep(sheet, triggers.latency(case.window, latency, _moment(onset)))


def _volume(warehouse: Warehouse, window: Window, rows: Predictions, sheet: Sheet) -> None:
    """Judged over the part of the window in which the model was recorded at all."""
    per_hour, name = window.component.expected_rows_per_hour, window.component.name
    if per_hour is None:
        return
    hours = window.hours
    earlier = warehouse.predictions(name, window.start - timedelta(seconds=COVERED_S), window.start)
    if not len(earlier):
        if not len(rows) and warehouse.latest(name) is None:
            return
        if len(rows):
            hours = (window.end.timestamp() - float(rows.timestamps[0])) / 3600
    usual = (per_hour * hours, per_hour * hours)
    sheet.readings["volume_ratio"] = triggers.volume_ratio(len(rows), usual)
    _keep(sheet, triggers.volume(window, len(rows), usual))


def _moment(onset: Onset | None) -> float | None:
    return None if onset is None else onset.at


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)
