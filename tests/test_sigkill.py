"""A process is killed at the worst moments; the next one carries on and does nothing twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk import Desk

CHILD = """
import os, signal, sys
from pathlib import Path
from tests.desk import Desk, ModelActuator

home, where = Path(sys.argv[1]), sys.argv[2]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(ModelActuator):
    def carry_out(self, action, *, key, incident_id):
        if where == "before the call":
            die()
        receipt = super().carry_out(action, key=key, incident_id=incident_id)
        if where == "after the call":
            die()
        return receipt

desk = Desk(home)
desk.actuator = Dying(desk, home / "effects.txt")
desk.open()
incident = desk.report()
if where == "before the first step":
    die()
desk.work()
if where == "while waiting":
    die()
desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
if where == "after the decision":
    die()
desk.work()
raise SystemExit("was not killed")
"""


def killed(home: Path, where: str) -> None:
    """Runs an incident in a process of its own until it is killed there."""
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home), where],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_before_the_first_step_the_incident_is_still_investigated(tmp_path):
    killed(tmp_path / "home", "before the first step")
    desk = Desk(tmp_path / "home")
    (incident,) = desk.service.incidents()
    desk.work()
    assert desk.case(incident.incident_id).incident.status == "awaiting_approval"


def test_killed_while_waiting_it_can_still_be_approved(tmp_path):
    killed(tmp_path / "home", "while waiting")
    desk = Desk(tmp_path / "home")
    (incident,) = desk.service.incidents(open_only=True)
    desk.approve(incident.incident_id)
    assert desk.actuator.keys == ["A-1:do"]


def test_killed_after_the_decision_the_next_runner_carries_it_out_once(tmp_path):
    killed(tmp_path / "home", "after the decision")
    desk = Desk(tmp_path / "home")
    assert desk.actuator.keys == []
    desk.work()
    desk.work()
    assert desk.actuator.keys == ["A-1:do"]


@pytest.mark.parametrize("where", ["before the call", "after the call"])
def test_killed_around_the_call_the_action_happens_once(tmp_path, where):
    killed(tmp_path / "home", where)
    desk = Desk(tmp_path / "home")
    (incident,) = desk.service.incidents(open_only=True)
    desk.work()
    assert desk.actuator.keys == ["A-1:do"]
    (effect,) = desk.case(incident.incident_id).effects
    assert effect.state == "done"
    assert desk.ports.audit.verify() is None


def test_killed_around_the_call_and_nobody_can_tell_a_person_has_to(tmp_path):
    killed(tmp_path / "home", "before the call")
    desk = Desk(tmp_path / "home")
    desk.actuator.probe = lambda action, *, key: "unknown"
    desk.work()
    assert desk.actuator.keys == []
    (effect,) = desk.service.to_reconcile()
    assert desk.case(effect.incident_id).incident.needs_reconcile
