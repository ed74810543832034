"""The prepared world that the questions are about: three stories in one data folder."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agentops_graph.adapters.memory.outside import FixedModels, RecordingActuator, SteppingClock
from agentops_graph.bootstrap import Workshop
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.frames import Change
from agentops_graph.domain.ledger import Version
from agentops_graph.graph import build_graph
from agentops_graph.runner import Runner
from agentops_graph.service import Service
from agentops_graph.settings import read_settings
from evals.model_choice import Choice

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=50)
COMPONENTS = """components:
  - name: fraud-detector
    feeds: [transactions]
    min_positives: 100
  - name: churn-model
  - name: transactions
    kind: pipeline
  - name: support-bot
    kind: agent
"""
FEATURES = tuple(f"V{n}" for n in range(1, 21))
ACTIONS = ("retrain_model", "deploy_model", "rollback_model", "rerun_pipeline")


def prepared(home: Path, choice: Choice | None = None) -> Service:
    """A drifted fraud-detector whose retraining waits for a person, a costly support-bot that
    belongs to on-call, and a churn-model whose incident was closed."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "components.yaml").write_text(COMPONENTS, encoding="utf-8")
    (home / "sources.yaml").write_text("", encoding="utf-8")
    asked = {"reasoner": choice.reasoner} if choice is not None and choice.has_model else {}
    workshop = Workshop(read_settings(None if asked else {}, home=home, mlflow=False, **asked))
    _fill(workshop)
    clock = SteppingClock(NOW)
    ports = replace(
        workshop.ports,
        clock=clock,
        models=_models(),
        actuators=dict.fromkeys(ACTIONS, RecordingActuator()),
    )
    service = Service(ports)
    runner = Runner(ports, build_graph(_saver()), kind="eval", lease_s=60, public_url="http://x")
    churn = _report(service, "churn-model", "accuracy_drop", "F1 fell", {"current_f1": 0.7})
    _work(runner)
    if service.case(churn).incident.status != "escalated":
        raise RuntimeError("the story of churn-model went another way than the questions say")
    service.close(churn, actor="ben", note="the labels of Sunday were loaded twice; reloaded")
    for name in ("fraud-detector", "support-bot"):
        service.investigate(name, actor="monitor")
    _work(runner)
    return service


def _saver():
    from langgraph.checkpoint.memory import InMemorySaver

    return InMemorySaver()


def _work(runner: Runner) -> None:
    for _ in range(30):
        if not runner.run_once():
            return
    raise RuntimeError("the runner never came to rest")


def _report(service, component, alert_type, summary, metrics):
    claim = {
        "severity": "warning",
        "alert_type": alert_type,
        "affected_component": component,
        "metrics": metrics,
        "timestamp": (NOW - timedelta(hours=5)).isoformat(),
        "onset_at": (NOW - timedelta(hours=6)).isoformat(),
        "summary": summary,
    }
    return service.raise_alert(claim, actor="pager", via="python").incident_id


def _models() -> FixedModels:
    def version(number, days, **more):
        made = NOW - timedelta(days=days)
        return Version(model="fraud-detector", version=number, created_at=made, **more)

    held = [
        version("1", 60, metrics={"f1": 0.90}, parameters={"C": "1.0"}),
        version("2", 20, metrics={"f1": 0.93}, parameters={"C": "0.5"}),
    ]
    return FixedModels(held, {"fraud-detector": "2"})


def _fill(workshop: Workshop) -> None:
    rng = np.random.default_rng(7)
    _predictions(workshop, rng)
    warehouse = workshop.warehouse
    batches = [
        {
            "timestamp": NOW - timedelta(minutes=10 * n),
            "pipeline_name": "transactions",
            "null_rate": 0.001,
            "schema_violations": 0,
            "record_count": 400,
            "status": "ok",
        }
        for n in range(300, 0, -1)
    ]
    warehouse.write("DATA_QUALITY", batches)
    told = "vendor API v2: amounts in cents"
    changed_at = ONSET - timedelta(minutes=4)
    warehouse.record_change(Change(changed_at, "schema_change", "transactions", told))
    minutes = [
        {
            "timestamp": NOW - timedelta(minutes=n),
            "agent_name": "support-bot",
            "requests": 20,
            "latency_p95": 400.0,
            "error_rate": 0.0,
            "cost_per_request": 0.31 if n <= 60 else 0.02,
            "tokens_per_request": 9000 if n <= 60 else 900,
            "total_cost": 6.2 if n <= 60 else 0.4,
        }
        for n in range(2000, 0, -1)
    ]
    warehouse.write("AGENT_METRICS", minutes)


def _predictions(workshop: Workshop, rng: np.random.Generator) -> None:
    healthy = _drawn(rng, 6000)
    columns = dict(zip(FEATURES, healthy.T, strict=True))
    profile = profile_of("fraud-detector", "2", columns, {"f1": 0.93}, NOW - timedelta(days=20))
    workshop.warehouse.save_reference(profile)
    rows = _drawn(rng, 6000)
    seconds = np.linspace(-3 * 3600, -1, 6000)
    labels = (rows[:, 13] + rows[:, 16] > 1.0).astype(float)
    late = seconds >= (ONSET - NOW).total_seconds()
    rows[late, 13] = rows[late, 13] * 2.4 + 1.0
    rows[late, 16] = rows[late, 16] * 2.0
    predicted = (rows[:, 13] + rows[:, 16] > 1.0).astype(float)
    workshop.warehouse.write(
        "PREDICTION_LOGS",
        (
            {
                "timestamp": NOW + timedelta(seconds=float(seconds[n])),
                "prediction_id": f"p-{n}",
                "model_name": "fraud-detector",
                "model_version": "2",
                "features": dict(zip(FEATURES, rows[n].tolist(), strict=True)),
                "prediction": predicted[n],
                "confidence": 0.9,
                "actual_label": labels[n],
                "latency_ms": 20.0,
            }
            for n in range(len(rows))
        ),
    )


def _drawn(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.normal(size=(count, len(FEATURES)))
