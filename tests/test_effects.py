"""The executor carries out an approved action at most once, whatever dies in between."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest

from agentops_graph.adapters.memory import (
    FixedModels,
    RecordingActuator,
    ShelfInMemory,
    SteppingClock,
    WarehouseInMemory,
)
from agentops_graph.adapters.silent_tracker import SilentTracker
from agentops_graph.adapters.sqlalchemy_ledger import Database
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.policy import Policy
from agentops_graph.effects import carry_out
from agentops_graph.errors import ConflictError, RefusedError
from agentops_graph.ports import Ports
from tests.contracts.desk import AT, KEY, Desk, after, sql_desk

MODEL = "fraud-detector"
VERSIONS = [Version(model=MODEL, version=v, created_at=AT) for v in ("1", "2", "3")]


@dataclass
class Shop:
    """One approved deployment of version 2 over version 1, and what the executor is given."""

    desk: Desk
    actuator: RecordingActuator
    models: FixedModels
    url: str
    record: str
    approval: object
    lease: object

    def carry_out(self, direction="do"):
        return carry_out(self.ports, self.approval, direction)

    @property
    def ports(self):
        nothing = WarehouseInMemory({})
        return Ports(
            **vars(self.desk),
            clock=SteppingClock(after(120)),
            policy=Policy(),
            components={},
            approval_log=self.desk.approvals,
            warehouse=nothing,
            history=nothing,
            shelf=ShelfInMemory(),
            reasoner=EvidenceWeights(),
            models=self.models,
            actuators={"deploy_model": self.actuator, "rollback_model": self.actuator},
            tracker=SilentTracker(),
            notifiers={},
            lease=self.lease,
        )

    def next_lease(self, holder="runner-2"):
        self.lease = self.desk.leases.acquire(self.approval.proposal.incident_id, holder, 600)
        assert self.lease is not None


@pytest.fixture
def shop(tmp_path):
    url, record = f"sqlite:///{tmp_path}/ledger.db", tmp_path / "carried_out"
    database = Database(url, audit_key=KEY)
    desk = sql_desk(database)
    approval, lease = desk.approved(MODEL)
    models = FixedModels(VERSIONS, serving={MODEL: "1"})
    yield Shop(desk, RecordingActuator(record), models, url, str(record), approval, lease)
    database.close()


def test_an_approved_action_is_carried_out_and_recorded(shop):
    effect = shop.carry_out()
    assert (effect.state, effect.receipt.reference) == ("done", "deploy_model A-1:do")
    assert shop.actuator.keys == ["A-1:do"]
    assert shop.desk.effects.find("A-1:do") == effect


def test_carrying_out_again_gives_the_first_result_and_calls_nobody(shop):
    first = shop.carry_out()
    shop.models.serving[MODEL] = "2"
    assert shop.carry_out() == first
    assert shop.actuator.keys == ["A-1:do"]


def test_an_actuator_that_says_nothing_was_done_makes_a_failed_effect(shop):
    shop.actuator.refusal = "the registry refused the alias"
    effect = shop.carry_out()
    assert (effect.state, effect.error) == ("failed", "the registry refused the alias")
    assert shop.actuator.keys == []


def test_a_lost_answer_makes_an_unknown_effect_that_is_never_repeated(shop):
    shop.actuator.loses_answers = True
    assert shop.carry_out().state == "unknown"
    shop.actuator.loses_answers = False
    assert shop.carry_out().state == "unknown"
    assert shop.actuator.keys == ["A-1:do"]


def test_nobody_acts_without_a_lease(shop):
    shop.lease = None
    with pytest.raises(RefusedError, match="lease"):
        shop.carry_out()
    assert shop.desk.effect_log.listed() == []


def test_a_runner_that_lost_its_lease_stops_and_calls_nobody(shop):
    lost = shop.lease
    shop.desk.leases.release(lost)
    shop.next_lease()
    shop.lease = lost
    with pytest.raises(ConflictError, match="another runner"):
        shop.carry_out()
    assert shop.actuator.keys == []
    assert shop.desk.effect_log.listed() == []


def test_an_action_is_refused_when_production_is_not_what_was_approved_for(shop):
    shop.models.serving[MODEL] = "3"
    with pytest.raises(RefusedError, match="was 1 when this was approved and is 3 now"):
        shop.carry_out()
    assert shop.actuator.keys == []
    assert shop.desk.effect_log.listed() == []


def test_a_refusal_of_the_ledger_calls_nobody(shop):
    shop.desk.switches.pause_actions(everything=False, by="mia", at=after(100))
    with pytest.raises(RefusedError, match="paused"):
        shop.carry_out()
    assert shop.actuator.keys == []


def test_an_undo_runs_while_production_is_what_the_approval_put_there(shop):
    shop.carry_out()
    shop.models.serving[MODEL] = "2"
    undone = shop.carry_out("undo")
    assert (undone.key, undone.state) == ("A-1:undo", "done")
    assert shop.actuator.keys == ["A-1:do", "A-1:undo"]
    assert shop.carry_out("undo") == undone
    assert shop.actuator.keys == ["A-1:do", "A-1:undo"]


def test_an_undo_is_refused_when_someone_else_has_changed_production(shop):
    shop.carry_out()
    shop.models.serving[MODEL] = "3"
    with pytest.raises(RefusedError, match="production is 3 and not 2"):
        shop.carry_out("undo")
    assert shop.actuator.keys == ["A-1:do"]


def test_an_undo_that_was_never_approved_is_refused(shop):
    shop.carry_out()
    bare = shop.approval.proposal.model_copy(update={"undo": None})
    of_bare = {"proposal": bare, "digest": bare.digest}
    shop.approval = shop.approval.model_copy(update=of_bare)
    with pytest.raises(RefusedError, match="approved no undo"):
        shop.carry_out("undo")


# A runner in a process of its own: it writes the intent, calls the actuator or not, and dies.
RUNNER = """
import os, signal, sys
from pathlib import Path
from agentops_graph.adapters.memory import RecordingActuator
from agentops_graph.adapters.sqlalchemy_ledger import Database
from tests.contracts.desk import KEY, sql_desk

