"""A desk whose outside survives the process: what serves, what happened and what time it is are
files, so that the next process finds them as it would find the real ones."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from agentops_graph.adapters.memory.outside import RecordingActuator
from agentops_graph.domain.action import (
    ACTION_KINDS,
    Action,
    DeployModel,
    RerunPipeline,
    RetrainModel,
    RollbackModel,
    ScaleInfrastructure,
)
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.effect import Receipt
from agentops_graph.domain.gate import Trial
from agentops_graph.domain.ledger import Work
from agentops_graph.errors import DidNotHappenError, PortError, UnavailableError
from agentops_graph.faults import fault
from agentops_graph.runner import Runner
from agentops_graph.service import Service
from tests.desk import MODEL, NOON, RETRAIN_FIRST, Desk, joined, profile, traffic

STEP_S = 20
PLANS = {
    "retrain_model": (("create_github_issue", 1, None), ("retrain_model", 2, None)),
    "deploy_model": RETRAIN_FIRST,
    "rollback_model": (("rollback_model", 1, None),),
    "rerun_pipeline": (("rerun_pipeline", 1, None),),
    "scale_infrastructure": (("scale_infrastructure", 1, None),),
    "shift_traffic": (("shift_traffic", 1, None),),
    "undo": RETRAIN_FIRST,
    "moved": (("retrain_model", 1, None),),
}
ENDED = ("resolved", "escalated", "suppressed", "closed")


class LastingActuator(RecordingActuator):
    """Opens the work, as the real one does first; then writes the effect down and changes the
    world; all are files."""

    def __init__(self, world: World) -> None:
        super().__init__(world.home / "effects.txt")
        self._world = world

    def carry_out(self, action: Action, *, key: str, incident_id: str) -> Receipt:
        if isinstance(action, RetrainModel | RerunPipeline | ScaleInfrastructure):
            at = self._world.clock.now()
            try:
                self._world.ports.work.open(key, action, incident_id, "team:work", at=at)
            except PortError as error:
                raise DidNotHappenError(f"the work was not started: {error}") from error
        receipt = super().carry_out(action, key=key, incident_id=incident_id)
        if isinstance(action, DeployModel):
            self._world.serve(action.version)
        if isinstance(action, RollbackModel):
            self._world.serve(action.to_version)
        fault("actuator.inside")
        return receipt


@dataclass
class World(Desk):
    """One data folder with its outside; `kind` says which action its plan leads to."""

    kind: str = "deploy_model"
    lease_s: float = 15
    refused: list[UnavailableError] = field(default_factory=list)
    leases_stay: bool = False  # what can't be written includes that a lease is let go
    unwritten: dict[str, Work] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = PLANS[self.kind]
        super().__post_init__()
        healthy = traffic(NOON - timedelta(hours=3), 125, version="1", broken=False)
        for version in ("0", "2"):  # what they serve after an action is healthy here
            self.warehouse.save_reference(profile(version, healthy, 0.93))
        if self._serving.exists():
            self.models.serving[MODEL] = self._serving.read_text()
        if self._past.exists():
            for line in self._past.read_text().splitlines():
                self._live_through(*line.split())

    @property
    def _serving(self):
        return self.home / "serving.txt"

    @property
    def _past(self):
        return self.home / "past.txt"

    def open(self) -> None:
        super().open()
        self.actuator = LastingActuator(self)
        component = self.ports.components[MODEL].model_copy(update={"feeds": ("orders",)})
        self.ports = replace(
            self.ports,
            components={MODEL: component},
            actuators=dict.fromkeys(ACTION_KINDS, self.actuator),
        )
        self.service = Service(self.ports)
        self.runner = Runner(
            self.ports,
            self.runner.graph,
            kind="desk",
            lease_s=self.lease_s,
            public_url="http://127.0.0.1:8000",
        )

    def serve(self, version: str) -> None:
        fresh = self._serving.with_suffix(".new")
        fresh.write_text(version)
        os.replace(fresh, self._serving)
        self.models.serving[MODEL] = version

    def time_passes(self) -> None:
        """A step of time, with the traffic of whoever serves; version 2 fails in an undo."""
        version = self.models.serving[MODEL]
        failed = "0.5" if self.kind == "undo" and version == "2" else "0.0"
        with self._past.open("a") as past:
            past.write(f"{self.clock.now().isoformat()} {version} {failed}\n")
        self._live_through(self.clock.now().isoformat(), version, failed)

    def _live_through(self, since: str, version: str, failed: str) -> None:
        start = datetime.fromisoformat(since)
        fresh = traffic(
            start,
            1,
            version=version,
            broken=version == "1",
            rows_a_minute=300,
            failed=float(failed),
            seed=int(start.timestamp()) % 1000,
        )
        within = replace(
            fresh,
            ids=[f"{name}-{start:%S}" for name in fresh.ids],
            timestamps=start.timestamp() + (fresh.timestamps - start.timestamp()) * STEP_S / 60,
        )
        rows = self.warehouse.predictions(MODEL, start - timedelta(days=1), start)
        self.warehouse.give(MODEL, joined(rows, within))
        self.clock.move(STEP_S)

    def to_the_end(self) -> str:
        """What people, time and detached work do until every incident rests, from any state.

        Whoever is told that the ledger does not answer tries again, after the leases ran out.
        """
        for _ in range(80):
            if self.refused or self.leases_stay:
                self._leases_run_out()
            try:
                status = self._one_round()
            except UnavailableError as error:
                self.refused.append(error)
                continue
            if status in ENDED:
                return status
        raise AssertionError(f"never came to rest: {self.service.incidents()}")

    def _leases_run_out(self) -> None:
        with closing(sqlite3.connect(self.home / "ledger.db", timeout=0.05)) as connection:
            try:
                connection.execute("UPDATE leases SET until = 0")
                connection.execute("UPDATE outbox SET claimed_until = 0")
                connection.commit()
            except sqlite3.OperationalError:
                return  # what keeps others from writing keeps this one, too

    def _one_round(self) -> str:
        incident_id = self._incident()
        self.work()
        case = self.case(incident_id)
        if case.incident.status in ENDED:
            self.work()
            return case.incident.status
        if case.pending and self._is_passed_by(case.pending[0]):
            self.time_passes()
        elif case.pending:
            self._answer(case.pending[0])
        elif not self._work_ends(case):
            self.time_passes()
        return case.incident.status

    def _answer(self, approval: Approval) -> None:
        """Somebody approves; of a scaling somebody else wants less first."""
        if self.kind == "scale_infrastructure" and not approval.revision:
            less = {"replicas": 2}
            self.service.edit(approval.approval_id, less, actor="tom", via="cli")
        else:
            self.service.decide(approval.approval_id, "approve", actor="mia", via="cli")

    def _is_passed_by(self, approval: Approval) -> bool:
        """Where production moves while a person thinks, they see so and wait for the new plan."""
        if self.kind != "moved":
            return False
        if self.models.serving[MODEL] == "1":
            self.serve("0")
        return approval.proposal.precondition.equals != self.models.serving[MODEL]

    def _incident(self) -> str:
        known = self.service.incidents()
        return known[0].incident_id if known else self.report()

    def _work_ends(self, case) -> bool:
        """The detached process claims its work and writes the result."""
        for effect in case.effects:
            work = self.unwritten.get(effect.key) or self.ports.work.claim(effect.key)
            if work is not None:
                self.unwritten[effect.key] = work  # its process tries again to write the result
                self.ports.work.finish(
                    effect.key, error=None, result=self._result(work.action), at=self.clock.now()
                )
                del self.unwritten[effect.key]
                return True
        return False

    def _result(self, action: Action) -> dict[str, object]:
        if not isinstance(action, RetrainModel):
            return {"summary": "done"}
        trial = Trial(
            metric="f1",
            candidate=0.93,
            incumbent=0.80,
            baseline=0.93,
            holdout_rows=action.holdout_rows,
            holdout_positives=2500,
            holdout_sha256=action.holdout_sha256,
            candidate_version="2",
        )
        return {"summary": "trained", "version": "2", "trial": trial.model_dump(mode="json")}
