"""Measures a model's metrics on labelled rows; where labels are late, estimates the primary one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import triggers
from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.outcome_metrics import appraise_outcomes
from agentops_graph.detection.performance import (
    Baseline,
    Estimate,
    Unmeasured,
    appraise,
    known_names,
    row_losses,
)
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.label_free import Guess, guess
from agentops_graph.gathering.segment_measures import segment_performance
from agentops_graph.gathering.settled_labels import Settled, settled_labels
from agentops_graph.gathering.version_before import version_before

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.gathering.model_measures import ModelCase, Sheet
    from agentops_graph.ports import Warehouse

BASELINE_DAYS = 7
LEVEL_POINTS = 3  # of a logged metric; one bad point is a dip
QUARTILES_APART = 1.349  # standard deviations, of a normal
MEDIAN_ERROR = 1.2533  # of a normal's median, in standard errors of its mean


@dataclass(frozen=True)
class Judged:
    """What is known of the primary metric: from labels, from scores alone, or not at all."""

    settled: Settled
    baseline: Baseline | None
    measured: Estimate | None = None
    guess: Guess | None = None


def performance(
    case: ModelCase,
    sheet: Sheet,
    *,
    looks_back: bool,
    repaired: Callable[[], datetime | None],
) -> Judged:
    """The metrics on the newest rows that have their labels, held against the baseline; where those
    are not the window's own, an estimate for the window as well.

    Rows from before the component was last `repaired` are not looked back to.
    """
    name = case.window.component.metric.name
    settled = Settled(case.rows, case.window, share=0.0)
    if looks_back:
        settled = settled_labels(case, repaired)
    baseline = baseline_of(case.warehouse, case.window, case.reference)
    if baseline is not None:
        sheet.readings[f"baseline_{name}"] = baseline.value
    measured = _measured(case, settled, sheet)
    if measured is not None:
        _compared(settled, measured, baseline, sheet)
        judged_case = replace(case, rows=settled.rows, window=settled.window)
        segment_performance(judged_case, sheet, measured, baseline)
    if measured is not None and not settled.is_old:
        return Judged(settled, baseline, measured)
    return Judged(settled, baseline, measured, guess(case, settled, baseline, sheet))


def _measured(case: ModelCase, settled: Settled, sheet: Sheet) -> Estimate | None:
    component, rows = case.window.component, settled.rows
    metric, needed = component.metric, component.thresholds.drift_min_rows
    if settled.note is not None:
        sheet.notes.append(settled.note)
        sheet.readings["labelled_share"] = settled.share
    found = _appraised(case, settled, metric)
    if isinstance(found, Unmeasured) or settled.is_thin:
        logged = logged_metric(case.warehouse, case.window)
        if logged is None and isinstance(found, Unmeasured):
            sheet.notes.append(why_unmeasured(metric, found))
        if logged is None:
            return None
        found = logged
    sheet.readings["labelled_rows"] = float(found.rows)
    if np.isfinite(rows.label).any() and found.rows < needed:
        sheet.notes.append(
            f"{metric.name}: not enough data: {found.rows} of {needed} labelled rows"
        )
        return None
    sheet.readings[metric.name] = found.value
    _others(case, settled, sheet)
    return found


def _appraised(case: ModelCase, settled: Settled, metric: Metric) -> Estimate | Unmeasured:
    """From the counts of the whole window, where it was counted and its own labels are judged by;
    else from the rows."""
    rows = settled.rows
    if case.tally is not None and case.tally.outcomes is not None and rows is case.rows:
        found = appraise_outcomes(metric, case.tally.outcomes)
        if found is not None:
            return found
    return appraise(metric, rows.label, rows.prediction, rows.confidence, rows.ids)


def _compared(settled: Settled, found: Estimate, baseline: Baseline | None, sheet: Sheet) -> None:
    metric, rows = settled.window.component.metric, settled.rows
    if baseline is None:
        sheet.notes.append(f"{metric.name}: no baseline to compare with")
        return
    onset = onset_of(rows.timestamps, row_losses(metric, rows.label, rows.prediction, rows.ids))
    dropped = triggers.metric_drop(
        settled.window,
        found,
        baseline.value,
        None if onset is None else onset.at,
        baseline_error=baseline.error,
    )
    if dropped is not None:
        sheet.findings.append(dropped)


def _others(case: ModelCase, settled: Settled, sheet: Sheet) -> None:
    """The component's other metrics are shown; its primary one is what raises an alert."""
    for metric in case.window.component.other_metrics:
        found = _appraised(case, settled, metric)
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
    before the window, else that of the version before; None when none is known."""
    metric = window.component.metric
    recorded = None if reference is None else metric.among(reference.metrics)
    if reference is not None and recorded is not None:
        return Baseline(recorded, metric.among(reference.metric_errors) or 0.0)
    values = _metric_column(warehouse, window, timedelta(days=BASELINE_DAYS))
    if not len(values):
        return version_before(warehouse, window.component)
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
