"""Measures the segments of a model: where only a part of the traffic went bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.performance import row_losses
from agentops_graph.detection.segment_baseline import Baselines
from agentops_graph.detection.segment_drift import segment_drift
from agentops_graph.detection.segment_scan import Bearing, Lost, Scan, may_be_lost, scan
from agentops_graph.domain.segment import SegmentLevel, SegmentReading
from agentops_graph.gathering.segment_baselines import (
    baselines_before,
    baselines_of,
    segment_dimensions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.detection.performance import Baseline, Estimate
    from agentops_graph.detection.segments import Dimension
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.metric import Metric
    from agentops_graph.gathering.model_measures import ModelCase, Sheet


def segment_performance(
    case: ModelCase, sheet: Sheet, whole: Estimate, baseline: Baseline | None
) -> None:
    """The primary metric of every segment. A loss of the whole that one segment alone makes is
    told as that segment's."""
    dimensions = segment_dimensions(case)
    if not dimensions:
        return
    baselines = baselines_of(case, baseline)
    if baselines is None:
        baselines = _looked_up(case, dimensions, whole, baseline)
    if baselines is None:
        return
    found = scan(case.rows, dimensions, baselines, _bearing(case.window))
    sheet.segments.extend(_with_those_gone(found.readings, baselines))
    down = next((f for f in sheet.findings if f.alert_type == "accuracy_drop"), None)
    for lost in found.lost:
        sheet.findings.append(_finding(case, found, lost, down))


def segment_drifts(case: ModelCase, sheet: Sheet) -> None:
    """Drift that only one segment shows; none when the whole model drifted."""
    if case.reference is None or not case.reference.segments:
        return
    limit = case.window.component.thresholds.aggregate_psi
    if sheet.readings.get("drift_score", 0.0) > limit:
        return
    dimensions = segment_dimensions(case)
    found = segment_drift(case.reference, case.rows.features, dimensions, limit)
    for drifted in found[:1]:
        said = (
            f"Model drift detected only for {drifted.label}, {drifted.share:.0%} of traffic. "
            f"Aggregate PSI: {drifted.score:.2f}, {drifted.rest:.2f} elsewhere"
        )
        finding = case.window.finding(
            "model_drift",
            "warning",
            "drift_score",
            drifted.score,
            limit,
            said,
            rows=drifted.rows,
            features=drifted.features,
            figures={"share_of_traffic": drifted.share, "rest_drift_score": drifted.rest},
        )
        others = tuple(each.label for each in found[1:])
        sheet.findings.append(
            finding.model_copy(update={"segment": drifted.label, "covers": others[:20]})
        )


def _looked_up(
    case: ModelCase, dimensions: Sequence[Dimension], whole: Estimate, baseline: Baseline | None
) -> Baselines | None:
    """From the rows before the window, which are read only when some segment is below the whole:
    a look at a healthy model stays as cheap as it was."""
    level = SegmentLevel(value=whole.value, error=whole.error, rows=whole.rows)
    if baseline is not None:
        level = SegmentLevel(value=baseline.value, error=baseline.error, rows=whole.rows)
    if not may_be_lost(case.rows, dimensions, level, _bearing(case.window)):
        return None
    return baselines_before(case)


def _bearing(window: Window) -> Bearing:
    limits = window.component.thresholds
    return Bearing(window.component.metric, limits.metric_drop, limits.segment_min_rows)


def _with_those_gone(
    readings: Sequence[SegmentReading], baselines: Baselines
) -> list[SegmentReading]:
    """Segments of the reference without a row in the window stand there as not judged."""
    there = {reading.segment for reading in readings}
    gone = [
        SegmentReading(segment=label, share=0.0, rows=0, value=None)
        for label, held in baselines.segments.items()
        if label not in there and held.level is not None
    ]
    return [*readings, *gone]


def _finding(case: ModelCase, found: Scan, lost: Lost, down: Finding | None) -> Finding:
    """As urgent as the finding of the whole, if it makes one."""
    window, metric = case.window, case.window.component.metric
    baseline = lost.baseline.value
    sign = -1 if metric.direction == "higher_is_better" else 1
    borne = metric.bearable(baseline, window.component.thresholds.metric_drop)
    finding = window.finding(
        "accuracy_drop",
        "warning" if down is None else down.severity,
        f"current_{metric.name}",
        lost.value,
        baseline + sign * borne,
        _said(metric, lost, down, alone=len(found.lost) == 1),
        baseline=baseline,
        onset=_onset(case, lost),
        rows=lost.rows,
        figures=_figures(metric, lost),
    )
    return finding.model_copy(update={"segment": lost.label, "covers": lost.covers})


def _said(metric: Metric, lost: Lost, down: Finding | None, *, alone: bool) -> str:
    name, form = metric.name.upper(), ".2f"
    verb = "dropped"
    if metric.direction == "lower_is_better":
        verb, form = "rose", ".3g"
    only = "only for" if alone else "for"
    makes = "" if down is None else f"; it alone takes the whole model to {down.value:{form}}"
    if not alone:
        makes = makes.replace("it alone", "with the others it")
    return (
        f"{name} {verb} from {lost.baseline.value:{form}} to {lost.value:{form}} {only} "
        f"{lost.label}, {_percent(lost.share)} of traffic{makes}"
    )


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.01 else f"{share:.0%}"


def _figures(metric: Metric, lost: Lost) -> dict[str, float]:
    """The loss with its interval, the share of traffic, and how the rest does."""
    gone = metric.loss(lost.value, lost.baseline.value)
    half = Z * float(np.hypot(lost.error, lost.baseline.error))
    found = {
        "share_of_traffic": lost.share,
        "loss": gone,
        "loss_low": gone - half,
        "loss_high": gone + half,
        f"baseline_rest_{metric.name}": lost.rest_baseline.value,
    }
    return found | ({} if lost.rest is None else {f"rest_{metric.name}": lost.rest})


def _onset(case: ModelCase, lost: Lost) -> float | None:
    rows, mask = case.rows, lost.mask
    ids = [rows.ids[i] for i in np.flatnonzero(mask)]
    losses = row_losses(case.window.component.metric, rows.label[mask], rows.prediction[mask], ids)
    onset = onset_of(rows.timestamps[mask], losses)
    return None if onset is None else onset.at
