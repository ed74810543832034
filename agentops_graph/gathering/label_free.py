"""Estimates a model's primary metric over a window whose labels are not in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.estimated_drop import estimated_drop
from agentops_graph.detection.label_free import estimated
from agentops_graph.detection.label_free_errors import estimated_errors
from agentops_graph.detection.performance import Baseline, Estimate, Unmeasured, appraise
from agentops_graph.gathering.rows import picked

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.gathering.model_measures import ModelCase, Sheet
    from agentops_graph.gathering.settled_labels import Settled

NUMBERS = ("regression", "forecast")


@dataclass(frozen=True)
class Guess:
    """An estimate without labels, and whether the newest labels bear such estimates out."""

    found: Estimate
    is_trusted: bool


def guess(
    case: ModelCase, settled: Settled, baseline: Baseline | None, sheet: Sheet
) -> Guess | None:
    """The estimate as a reading `estimated_NAME`, and a warning when it is surely worse than the
    baseline; a note instead when there is none, or when the last labels belie it."""
    component, reference = case.window.component, case.reference
    metric, needed = component.metric, component.thresholds.drift_min_rows
    if reference is None or reference.healthy is None or len(case.rows) < needed:
        return None
    found = estimate_of(metric, reference, case.rows)
    if isinstance(found, Unmeasured):
        sheet.notes.append(f"{metric.name}: not estimated: {found.why}")
        return None
    sheet.readings[f"estimated_{metric.name}"] = found.value
    is_trusted = not settled.is_old or _borne_out(metric, reference, settled, sheet)
    drop = estimated_drop(case.window, found, baseline) if baseline and is_trusted else None
    if drop is not None and not any(f.alert_type == "accuracy_drop" for f in sheet.findings):
        sheet.findings.append(drop)
    return Guess(found, is_trusted)


def estimate_of(
    metric: Metric, reference: ReferenceProfile, rows: Predictions
) -> Estimate | Unmeasured:
    """By scores for classes, by errors per bin for numbers."""
    if metric.task in NUMBERS:
        return estimated_errors(metric, reference, rows.prediction, rows.features)
    return estimated(metric, reference, rows.prediction, rows.confidence, rows.features)


def _borne_out(metric: Metric, reference: ReferenceProfile, settled: Settled, sheet: Sheet) -> bool:
    """True when the estimate of the newest labelled rows holds what their labels say. What makes a
    row positive may have changed, which scores don't show and labels do."""
    rows = settled.rows
    told = appraise(metric, rows.label, rows.prediction, rows.confidence, rows.ids)
    labelled = np.isfinite(rows.label)
    guessed = estimate_of(metric, reference, picked(rows, labelled))
    if isinstance(told, Unmeasured) or isinstance(guessed, Unmeasured):
        return True
    if guessed.low <= told.high and told.low <= guessed.high:
        return True
    sheet.notes.append(
        f"estimated_{metric.name} can't be trusted: for the last labelled rows it is "
        f"{guessed.value:.3g} ({guessed.low:.3g} to {guessed.high:.3g}) where their labels say "
        f"{told.value:.3g}; what the model predicts has changed, not only its input"
    )
    return False
