"""Killed around a call whose outcome nobody can tell; see crash/ for every other moment."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.desk import Desk

CHILD = """
import os, signal, sys
from pathlib import Path
from tests.desk import Desk, ModelActuator

home = Path(sys.argv[1])

class Dying(ModelActuator):
    def carry_out(self, action, *, key, incident_id):
        os.kill(os.getpid(), signal.SIGKILL)

desk = Desk(home)
desk.actuator = Dying(desk, home / "effects.txt")
desk.open()
incident = desk.report()
desk.work()
desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
desk.work()
raise SystemExit("was not killed")
"""


def killed(home: Path) -> None:
    """Runs an incident in a process of its own until it is killed between intent and call."""
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_around_the_call_and_nobody_can_tell_a_person_has_to(tmp_path):
    killed(tmp_path / "home")
    desk = Desk(tmp_path / "home")
    desk.actuator.probe = lambda action, *, key: "unknown"
    desk.work()
    assert desk.actuator.keys == []
    (effect,) = desk.service.to_reconcile()
    assert desk.case(effect.incident_id).incident.needs_reconcile
