"""A desk to try incidents at: the real graph, runner and ledger, with twins for the outside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.adapters.memory.outside import (
    CollectingNotifier,
    FixedModels,
    RecordingActuator,
    ScriptedReasoner,
    ShelfInMemory,
    SteppingClock,
)
from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.adapters.silent_tracker import SilentTracker
from agentops_graph.adapters.sqlalchemy_ledger import Database, ledger_ports
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.action import Action, DeployModel, RetrainModel, RollbackModel
from agentops_graph.domain.case import Case
from agentops_graph.domain.component import Component, HealthWindow
from agentops_graph.domain.diagnosis import Diagnosis, RecommendedAction
from agentops_graph.domain.effect import Receipt
from agentops_graph.domain.frames import Predictions
from agentops_graph.domain.gate import Trial
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.metric import Metric
from agentops_graph.domain.policy import Policy
from agentops_graph.encryption import NO_RING, Ring
from agentops_graph.graph import build_graph
from agentops_graph.ports import Ports
from agentops_graph.runner import Runner
from agentops_graph.service import Service

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MODEL = "fraud-detector"
FEATURES = ("V1", "V2", "V14", "V17")
NOTICE_KINDS = (
    "send_slack_alert",
    "create_github_issue",
    "close_github_issue",
    "notify_data_team",
    "acknowledge_page",
)
RETRAIN_FIRST = (
    ("send_slack_alert", 1, None),
    ("retrain_model", 2, None),
    ("deploy_model", 3, "retrain_model passed or inconclusive"),
    ("rollback_model", 4, "retrain_model failed or rejected"),
)


class ModelActuator(RecordingActuator):
    """Carries out model actions on `FixedModels`, and opens the work of a training."""

    def __init__(self, desk: Desk, file: Path | None = None) -> None:
        super().__init__(file)
        self._desk = desk

    def carry_out(self, action: Action, *, key: str, incident_id: str) -> Receipt:
        if isinstance(action, RetrainModel):
            at = self._desk.clock.now()
            self._desk.ports.work.open(key, action, incident_id, "team:train", at=at)
        receipt = super().carry_out(action, key=key, incident_id=incident_id)
        if isinstance(action, DeployModel):
            self._desk.models.serving[action.model] = action.version
        if isinstance(action, RollbackModel):
            self._desk.models.serving[action.model] = action.to_version
        return receipt


@lru_cache(maxsize=64)  # most desks open with the same rows; nobody writes into these
def traffic(
    start: datetime,
    minutes: int,
    *,
    version: str,
    broken: bool,
    rows_a_minute: int = 50,
    failed: float = 0.0,
    seed: int = 1,
) -> Predictions:
    """Labelled rows; `broken` shifts V14 and V17 and makes the model wrong more often."""
    rng = np.random.default_rng(seed)
    n = minutes * rows_a_minute
    label = (rng.random(n) < 0.3).astype(float)
    wrong = rng.random(n) < (0.25 if broken else 0.03)
    prediction = np.where(wrong, 1 - label, label)
    prediction[rng.random(n) < failed] = np.nan
    features = {name: rng.normal(size=n) for name in FEATURES}
    if broken:
        features["V14"] = features["V14"] * 2 + 1.5
        features["V17"] = features["V17"] * 2 - 1.2
    times = start.timestamp() + np.arange(n) * (60.0 / rows_a_minute)
    return Predictions(
        ids=[f"{version}-{start:%H%M}-{i}" for i in range(n)],
        timestamps=times,
        features=features,
        prediction=prediction,
        confidence=np.where(np.isnan(prediction), np.nan, 0.95 - 0.1 * rng.random(n)),
        label=label,
        latency_ms=rng.gamma(4, 4, n),
        version=[version] * n,
    )


def joined(*parts: Predictions) -> Predictions:
    return Predictions(
        ids=[i for p in parts for i in p.ids],
        timestamps=np.concatenate([p.timestamps for p in parts]),
        features={n: np.concatenate([p.features[n] for p in parts]) for n in FEATURES},
        prediction=np.concatenate([p.prediction for p in parts]),
        confidence=np.concatenate([p.confidence for p in parts]),
        label=np.concatenate([p.label for p in parts]),
        latency_ms=np.concatenate([p.latency_ms for p in parts]),
        version=[v for p in parts for v in p.version],
    )


def profile(version: str, rows: Predictions, f1: float):
    return profile_of(MODEL, version, rows.features, {"f1": f1}, NOON)


def diagnosis(plan: tuple[tuple[str, int, str | None], ...] = RETRAIN_FIRST) -> Diagnosis:
    return Diagnosis(
        diagnosis_id="scripted",
        alert_id="scripted",
        root_cause="The vendor changed the units of V14 and V17",
        cause="upstream_schema_change",
        confidence=0.9,
        runbook_reference="model_drift.md#section-3-2-the-three-usual-causes",
        recommended_actions=tuple(
            RecommendedAction(
                action=action,
                priority=priority,
                requires_approval=action not in NOTICE_KINDS,
                condition=condition,
            )
            for action, priority, condition in plan
        ),
        diagnosed_at=NOON,
    )


@dataclass
class Desk:
    """One data folder; `desk.again()` is the same folder after a restart."""

    home: Path
    plan: tuple[tuple[str, int, str | None], ...] = RETRAIN_FIRST
    clock: SteppingClock = field(default_factory=lambda: SteppingClock(NOON))
    warehouse: WarehouseInMemory = field(init=False)
    models: FixedModels = field(init=False)
    metric: Metric = field(default_factory=lambda: Metric(name="f1"))
    ring: Ring = NO_RING
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        healthy = traffic(NOON - timedelta(hours=3), 125, version="1", broken=False)
        broken = traffic(NOON - timedelta(minutes=55), 55, version="1", broken=True, seed=2)
        self.warehouse = WarehouseInMemory(
            {MODEL: joined(healthy, broken)},
            references=[
                profile("0", broken, 0.93),
                profile("1", healthy, 0.93),
                profile("2", broken, 0.93),
            ],
        )
        older = NOON - timedelta(days=30)
        self.models = FixedModels(
            [
                Version(model=MODEL, version="0", created_at=older - timedelta(days=30)),
                Version(model=MODEL, version="1", created_at=older),
                Version(model=MODEL, version="2", created_at=NOON),
            ],
            {MODEL: "1"},
        )
        self.actuator = ModelActuator(self, self.home / "effects.txt")
        self.notifier = CollectingNotifier()
        self.shelf = ShelfInMemory()
        self.open()

    def open(self) -> None:
        url = f"sqlite:///{self.home / 'ledger.db'}"
        database = Database(url, audit_key=b"test key", ring=self.ring)
        self.database = database
        component = Component(
            name=MODEL,
            metric=self.metric,
            health=HealthWindow(seconds=60, every_s=20, looks=3),
            min_positives=100,
        )
        self.ports = Ports(
            clock=self.clock,
            policy=Policy(),
            components={MODEL: component},
            **ledger_ports(database),
            warehouse=self.warehouse,
            history=self.warehouse,
            shelf=self.shelf,
            reasoner=ScriptedReasoner(diagnosis(self.plan)),
            models=self.models,
            actuators=dict.fromkeys(
                ("retrain_model", "deploy_model", "rollback_model", "rerun_pipeline"),
                self.actuator,
            ),
            tracker=SilentTracker(),
            notifiers=dict.fromkeys(NOTICE_KINDS, self.notifier),
        )
        self.service = Service(self.ports)
        self.saver = open_checkpoints(self.home / "checkpoints.db", ring=self.ring)
        self.runner = Runner(
            self.ports,
            build_graph(self.saver),
            kind="desk",
            lease_s=15,
            public_url="http://127.0.0.1:8000",
        )

    def report(self, **changes: object) -> str:
        """An alert comes in; returns the incident's id."""
        claim = {
            "severity": "critical",
            "alert_type": "model_drift",
            "affected_component": MODEL,
            "metrics": {"drift_score": 0.47},
            "timestamp": NOON.isoformat(),
            "onset_at": (NOON - timedelta(minutes=55)).isoformat(),
            "summary": "Model drift detected. Aggregate PSI: 0.47",
        } | changes
        return self.service.raise_alert(claim, actor="monitor", via="python").incident_id

    def work(self) -> None:
        """The runner works until it has nothing left to do now."""
        for _ in range(50):
            if not self.runner.run_once():
                return
        raise AssertionError("the runner never came to rest")

    def pending(self, incident_id: str) -> str:
        """The id of the one approval that waits."""
        (waiting,) = self.case(incident_id).pending
        return waiting.approval_id

    def approve(self, incident_id: str) -> None:
        self.service.decide(self.pending(incident_id), "approve", actor="mia", via="cli")
        self.work()

    def reject(self, incident_id: str, reason: str = "release in progress") -> None:
        approval = self.pending(incident_id)
        self.service.decide(approval, "reject", actor="mia", via="cli", reason=reason)
        self.work()

    def training_ends(
        self, incident_id: str, *, candidate: float = 0.93, error: str | None = None
    ) -> None:
        """The detached process writes its result."""
        (key,) = [
            k for e in self.case(incident_id).effects if (k := e.key) and self.ports.work.find(k)
        ]
        self.training_of(key, candidate=candidate, error=error)
        self.work()

    def training_of(self, key: str, *, candidate: float = 0.93, error: str | None = None) -> None:
        """The process of this training writes its result; nobody goes on yet."""
        work = self.ports.work.claim(key)
        assert work is not None
        assert isinstance(work.action, RetrainModel)
        trial = Trial(
            metric=self.metric.name,
            candidate=candidate,
            incumbent=0.80,
            baseline=0.93,
            holdout_rows=work.action.holdout_rows,
            holdout_positives=2500,
            holdout_sha256=work.action.holdout_sha256,
            candidate_version="2",
        )
        result = {"summary": "trained", "version": "2", "trial": trial.model_dump(mode="json")}
        self.ports.work.finish(key, error=error, result=result, at=self.clock.now())

    def minutes_pass(self, minutes: float, *, failed: float = 0.0, broken: bool = False) -> None:
        """Time goes on in steps of ten seconds, with fresh traffic of whoever serves."""
        for _ in range(int(minutes * 6)):
            self.ten_seconds_pass(failed=failed, broken=broken)
            self.work()

    def ten_seconds_pass(self, *, failed: float = 0.0, broken: bool = False) -> None:
        """Traffic of whoever serves comes in; nobody works yet."""
        since = self.clock.now()
        self.clock.move(10)
        fresh = traffic(
            since,
            1,
            version=self.models.serving[MODEL],
            broken=True,
            rows_a_minute=200,
            failed=failed,
            seed=int(since.timestamp()) % 1000,
        )
        fresh = _kept_right(fresh, broken)
        rows = self.warehouse.predictions(MODEL, NOON - timedelta(days=1), since)
        within = _squeezed(fresh, since, 10)
        self.warehouse.give(MODEL, joined(rows, within))

    def case(self, incident_id: str) -> Case:
        return self.service.case(incident_id)

    def again(self) -> Desk:
        """The same folder, opened by a new process."""
        self.saver.conn.close()
        self.open()
        return self


def _kept_right(rows: Predictions, broken: bool) -> Predictions:
    """The new version copes with the changed feed, unless it is broken too."""
    if broken:
        return rows
    answered = ~np.isnan(rows.prediction)
    return replace(rows, prediction=np.where(answered, rows.label, rows.prediction))


def _squeezed(rows: Predictions, since: datetime, seconds: float) -> Predictions:
    times = since.timestamp() + np.linspace(0, seconds, len(rows), endpoint=False)
    return Predictions(**{**rows.__dict__, "timestamps": times})
