"""A finding in the terms of the threshold that made it, and the line that would have been best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentops_graph.detection.rise import CLEAR_RISE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.domain.alert import Finding

# The threshold that a metric is held against, where both are in one unit.
SETTINGS = {
    "drift_score": "aggregate_psi",
    "anomaly_rate": "anomaly_rate",
    "latency_p99": "latency_p99_ms",
    "quality_violations": "quality_violations",
    "latency_p95": "agent_latency_p95_ms",
    "error_rate": "agent_error_rate",
    "cost_per_request": "agent_cost_per_request",
    "memory_mb": "memory_mb",
    "session_minutes": "session_minutes",
    "policy_false_positive_rate": "policy_false_positive_rate",
}


@dataclass(frozen=True)
class Figure:
    """How far a finding went and where the line was, both in the unit of the setting."""

    metric: str
    setting: str | None
    level: float
    line: float
    is_above: bool = True  # the line was crossed upwards


def figure_of(finding: Finding) -> Figure:
    """A drop of the primary metric is a share of its baseline, a spend a multiple of what is usual,
    and so is a rise under a limit, which has no setting."""
    metric, value, line = finding.metric, finding.value, finding.threshold
    base = finding.baseline
    if metric.startswith("current_") and base:
        drop = abs(base - value) / abs(base)
        return Figure(metric, "metric_drop", drop, abs(base - line) / abs(base))
    if metric == "volume_ratio":
        is_above = value > 1
        return Figure(metric, "volume_high" if is_above else "volume_low", value, line, is_above)
    if metric == "total_cost" and base:
        return Figure(metric, "cost_ratio", value / base, line / base)
    if base and abs(line - CLEAR_RISE * base) < 1e-9 * abs(line):
        return Figure(f"{metric} (rise)", None, value / base, CLEAR_RISE)
    return Figure(metric, SETTINGS.get(metric), value, line, value > line)


def better_line(
    right: Sequence[float], false_alarms: Sequence[float], *, is_above: bool = True
) -> float | None:
    """The line that every right level still crosses and most false alarms don't: half way between
    them, in as few digits as part them. None when no line parts any."""
    if not is_above:
        mirrored = better_line([-v for v in right], [-v for v in false_alarms])
        return None if mirrored is None else -mirrored
    if not right:
        return None
    least = min(right)
    under = [level for level in false_alarms if level < least]
    if not under:
        return None
    most = max(under)
    middle = (most + least) / 2
    rounded = (float(f"{middle:.{digits}g}") for digits in range(2, 12))
    return next((line for line in rounded if most <= line < least), middle)
