"""What is away for a while, or dies at the worst moment, takes neither guard nor approval along."""

import os
import signal
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from agentops_graph import handover
from agentops_graph.domain.component import HealthWindow
from agentops_graph.domain.ledger import Version
from agentops_graph.errors import ConflictError, UnavailableError
from agentops_graph.faults import arm, disarm
from agentops_graph.runner import Runner
from tests.desk import MODEL, NOON, Desk
from tests.invariants import violations
from tests.test_health_window import traffic_passes
from tests.test_loop import deployed

pytestmark = pytest.mark.slow

ROLLBACK = (("rollback_model", 1, None),)


class Died(BaseException):
    """Stands for a death in this process: nothing catches it."""


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "home"
    disarm()


def dies():
    raise Died


def away(*_given, **_named):
    raise UnavailableError("it is being restarted")


def in_another_life(work):
    """The process that does this work, as far as it comes."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status) or os.WIFSIGNALED(status)
    return pid


def with_lease(home, lease_s):
    desk = Desk(home, plan=ROLLBACK)
    desk.runner = Runner(
        desk.ports, desk.runner.graph, kind="desk", lease_s=lease_s, public_url="http://x"
    )
    return desk


def approved(desk):
    incident = desk.report()
    desk.work()
    desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
    return incident


def killed_in_its_call(home):
    """An intent whose writer is dead, of an action that nobody carried out."""

    def work():
        desk = Desk(home, plan=ROLLBACK)
        approved(desk)
        arm("effect.before_call", lambda: os.kill(os.getpid(), signal.SIGKILL))
        desk.work()

    in_another_life(work)
    desk = Desk(home, plan=ROLLBACK)
    (incident,) = desk.ports.log.listed()
    return desk, incident.incident_id


def test_one_that_acts_after_the_probe_and_dies_then_is_not_taken_for_one_that_never_acted(home):
    def work():
        desk = with_lease(home, 3)
        approved(desk)
        arm("effect.before_call", lambda: os.kill(os.getpid(), signal.SIGSTOP))
        arm("effect.after_call", lambda: os.kill(os.getpid(), signal.SIGKILL))
        desk.work()

    stopped = in_another_life(work)

    def wakes():
        os.kill(stopped, signal.SIGCONT)
        os.waitpid(stopped, 0)

    desk = with_lease(home, 15)
    arm("effect.after_probe", wakes)
    while desk.ports.effects.find("A-1:do").state == "intent":
        desk.work()  # until the lease of the silent one has run out
    assert desk.actuator.keys == ["A-1:do"]
    assert desk.ports.effects.find("A-1:do").state == "unknown"
    assert violations(home) == []


def test_an_intent_that_nobody_can_settle_is_reconciled_by_a_person(home):
    desk, incident = killed_in_its_call(home)
    desk.actuator.probe = lambda _action, *, key: 1 / 0
    desk.work()
    case = desk.case(incident)
    assert (case.incident.status, case.incident.needs_reconcile) == ("escalated", True)
    assert violations(home) == []
    del desk.actuator.probe
    desk.service.reconcile("A-1:do", False, actor="mia", note="the alias never moved")
    desk.service.retry(incident, actor="mia")
    desk.work()
    desk.approve(incident)
    assert desk.actuator.keys == ["A-2:do"]


def test_a_guard_outlives_a_warehouse_that_is_away_for_minutes(home):
    desk = Desk(home)
    component = desk.ports.components[MODEL]
    health = HealthWindow(seconds=900, every_s=30)
    desk.ports.components[MODEL] = component.model_copy(update={"health": health})
    incident = deployed(desk)
    desk.minutes_pass(0.4)
    there = desk.warehouse.predictions
    desk.warehouse.predictions = away
    for _ in range(40):
        desk.clock.move(10)
        desk.work()
    desk.warehouse.predictions = there
    assert desk.case(incident).incident.status == "verifying"
    desk.minutes_pass(4, failed=0.5)
    assert desk.actuator.keys[-1] == "A-2:undo"
    assert desk.models.serving[MODEL] == "1"


def test_an_approved_action_outlives_checkpoints_that_cannot_be_written(home, monkeypatch):
    desk = Desk(home, plan=ROLLBACK)
    incident = approved(desk)
    with monkeypatch.context() as trouble:
        trouble.setattr(type(desk.saver), "put", away)
        for _ in range(25):
            desk.clock.move(1)
            desk.work()
    desk.minutes_pass(3)
    assert desk.case(incident).incident.status == "resolved"
    assert desk.actuator.keys == ["A-1:do"]


def deployed_and_died(home):
    desk = Desk(home)
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.training_ends(incident)
    desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
    arm("effect.after_call", dies)
    with pytest.raises(Died):
        desk.work()
    disarm()
    return desk, incident


def test_the_window_of_what_a_probe_saw_began_with_the_intent(home):
    desk, _ = deployed_and_died(home)
    traffic_passes(desk, 2)
    desk.clock.move(5 * 3600)
    desk.work()
    desk.minutes_pass(1, failed=0.5)
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]  # hours after the window nothing is undone


def test_a_breach_in_the_window_of_what_a_probe_saw_is_found(home):
    desk, _ = deployed_and_died(home)
    traffic_passes(desk, 1, failed=0.5)
    desk.clock.move(5 * 3600)
    desk.work()
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]


def test_an_edit_beside_a_hand_over_leaves_nothing_to_approve(home, monkeypatch):
    desk = Desk(home, plan=ROLLBACK)
    oldest = Version(model=MODEL, version="00", created_at=NOON - timedelta(days=90))
    desk.models._versions[MODEL, "00"] = oldest
    incident = desk.report()
    desk.work()
    others = Desk(home, plan=ROLLBACK)
    others.models._versions[MODEL, "00"] = oldest
    outcome = []

    def edits():
        try:
            others.service.edit("A-1", {"to_version": "00"}, actor="bo", via="cli")
        except ConflictError as error:
            outcome.append(error)

    beside = threading.Thread(target=edits)
    real = handover.resolution_of

    def meanwhile(*given):
        beside.start()
        return real(*given)

    monkeypatch.setattr(handover, "resolution_of", meanwhile)
    handover.hand_to_person(replace(desk.ports), incident, "a test says so")
    beside.join()
    assert len(outcome) == 1
    assert [a.status for a in desk.case(incident).approvals] == ["withdrawn"]
    assert violations(home) == []
