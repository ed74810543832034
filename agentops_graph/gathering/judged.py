"""Which readings a type of alert is judged by, and whether a claim could be judged at all."""

from collections.abc import Collection

from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.component import Component
from agentops_graph.gathering.measure import Measurement

# Without one of its readings a claim is neither confirmed nor denied.
READINGS: dict[AlertType, tuple[str, ...]] = {
    "model_drift": ("drift_score",),
    "data_quality": ("quality_violations",),
    "latency": ("latency_p99", "latency_p95"),
    "accuracy_drop": (),  # the component's own primary metric and its baseline
    "anomaly_spike": ("anomaly_rate", "prediction_drift", "correlation_shift"),
    "cost_spike": ("cost_per_request", "total_cost"),
    "provider_outage": ("error_rate",),
    "memory_bloat": ("memory_mb",),
    "convergence_stall": ("session_minutes",),
    "policy_false_positives": ("policy_false_positive_rate",),
    "volume_anomaly": ("volume_ratio",),
}


# A model's log has no schema to violate: each of these is another claim.
OF_A_LOG = ("missing_shift", "unseen_share", "duplicate_share")


def was_measured(
    alert_type: AlertType,
    metric: str,
    seen: Measurement,
    segment: str | None = None,
    *,
    told: Collection[str],
) -> bool:
    """True when there was enough data for a reading that this type of alert is judged by, in that
    segment if it is one that was looked at. `told` are the figures of the alert."""
    if any(reading.segment == segment and reading.value is None for reading in seen.segments):
        return False
    if alert_type == "accuracy_drop":  # a figure alone says nothing of a loss
        return {metric, f"baseline_{metric}"} <= set(seen.readings)
    known = READINGS[alert_type]
    if alert_type == "data_quality":
        known += tuple(name for name in OF_A_LOG if name in told)
    return any(reading in seen.readings for reading in known)


# At least one of these has to be judged before a component may be called healthy.
VITAL: dict[str, tuple[AlertType, ...]] = {
    "model": ("model_drift", "accuracy_drop"),
    "pipeline": ("data_quality", "volume_anomaly"),
    "agent": ("latency", "provider_outage"),
}


def may_be_called_healthy(component: Component, seen: Measurement) -> bool:
    """True when nothing was found and what matters most could be judged."""
    vital = VITAL[component.kind]
    judged = any(was_measured(kind, component.metric.name, seen, told=()) for kind in vital)
    return judged and not seen.findings
