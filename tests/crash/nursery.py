"""A process that has loaded everything and holds nothing open; each life on a folder is a fork.

Orders come as JSON lines on standard input, answers go out the same way.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from agentops_graph import faults
from tests.crash.trouble import starved
from tests.crash.world import World
from tests.invariants import violations

ROOT = Path(__file__).parent.parent.parent
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Nursery:
    """The test's side of it."""

    def __enter__(self):
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        self._child.stdin.close()
        self._child.wait(timeout=240)
        self._child.stdout.close()

    def live(self, home, kind, point=None, nth=1, *, end="SIGKILL", lease_s=15.0):
        """One life on the folder, ended by a signal at the nth passing of the point, if it comes
        there; else it goes on until the incident rests, and then everything is checked."""
        order = {"home": str(home), "kind": kind, "point": point, "nth": nth}
        return self._asked(order | {"end": end, "lease_s": lease_s})

    def starve(self, home, kind, how=None, first=0):
        """One life on an empty folder, to its end; `how` says which trouble writes have, from the
        `first` on."""
        return self._asked({"starve": [str(home), kind, how, first]})

    def go_on(self, pid):
        """Wakes a life that was stopped; what it says when it ends."""
        return self._asked({"go_on": pid})

    def _asked(self, order):
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())


def serve() -> None:
    answers: dict[int, int] = {}
    warm()
    for line in sys.stdin:
        order = json.loads(line)
        if "go_on" in order:
            pid = order["go_on"]
            os.kill(pid, signal.SIGCONT)
        else:
            pid, answers[pid] = born(order)
        print(json.dumps(seen(pid, answers)), flush=True)


def warm() -> None:
    """One whole story, so that no life pays for what is made at the first use."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "home", kind="undo")
        world.to_the_end()
        world.saver.conn.close()
        world.ports.incidents._db.close()


def born(order: dict) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        lived(order, writing)
    os.close(writing)
    return pid, reading


def seen(pid: int, answers: dict[int, int]) -> dict:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"stopped": pid}
    with os.fdopen(answers.pop(pid)) as answer:
        said = answer.read()
    return {"killed": True} if os.WIFSIGNALED(status) else json.loads(said)


def lived(order: dict, writing: int) -> None:
    """The forked process; never returns."""
    starve = order.get("starve")
    try:
        said = starved(Path(starve[0]), *starve[1:]) if starve else life(order)
    except BaseException as error:  # noqa: BLE001 - the test reads what it was
        said = {"killed": False, "error": f"{error!r}\n{traceback.format_exc()}"}
    with os.fdopen(writing, "w") as answer:
        answer.write(json.dumps(said))
    os._exit(0)


def life(order: dict) -> dict:
    home, passed = Path(order["home"]), Counter()
    end = getattr(signal, order["end"])

    def passing(name):
        passed[name] += 1
        if name == order["point"] and passed[name] == order["nth"]:
            os.kill(os.getpid(), end)

    for name in faults.POINTS:
        faults.arm(name, lambda name=name: passing(name))
    world = World(home, kind=order["kind"], lease_s=order["lease_s"])
    return {
        "killed": False,
        "status": world.to_the_end(),
        "passed": dict(passed),
        "violations": violations(home),
        "carried_out": world.actuator.keys,
    }


if __name__ == "__main__":
    serve()
