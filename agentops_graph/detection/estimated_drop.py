"""Warns of a loss that only an estimate shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.detection.performance import Baseline, sure_loss

if TYPE_CHECKING:
    from agentops_graph.detection.performance import Estimate
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding


def estimated_drop(window: Window, found: Estimate, baseline: Baseline) -> Finding | None:
    """A warning when the estimate is surely worse by more than a measured metric may be; never
    critical, because labels may still say otherwise."""
    metric, share = window.component.metric, window.component.thresholds.metric_drop
    borne = metric.bearable(baseline.value, share)
    if sure_loss(metric, found, baseline) <= borne:
        return None
    sign = -1 if metric.direction == "higher_is_better" else 1
    summary = (
        f"{metric.name.upper()} is estimated, without labels, at {found.value:.3g} "
        f"({found.low:.3g} to {found.high:.3g}) on {found.rows} rows, baseline {baseline.value:.3g}"
    )
    return window.finding(
        "accuracy_drop",
        "warning",
        f"estimated_{metric.name}",
        found.value,
        baseline.value + sign * borne,
        summary,
        baseline=baseline.value,
        rows=found.rows,
    )
