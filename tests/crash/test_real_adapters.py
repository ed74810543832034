"""The adapters that really change something, killed in the middle: at most one effect, and the
next process can tell."""

import os
import signal
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from agentops_graph import faults
from agentops_graph.adapters import subprocess_actuator
from agentops_graph.adapters.memory import FixedModels, SteppingClock
from agentops_graph.adapters.sqlalchemy_ledger import Database
from agentops_graph.adapters.subprocess_actuator import SubprocessActuator
from agentops_graph.domain.action import DeployModel, RerunPipeline, RollbackModel
from agentops_graph.domain.approval import Proposal
from agentops_graph.domain.component import Component
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.policy import Policy
from agentops_graph.effects import carry_out
from tests.contracts.desk import AT, KEY, POLICY, after, sql_desk
from tests.invariants import violations
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

MODEL = "fraud-detector"
MOMENTS = ["effect.after_intent", "actuator.inside", "effect.after_call"]


class Case:
    """An approved action, and the executor with a real adapter, as each process opens it."""

    def __init__(self, home, action, actuator):
        self.home, self.action, self._actuator = home, action, actuator
        self.database = Database(f"sqlite:///{home / 'ledger.db'}", audit_key=KEY)
        self.desk = sql_desk(self.database)

    def approve(self):
        incident = self.desk.report(MODEL).incident_id
        proposal = Proposal(
            approval_id="new", incident_id=incident, plan_number=0, step=0, action=self.action
        )
        asked = self.desk.approvals.propose(
            proposal, policy=POLICY, reason="a test", notes=(), at=AT
        )
        self.desk.decide(asked)
        self.desk.incidents.update(incident, status="acting")

    def carry_out(self):
        approval = self.desk.approvals.get("A-1")
        lease = self.desk.leases.acquire(approval.proposal.incident_id, "runner", 60)
        try:
            return carry_out(self._ports(lease), approval)
        finally:
            self.desk.leases.release(lease)

    def _ports(self, lease):
        versions = [Version(model=MODEL, version=v, created_at=AT) for v in ("1", "2")]
        return SimpleNamespace(
            clock=SteppingClock(after(120)),
            policy=Policy(),
            approvals=self.desk.approvals,
            effects=self.desk.effects,
            leases=self.desk.leases,
            models=FixedModels(versions, serving={MODEL: "1"}),
            actuators={self.action.action: self._actuator(self.desk)},
            lease=lease,
        )

    def killed(self, point):
        """Carries it out in a forked process that is killed there."""
        self.database.close()  # what a fork must not share
        child = os.fork()
        if child == 0:
            faults.arm(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
            try:
                Case(self.home, self.action, self._actuator).carry_out()
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL

    def broken(self):
        """Violations, but for the incident's own end: the executor alone runs here."""
        return [v for v in violations(self.home, audit_key=KEY) if "will bring a runner" not in v]


@pytest.fixture
def store(mlflow_store):  # noqa: F811 - the fixture
    client = mlflow_store.client()
    client.create_registered_model(MODEL)
    client.create_model_version(MODEL, "nowhere/1")
    client.create_model_version(MODEL, "nowhere/2")
    client.set_registered_model_alias(MODEL, "production", "1")
    return mlflow_store


@QUIET
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("point", MOMENTS)
@pytest.mark.parametrize(
    "action",
    [DeployModel(model=MODEL, version="2"), RollbackModel(model=MODEL, to_version="2")],
    ids=["deploy", "rollback"],
)
def test_a_swap_in_the_registry_happens_once(store, point, action):
    from agentops_graph.adapters.mlflow_registry import MlflowActuator, MlflowModels, MlflowStore

    moves = store.home / "moves.txt"

    class Counting:
        """The real client; every move of the production alias is written down."""

        def __init__(self, client):
            self._client = client

        def __getattr__(self, name):
            return getattr(self._client, name)

        def set_registered_model_alias(self, name, alias, version):
            self._client.set_registered_model_alias(name, alias, version)
            if alias == "production":
                with moves.open("a") as record:
                    record.write(f"{version}\n")

    def actuator(_desk):
        opened = MlflowStore(None, store.home)
        opened._client = Counting(opened.client())
        return MlflowActuator(opened)

    case = Case(store.home, action, actuator)
    case.approve()
    case.killed(point)
    effect = case.carry_out()
    assert effect.state == "done"
    assert case.carry_out() == effect
    assert moves.read_text().split() == ["2"]
    assert MlflowModels(store).production(MODEL).version == "2"
    assert case.broken() == []


# Stands in for the interpreter that does the work: claims it, as `agentops_graph.jobs` does.
WORKER = """#!{python}
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerWork
key, home = sys.argv[-1], Path({home!r})
if LedgerWork(Database(f"sqlite:///{{home / 'ledger.db'}}", audit_key={key!r})).claim(key):
    with (home / "worked.txt").open("a") as record:
        record.write(key + chr(10))
"""


@pytest.mark.parametrize("point", MOMENTS)
def test_detached_work_is_done_once(folder, monkeypatch, point):
    root = os.getcwd()
    worker = folder / "worker"
    worker.write_text(WORKER.format(python=sys.executable, root=root, home=str(folder), key=KEY))
    worker.chmod(0o755)
    monkeypatch.setattr(subprocess_actuator.sys, "executable", str(worker))
    now = datetime(2026, 3, 1, tzinfo=UTC)
    component = Component(name="orders", kind="pipeline", entry_points={"rerun_pipeline": "t:run"})
    opened = []

    def actuator(desk):
        made = SubprocessActuator(
            desk.work, components={"orders": component}, home=folder, environment=dict(os.environ)
        )
        opened.append(made)
        return made

    case = Case(
        folder, RerunPipeline(pipeline="orders", window_from=now, window_until=now), actuator
    )
    case.approve()
    case.killed(point)
    effect = case.carry_out()
    for child in (child for made in opened for child in made._started):
        child.wait(timeout=240)
    assert effect.state == "done"
    until_worked(folder / "worked.txt")
    assert (folder / "worked.txt").read_text().split() == ["A-1:do"]
    assert case.broken() == []


def until_worked(record):
    """The worker that a killed process started has no parent here to wait for."""
    patience_ends = time.monotonic() + 60
    while not record.exists():
        assert time.monotonic() < patience_ends, "nobody did the work"
        os.sched_yield()
