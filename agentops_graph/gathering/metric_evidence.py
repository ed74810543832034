"""Evidence from predictions and metric series: primary metric, service health."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import agent_triggers, feed_triggers
from agentops_graph.detection.changepoint import Onset, onset_of
from agentops_graph.detection.intervals import wilson
from agentops_graph.detection.performance import (
    Baseline,
    Estimate,
    Unmeasured,
    appraise,
    row_losses,
    sure_loss,
)
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.case import BEFORE, Case, Observed, seen, typed_read
from agentops_graph.gathering.drift_measures import drift_onset, shift_between
from agentops_graph.gathering.load_signals import BUSIER, busier, load_signals
from agentops_graph.gathering.performance_measures import baseline_of, why_unmeasured
from agentops_graph.gathering.rows import picked
from agentops_graph.gathering.segment_evidence import (
    baseline_of_part,
    part_of,
    told_of_part,
)

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats, Predictions
    from agentops_graph.domain.profile import ReferenceProfile

DAY = timedelta(days=1)
CLEAR_RISE = 1.2


def model_metric_history(case: Case) -> Observed:
    """The primary metric since the onset against its baseline, and how the change began."""
    name, metric, window = case.component.name, case.component.metric, case.window
    rows, since = case.rows()
    judged = picked(rows, since)
    part = part_of(case, judged)
    judged = judged if part is None else part.inside
    seen_now = appraise(metric, judged.label, judged.prediction, judged.confidence, judged.ids)
    found = None if isinstance(seen_now, Unmeasured) else seen_now
    reference = reference_of(case)
    baseline = baseline_of(case.ports.warehouse, window, reference)
    if part is not None:
        baseline = baseline_of_part(case, reference, baseline)
    onset = _onset_of_model(case, rows, reference)
    signals = _shape_signals(onset) | _metric_signals(case, found, baseline)
    level = None if baseline is None else baseline.value
    values: dict[str, Scalar] = {"onset_shape": onset.shape if onset else None}
    said = ""
    if isinstance(seen_now, Unmeasured):
        said = f"{why_unmeasured(metric, seen_now)} since {window.start:%H:%M}"
    if found is not None:
        values |= {metric.name: found.value, "low": found.low, "high": found.high}
        values |= {"labelled_rows": found.rows, f"baseline_{metric.name}": level}
        said = (
            f"{metric.name} {found.value:.3f} ({found.low:.3f}..{found.high:.3f}) on {found.rows} "
            f"rows, baseline {'unknown' if level is None else f'{level:.3f}'}"
        )
    if part is not None:
        about, of_part = told_of_part(case, part)
        said, values = said + about, values | of_part
    if onset is not None:
        values["onset_at"] = onset.at
        how = f"{onset.shape}ly" if onset.is_clear else "at once or slowly, the rows can't tell"
        said += f"; the change began {how}"
    query = typed_read("predictions", window.start - BEFORE, window.end, model=name)
    return Observed("PREDICTION_LOGS", query, said, values, signals, found=found is not None)


def _onset_of_model(
    case: Case, rows: Predictions, reference: ReferenceProfile | None
) -> Onset | None:
    metric = case.component.metric
    if reference is not None and len(rows):
        since = rows.timestamps >= case.window.start.timestamp()
        moved = shift_between(reference, picked(rows, since)).drifted
        if moved:
            return drift_onset(rows, reference, moved)
    return onset_of(rows.timestamps, row_losses(metric, rows.label, rows.prediction, rows.ids))


def _shape_signals(onset: Onset | None) -> dict[str, float]:
    if onset is None or not onset.is_clear:
        return {}
    abrupt = onset.shape == "abrupt"
    return {"drift_abrupt": seen(abrupt), "drift_gradual": seen(not abrupt)}


def _metric_signals(
    case: Case, found: Estimate | None, baseline: Baseline | None
) -> dict[str, float]:
    """Dropped when the loss is sure, as for an alert; steady when the value itself is not below;
    between the two neither is known."""
    if found is None or baseline is None:
        return {}
    metric = case.component.metric
    borne = metric.bearable(baseline.value, case.component.borne_share)
    if sure_loss(metric, found, baseline) > borne:
        return {"accuracy_dropped": 1.0, "accuracy_steady": -1.0}
    if metric.loss(found.value, baseline.value) <= borne:
        return {"accuracy_dropped": -1.0, "accuracy_steady": 1.0}
    return {}


def model_health(case: Case) -> Observed:
    """Latency and failed predictions since the onset, and how latency rose."""
    name, window, limits = case.component.name, case.window, case.component.thresholds
    query = typed_read("predictions", window.start - BEFORE, window.end, model=name)
    rows, since = case.rows()
    latency = rows.latency_ms[since & np.isfinite(rows.latency_ms)]
    if not since.any():
        return Observed("PREDICTION_LOGS", query, "no predictions since the onset", found=False)
    errors = float(np.isnan(rows.prediction[since]).mean())
    allowed = case.component.health.max_error_rate
    # Too few rows to tell counts as not seen, not as seen.
    signals = {"errors_high": seen(wilson(errors, int(since.sum()))[0] > allowed)}
    values: dict[str, Scalar] = {"error_rate": errors, "rows": int(since.sum())}
    start, end = (window.start - BEFORE).timestamp(), window.end.timestamp()
    load = busier(case.hours_before(), start, window.start.timestamp(), end)
    if load is not None:
        values |= {"requests_before": load[0], "requests": load[1]}
        signals["requests_high"] = seen(load[1] > BUSIER * load[0])
    said = f"{errors:.1%} of predictions failed"
    if len(latency):
        p99 = float(np.quantile(latency, 0.99))
        onset = onset_of(rows.timestamps, np.log1p(np.maximum(rows.latency_ms, 0)))
        is_slow = p99 > limits.latency_p99_ms or case.alert.alert_type == "latency"
        signals |= latency_signals(is_slow, onset) | {
            "latency_high": seen(p99 > limits.latency_p99_ms)
        }
        values |= {"latency_p99": p99, "latency_mean": float(latency.mean())}
        said += f", latency p99 {p99:.0f} ms (limit {limits.latency_p99_ms:.0f})"
    return Observed("PREDICTION_LOGS", query, said, values, signals)


def latency_signals(slow: bool, onset: Onset | None) -> dict[str, float]:
    """`onset` is of log latency; `slow` is beyond the limit, or what the alert is about."""
    rose = slow and onset is not None and onset.after - onset.before > np.log(CLEAR_RISE)
    shape = onset.shape if rose and onset is not None else None
    return {
        "latency_step": seen(shape == "abrupt"),
        "latency_ramp": seen(shape == "gradual"),
    }


def agent_health(case: Case) -> Observed:
    """An agent's latency, errors, cost and tokens since the onset, against the day before."""
    name, window, limits = case.component.name, case.window, case.component.thresholds
    read = case.ports.warehouse.series
    now = read("agent_metrics", name, window.start, window.end)
    earlier = read("agent_metrics", name, window.start - DAY, window.start)
    query = typed_read("series", window.start, window.end, table="agent_metrics", agent=name)
    if not len(now):
        return Observed("AGENT_METRICS", query, "no metrics since the onset", found=False)
    values: dict[str, Scalar] = {}
    crossed: set[str] = set()
    for limit in agent_triggers.AGENT_LIMITS:
        value = agent_triggers.agent_reading(limit, now)
        if value is not None:
            values[limit.column] = value
            if value > limit.threshold(limits):
                crossed.add(limit.column)
    usual = feed_triggers.usual_totals(earlier, "total_cost", window)
    spent = float(np.nansum(now.columns["total_cost"]))
    costly = agent_triggers.spend(window, spent, usual) is not None
    both = np.concatenate([earlier.columns["latency_p95"], now.columns["latency_p95"]])
    times = np.concatenate([earlier.timestamps, now.timestamps])
    onset = onset_of(times, np.log1p(np.maximum(both, 0)))
    signals = {
        "errors_high": seen("error_rate" in crossed),
        "cost_high": seen("cost_per_request" in crossed or costly),
        **latency_signals("latency_p95" in crossed or case.alert.alert_type == "latency", onset),
        "latency_high": seen("latency_p95" in crossed),
        **_grew("cost_risen", now.columns["cost_per_request"], earlier.columns["cost_per_request"]),
        **_grew(
            "tokens_high", now.columns["tokens_per_request"], earlier.columns["tokens_per_request"]
        ),
    }
    load, of_load = load_signals(now, earlier, limits)
    values, signals = values | load | {"total_cost": spent}, signals | of_load
    said = f"over the limit: {', '.join(sorted(crossed))}" if crossed else "no limit crossed"
    return Observed("AGENT_METRICS", query, said, values, signals)


def _grew(signal: str, now: Floats, earlier: Floats) -> dict[str, float]:
    now, earlier = now[np.isfinite(now)], earlier[np.isfinite(earlier)]
    if not len(now) or not len(earlier):
        return {}
    return {signal: seen(float(np.median(now)) > CLEAR_RISE * float(np.median(earlier)))}


def reference_of(case: Case) -> ReferenceProfile | None:
    try:
        return case.ports.warehouse.reference(case.component.name, None)
    except NotEnoughDataError:
        return None
