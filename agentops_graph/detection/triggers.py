"""The triggers of a model: drift, primary metric, volume, latency, anomalies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import Z, percentile_floor, wilson
from agentops_graph.detection.performance import Baseline, sure_loss
from agentops_graph.detection.psi import aggregate
from agentops_graph.domain.alert import AlertType, Finding, Severity

if TYPE_CHECKING:
    from agentops_graph.detection.performance import Estimate
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import ReferenceProfile

MARGIN = 0.25  # of the reference's span, on either side of it


@dataclass(frozen=True)
class Window:
    """The stretch of time a component was measured over."""

    component: Component
    start: datetime
    end: datetime

    @property
    def hours(self) -> float:
        return (self.end - self.start).total_seconds() / 3600

    def finding(
        self,
        alert_type: AlertType,
        severity: Severity,
        metric: str,
        value: float,
        threshold: float,
        summary: str,
        *,
        baseline: float | None = None,
        onset: float | None = None,
        rows: int = 0,
        features: Mapping[str, float] | None = None,
        figures: Mapping[str, float] | None = None,
    ) -> Finding:
        """A finding of this window; `onset` is in seconds since the epoch."""
        return Finding(
            component=self.component.name,
            alert_type=alert_type,
            severity=severity,
            metric=metric,
            value=value,
            baseline=baseline,
            threshold=threshold,
            window_start=self.start,
            window_end=self.end,
            onset_at=None if onset is None else datetime.fromtimestamp(onset, UTC),
            rows=rows,
            features=dict(features or {}),
            figures=dict(figures or {}),
            summary=summary,
        )


def drift(
    window: Window,
    by_feature: Mapping[str, float],
    rows: int,
    onset: float | None,
    figures: Mapping[str, float] | None = None,
) -> Finding | None:
    """Aggregate PSI above its threshold; the caller sees to it that the rows are enough."""
    score, limit = aggregate(by_feature), window.component.thresholds.aggregate_psi
    if score <= limit:
        return None
    summary = f"Model drift detected. Aggregate PSI: {score:.2f}"
    return window.finding(
        "model_drift",
        "critical",
        "drift_score",
        score,
        limit,
        summary,
        onset=onset,
        rows=rows,
        features=by_feature,
        figures=figures,
    )


def metric_drop(
    window: Window,
    found: Estimate,
    baseline: float,
    onset: float | None,
    *,
    baseline_error: float = 0.0,
    figures: Mapping[str, float] | None = None,
) -> Finding | None:
    """The primary metric surely lost more than its share, and more than the gate would let pass."""
    metric, share = window.component.metric, window.component.borne_share
    borne = metric.bearable(baseline, share)
    if sure_loss(metric, found, Baseline(baseline, baseline_error)) <= borne:
        return None
    sign = -1 if metric.direction == "higher_is_better" else 1
    name = metric.name.upper()
    summary = f"{name} dropped from {baseline:.2f} to {found.value:.2f} on {found.rows} rows"
    if sign > 0:
        summary = f"{name} rose from {baseline:.3g} to {found.value:.3g} on {found.rows} rows"
    return window.finding(
        "accuracy_drop",
        "critical",
        f"current_{metric.name}",
        found.value,
        baseline + sign * borne,
        summary,
        baseline=baseline,
        onset=onset,
        rows=found.rows,
        figures=figures,
    )


def volume_ratio(rows: float, usual: tuple[float, float]) -> float:
    """Rows against the nearer end of what is usual; 1 inside it."""
    quiet, busy = usual
    nearest = min(max(rows, quiet), busy)
    return rows / nearest if nearest > 0 else 1.0


def volume(
    window: Window,
    rows: float,
    usual: tuple[float, float],
    *,
    unit: str = "rows",
    onset: float | None = None,
) -> Finding | None:
    """Rows below half of a quiet window or above twice a busy one, beyond Poisson noise."""
    limits, (quiet, busy) = window.component.thresholds, usual
    noise = Z * np.sqrt(max(rows, 1.0))
    said = f"{rows:.0f} {unit} where {quiet if rows < quiet else busy:.0f} were expected"
    if rows == 0 and quiet >= 1:
        severity: Severity = "critical"
        summary, limit = f"No data: {said}", limits.volume_low
    elif rows + noise < limits.volume_low * quiet:
        severity, summary, limit = "warning", f"Data volume low: {said}", limits.volume_low
    elif busy > 0 and rows - noise > limits.volume_high * busy:
        severity, summary, limit = "warning", f"Data volume high: {said}", limits.volume_high
    else:
        return None
    return window.finding(
        "volume_anomaly",
        severity,
        "volume_ratio",
        volume_ratio(rows, usual),
        limit,
        summary,
        baseline=1.0,
        onset=onset,
        rows=int(rows),
    )


def latency(window: Window, latency_ms: Floats, onset: float | None) -> Finding | None:
    """p99 above its limit, and above it even at the lower end of the percentile's interval."""
    known = latency_ms[np.isfinite(latency_ms)]
    floor = percentile_floor(known, 0.99)
    value = float(np.quantile(known, 0.99)) if len(known) else 0.0
    return slow(window, value, floor, len(known), onset)


def slow(
    window: Window, value: float, floor: float | None, rows: int, onset: float | None
) -> Finding | None:
    """As `latency`, from the p99 and what the true one surely exceeds."""
    limit = window.component.thresholds.latency_p99_ms
    if floor is None or floor <= limit:
        return None
    summary = f"Prediction latency p99 {value:.0f} ms, limit {limit:.0f} ms"
    return window.finding(
        "latency",
        "warning",
        "latency_p99",
        value,
        limit,
        summary,
        onset=onset,
        rows=rows,
    )


def anomaly_rows(reference: ReferenceProfile, features: Mapping[str, Floats]) -> Floats:
    """1 for a row with a feature outside the reference's range widened by a quarter, else 0.

    The range and not a z-score, because a model's features need not be normal: a heavy tail is
    inside the range that was seen. The margin keeps the extremes of a small reference from
    counting (with 300 reference rows of 29 normal features about 0.2% of healthy rows do).
    """
    rows = max((len(values) for values in features.values()), default=0)
    outside = np.zeros(rows, dtype=bool)
    for name, values in features.items():
        profile = reference.features.get(name)
        if profile is None or not profile.quantiles:
            continue
        low, high = profile.quantiles[0], profile.quantiles[-1]
        margin = MARGIN * (high - low)
        outside |= (values < low - margin) | (values > high + margin)
    return outside.astype(np.float64)


def anomalies(window: Window, rows: Floats, onset: float | None) -> Finding | None:
    """The share of anomalous rows is above its limit even at the lower end of its interval."""
    return anomaly_share(window, float(rows.mean()) if len(rows) else 0.0, len(rows), onset)


def anomaly_share(window: Window, share: float, rows: int, onset: float | None) -> Finding | None:
    """As `anomalies`, from their share of so many rows."""
    limit = window.component.thresholds.anomaly_rate
    if wilson(share, rows)[0] <= limit:
        return None
    summary = f"{share:.0%} of predictions are anomalous, limit {limit:.0%}"
    return window.finding(
        "anomaly_spike",
        "warning",
        "anomaly_rate",
        share,
        limit,
        summary,
        onset=onset,
        rows=rows,
    )
