"""Incidents of many components through several runner processes that are killed at random.

    python -m tests.races.soak HOME INCIDENTS SEED

The program opens nothing before it forks, and forks the next runner the moment it killed one. One
more process is the people: it reports the incidents, decides every approval at random, and ends
when nothing is left to do. What came of it is HOME/soak.json.
"""

import json
import os
import random
import resource
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.adapters.memory.outside import (
    CollectingNotifier,
    FixedModels,
    RecordingActuator,
    ScriptedReasoner,
    ShelfInMemory,
)
from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.adapters.silent_tracker import SilentTracker
from agentops_graph.adapters.sqlalchemy_ledger import Database, ledger_ports
from agentops_graph.adapters.system_clock import SystemClock
from agentops_graph.domain.component import Component, HealthWindow
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.policy import Policy
from agentops_graph.errors import ConflictError
from agentops_graph.gathering.rows import picked
from agentops_graph.graph import build_graph
from agentops_graph.ports import Ports
from agentops_graph.runner import Runner
from agentops_graph.service import Service
from tests.desk import NOON, NOTICE_KINDS, diagnosis, profile, traffic

RUNNERS = 4
KILL_EVERY_S = (0.5, 3.0)
# A shift is measured again at once and ends resolved; what follows a rejection ends with a person.
PLAN = (
    ("send_slack_alert", 1, None),
    ("shift_traffic", 2, None),
    ("scale_infrastructure", 3, "shift_traffic rejected"),
)
# Long enough that a runner comes by three times, however many others wait for it.
HEALTH = HealthWindow(seconds=60, every_s=20)
ACTIONS = ("shift_traffic", "scale_infrastructure")
KEY = b"test key"


class LiveWarehouse(WarehouseInMemory):
    """Every component's traffic is broken until something was done for it, however short the time
    asked about; from then on it is of the version that is asked about, and grows."""

    def __init__(self, healed, **given):
        super().__init__({}, **given)
        self._healed = healed
        self._rows = {
            broken: traffic(NOON, 120, version="1", broken=broken, rows_a_minute=10)
            for broken in (True, False)
        }

    def predictions(self, model, since, until, *, version=None, labelled=False):
        is_broken = not (self._healed / model).exists()
        rows = self._rows[is_broken]
        count = min(len(rows), 600 + int((until - since).total_seconds()))
        rows = picked(rows, np.arange(len(rows)) < count)
        times = np.linspace(since.timestamp(), until.timestamp(), count, False)
        named = rows.version if is_broken or version is None else [version] * count
        self._predictions[model] = replace(rows, timestamps=times, version=named)
        return super().predictions(model, since, until, version=version, labelled=labelled)


class HealingActuator(RecordingActuator):
    """What it writes down has helped."""

    def __init__(self, home):
        super().__init__(home / "effects.txt")
        self._healed = home / "healed"

    def carry_out(self, action, *, key, incident_id):
        (self._healed / action.target.partition(":")[2]).touch()
        return super().carry_out(action, key=key, incident_id=incident_id)


def component_names(count):
    return [f"model-{number:04d}" for number in range(count)]


def ports_of(home, names):
    """One process's ports: the ledger is shared, the outside is rebuilt the same in each."""
    database = Database(f"sqlite:///{home / 'ledger.db'}", audit_key=KEY)
    healed = home / "healed"
    healed.mkdir(exist_ok=True)
    reference = traffic(NOON, 60, version="1", broken=False, seed=2)
    of_model = profile("1", reference, 0.93)
    versions = [
        Version(model=name, version=version, created_at=NOON - timedelta(days=30 - int(version)))
        for name in names
        for version in ("0", "1")
    ]
    warehouse = LiveWarehouse(
        healed, references=[of_model.model_copy(update={"model_name": n}) for n in names]
    )
    return Ports(
        clock=SystemClock(),
        policy=Policy(),
        components={name: Component(name=name, min_positives=20, health=HEALTH) for name in names},
        **ledger_ports(database),
        warehouse=warehouse,
        history=warehouse,
        shelf=ShelfInMemory(),
        reasoner=ScriptedReasoner(diagnosis(PLAN)),
        models=FixedModels(versions, dict.fromkeys(names, "1")),
        actuators=dict.fromkeys(ACTIONS, HealingActuator(home)),
        tracker=SilentTracker(),
        notifiers=dict.fromkeys(NOTICE_KINDS, CollectingNotifier()),
    )


def run(home, names):
    """A runner, until SIGTERM or the kill."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    runner = Runner(
        ports_of(home, names),
        build_graph(open_checkpoints(home / "checkpoints.db")),
        kind="soak",
        lease_s=15,
        public_url="http://127.0.0.1:8000",
    )
    runner.run(stop, every_s=0.05)


def be_the_people(home, names, rng):
    """Reports everything, then decides whatever is asked until nothing is open but escalations."""
    ports = ports_of(home, names)
    service = Service(ports)
    for name in names:
        claim = {
            "severity": "critical",
            "alert_type": "model_drift",
            "affected_component": name,
            "metrics": {"drift_score": 0.31},
            "timestamp": ports.clock.now().isoformat(),
            "summary": "drift 0.31",
        }
        service.raise_alert(claim, actor="monitor", via="python")
    while True:
        waiting = service.approvals()
        for approval in waiting:
            verdict = rng.choice(["approve", "reject"])
            try:
                service.decide(
                    approval.approval_id, verdict, actor="mia", via="python", reason="at random"
                )
            except ConflictError:
                continue  # the runner that gave the incident up withdrew it
        if not waiting:
            ends = Counter(i.status for i in service.incidents(limit=100_000))
            if set(ends) <= {"resolved", "escalated"}:
                return
            time.sleep(0.05)  # in a process of its own, beside four that work


def forked(work, *given):
    pid = os.fork()
    if pid:
        return pid
    try:
        work(*given)
    except BaseException:  # noqa: BLE001 - nothing may run on in a forked copy of this program
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def peak_mb(usage):
    return usage.ru_maxrss / 1024


def main(home, count, seed):
    names, rng = component_names(count), random.Random(seed)
    began, peaks, killed = time.monotonic(), [], 0
    people = forked(be_the_people, home, names, random.Random(seed + 1))
    runners = [forked(run, home, names) for _ in range(RUNNERS)]
    next_kill = began + 5
    while os.waitpid(people, os.WNOHANG) == (0, 0):
        time.sleep(0.05)
        if time.monotonic() < next_kill:
            continue
        next_kill = time.monotonic() + rng.uniform(*KILL_EVERY_S)
        place = rng.randrange(RUNNERS)
        os.kill(runners[place], signal.SIGKILL)
        peaks.append(peak_mb(os.wait4(runners[place], 0)[2]))
        runners[place] = forked(run, home, names)
        killed += 1
    took_s = time.monotonic() - began
    exits = []
    for pid in runners:
        os.kill(pid, signal.SIGTERM)
        _, status, usage = os.wait4(pid, 0)
        peaks.append(peak_mb(usage))
        exits.append(os.waitstatus_to_exitcode(status))
    seen = {
        "incidents": count,
        "took_s": round(took_s, 1),
        "per_s": round(count / took_s, 2),
        "killed": killed,
        "peak_mb": round(max(peaks)),
        "bare_mb": round(peak_mb(resource.getrusage(resource.RUSAGE_SELF))),
        "exits": exits,
    }
    (home / "soak.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    np.random.seed(0)
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