url, record, what = sys.argv[1:]
desk = sql_desk(Database(url, audit_key=KEY))
approval = desk.approvals.get("A-1")
lease = desk.leases.acquire(approval.proposal.incident_id, "runner-1", 600)
effect = desk.begin(approval, lease)
if "call" in what:
    RecordingActuator(Path(record)).carry_out(
        approval.proposal.action, key=effect.key, incident_id=effect.incident_id
    )
print("ready", flush=True)
if "exit" in what:
    os._exit(1)
signal.pause()
"""


def runner(shop, what):
    shop.desk.leases.release(shop.lease)
    child = subprocess.Popen(
        [sys.executable, "-c", RUNNER, shop.url, shop.record, what],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "ready\n"
    return child


def end(child):
    child.kill()
    child.wait(timeout=30)
    child.stdout.close()


@pytest.mark.parametrize("way", ["exit", "kill"])
def test_after_a_crash_before_the_call_the_action_is_carried_out_once(shop, way):
    child = runner(shop, way)
    if way == "kill":
        os.kill(child.pid, signal.SIGKILL)
    child.wait(timeout=30)
    end(child)
    shop.next_lease()
    effect = shop.carry_out()
    assert (effect.state, effect.lease_token) == ("done", shop.lease.token)
    assert shop.carry_out() == effect
    assert shop.actuator.keys == ["A-1:do"]
    assert "effect.retaken" in shop.desk.said_in_audit()


def test_after_a_crash_behind_the_call_the_action_is_not_repeated(shop):
    end(runner(shop, "call, wait"))
    shop.next_lease()
    effect = shop.carry_out()
    assert (effect.state, effect.error) == ("done", "seen by probe after a crash")
    assert shop.actuator.keys == ["A-1:do"]


def test_while_the_writer_of_an_intent_lives_nobody_acts_in_its_place(shop):
    child = runner(shop, "wait")
    try:
        overtake(shop)
        effect = shop.carry_out()
        assert (effect.state, effect.error) == ("unknown", "a crash left the outcome unknown")
        assert shop.actuator.keys == []
    finally:
        end(child)


def overtake(shop):
    """The lease of a runner that is slow, and not dead, runs out; another takes over."""
    left = shop.desk.effects.find("A-1:do")
    held = shop.lease.model_copy(update={"token": left.lease_token})
    assert shop.desk.leases.renew(held, 0)
    shop.next_lease()


def test_a_target_that_enforces_the_key_is_called_again_though_the_writer_may_live(shop):
    child = runner(shop, "wait")
    try:
        overtake(shop)
        shop.actuator.enforces_key = True
        assert shop.carry_out().state == "done"
        assert shop.actuator.keys == ["A-1:do"]
    finally:
        end(child)


def test_the_answer_of_a_runner_that_was_overtaken_changes_nothing(shop):
    end(runner(shop, "wait"))
    old = shop.desk.effects.find("A-1:do").lease_token
    shop.next_lease()
    done = shop.carry_out()
    late = shop.desk.effects.finish("A-1:do", old, "failed", at=after(500), error="too late")
    assert late == done
    assert shop.desk.said_in_audit()[-1] == "effect.late_result"
