"""The incident that the loop is measured on: a drift, a rollback, a health window, resolved."""

from datetime import UTC, datetime, timedelta

import numpy as np

from agentops_graph.adapters.memory import (
    CollectingNotifier,
    FixedModels,
    MemoryApprovals,
    MemoryAudit,
    MemoryCredentials,
    MemoryDeliveries,
    MemoryEffects,
    MemoryFigures,
    MemoryIncidents,
    MemoryIncidentVerdicts,
    MemoryJobs,
    MemoryLeases,
    MemoryLedger,
    MemoryOutbox,
    MemorySilences,
    MemorySwitches,
    MemoryTimers,
    MemoryWork,
    RecordingActuator,
    ScriptedReasoner,
    ShelfInMemory,
    SteppingClock,
    WarehouseInMemory,
)
from agentops_graph.adapters.silent_tracker import SilentTracker
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.action import ACTION_KINDS, NOTICE_KINDS
from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.component import Component, HealthWindow
from agentops_graph.domain.diagnosis import Diagnosis, RecommendedAction
from agentops_graph.domain.frames import Predictions
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.policy import Policy, rule
from agentops_graph.ports import Ports

START = datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
LOOK_S = 30.0
ROWS = 600  # an hour of the story; the figure for detection is measured on a window of its own
FEATURES = ("V14", "V17", "Amount")


def predictions(
    at: datetime, span_s: float, rows: int, version: str, shift: float, features=FEATURES
) -> Predictions:
    """Rows spread evenly over `span_s` seconds up to `at`; V14 and V17 are moved by `shift`."""
    rng = np.random.default_rng(7)
    columns = {name: rng.standard_normal(rows) for name in features}
    for name in ("V14", "V17"):
        columns[name] = columns[name] + shift
    return Predictions(
        ids=[f"{version}-{n}" for n in range(rows)],
        timestamps=at.timestamp() - np.linspace(span_s, 0, rows, endpoint=False),
        features=columns,
        prediction=rng.integers(0, 2, rows).astype(np.float64),
        confidence=rng.random(rows),
        label=np.full(rows, np.nan),
        latency_ms=rng.uniform(20, 60, rows),
        version=[version] * rows,
    )


def joined(*parts: Predictions) -> Predictions:
    names = parts[0].features
    return Predictions(
        ids=[i for part in parts for i in part.ids],
        timestamps=np.concatenate([part.timestamps for part in parts]),
        features={n: np.concatenate([part.features[n] for part in parts]) for n in names},
        prediction=np.concatenate([part.prediction for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        latency_ms=np.concatenate([part.latency_ms for part in parts]),
        version=[v for part in parts for v in part.version],
    )


def story_rows(at: datetime) -> Predictions:
    """An hour that drifted under version 2, then healthy rows of version 1 in the window."""
    healthy = predictions(at + timedelta(seconds=LOOK_S), LOOK_S, 300, "1", 0.0)
    return joined(predictions(at, 3600, ROWS, "2", 2.0), healthy)


def warehouse(model: str, at: datetime) -> WarehouseInMemory:
    past = predictions(at - timedelta(days=7), 3600, 5000, "1", 0.0)
    references = [profile_of(model, v, past.features, {}, START) for v in ("1", "2")]
    return WarehouseInMemory({model: story_rows(at)}, references=references)


def claim(model: str, at: datetime) -> AlertClaim:
    return AlertClaim(
        severity="critical",
        alert_type="model_drift",
        affected_component=model,
        metrics={"drift_score": 0.47},
        timestamp=at,
        summary="Model drift detected. Aggregate PSI: 0.47",
        onset_at=at - timedelta(minutes=10),
    )


def diagnosis() -> Diagnosis:
    wanted = ("send_slack_alert", "create_github_issue", "rollback_model")
    return Diagnosis(
        diagnosis_id="scripted",
        alert_id="scripted",
        root_cause="version 2 reads V14 and V17 in the wrong unit",
        cause="bad_version",
        confidence=0.9,
        recommended_actions=tuple(
            RecommendedAction(action=name, priority=n, requires_approval=not rule(name).by_itself)
            for n, name in enumerate(wanted, start=1)
        ),
        diagnosed_at=START,
    )


def memory_ports(model: str) -> Ports:
    """Every port in memory: the same nodes without the parts that make them safe."""
    ledger = MemoryLedger()
    incidents, effects = MemoryIncidents(ledger), MemoryEffects(ledger)
    approvals, deliveries = MemoryApprovals(ledger), MemoryDeliveries(ledger)
    store = warehouse(model, START)
    actuator, notifier = RecordingActuator(), CollectingNotifier()
    health = HealthWindow(seconds=LOOK_S, every_s=LOOK_S, looks=1)
    versions = [
        Version(model=model, version=v, created_at=START - timedelta(days=9 - int(v)))
        for v in ("1", "2")
    ]
    return Ports(
        clock=SteppingClock(START),
        policy=Policy(actions_per_target_per_day=1_000_000),
        components={model: Component(name=model, health=health)},
        incidents=incidents,
        log=incidents,
        incident_verdicts=MemoryIncidentVerdicts(ledger),
        approvals=approvals,
        approval_log=approvals,
        effects=effects,
        effect_log=effects,
        switches=MemorySwitches(ledger),
        silences=MemorySilences(ledger),
        leases=MemoryLeases(ledger),
        timers=MemoryTimers(ledger),
        jobs=MemoryJobs(ledger),
        work=MemoryWork(ledger),
        outbox=MemoryOutbox(ledger),
        audit=MemoryAudit(ledger),
        credentials=MemoryCredentials(ledger),
        deliveries=deliveries,
        outside_alerts=deliveries,
        figures=MemoryFigures(ledger),
        warehouse=store,
        history=store,
        shelf=ShelfInMemory(),
        reasoner=ScriptedReasoner(diagnosis()),
        models=FixedModels(versions, serving={model: "2"}),
        actuators=dict.fromkeys(ACTION_KINDS, actuator),
        tracker=SilentTracker(),
        notifiers=dict.fromkeys(NOTICE_KINDS, notifier),
    )
