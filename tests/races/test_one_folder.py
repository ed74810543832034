"""Several real processes on one data folder: a monitor, runners, and people at the terminal."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.frames import Change
from agentops_graph.settings import read_settings
from tests.invariants import violations

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
AGENTOPS = [sys.executable, "-m", "agentops_graph.cli"]
COMPONENTS = """
components:
  - name: support-bot
    kind: agent
    entry_points:
      scale_infrastructure: tests.races.entry:scale
"""
RUNBOOK = """---
title: Too few replicas
serves: [provider_outage]
causes:
  - cause: too_few_replicas
    title: Requests fail because too few replicas serve them
    section: "1"
    prior: 0.9
    signals:
      - {signal: errors_high, seen: 3.0, absent: 2.0}
      - {signal: "change:traffic_shift", seen: 4.0, absent: 2.0}
    actions:
      - {action: send_slack_alert, priority: 1}
      - {action: scale_infrastructure, priority: 2}
---

# Too few replicas

## 1. What it looks like

Requests fail while the provider is well.
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "components.yaml").write_text(COMPONENTS)
    runbooks = tmp_path / "runbooks"
    runbooks.mkdir()
    (runbooks / "too_few_replicas.md").write_text(RUNBOOK)
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    monkeypatch.setenv("AGENTOPS_HOME", str(home))
    monkeypatch.setenv("AGENTOPS_RUNBOOKS", str(runbooks))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return home


def fill_warehouse(workshop):
    """An agent whose requests fail since half an hour."""
    now = datetime.now(UTC)
    rows = [
        requests(now - timedelta(minutes=minutes), error_rate=0.3 if minutes < 30 else 0.01)
        for minutes in range(1, 480)
    ]
    workshop.ports.warehouse.write("AGENT_METRICS", rows)
    shift = Change(
        at=now - timedelta(minutes=31),
        subject="support-bot",
        kind="traffic_shift",
        summary="twice the requests since a campaign began",
    )
    workshop.ports.history.record_change(shift)


def requests(at, error_rate):
    return {
        "agent_name": "support-bot",
        "timestamp": at,
        "requests": 100,
        "latency_p95": 300,
        "cost_per_request": 0.01,
        "error_rate": error_rate,
    }


def resolved_with_fresh_data(workshop, incident_id):
    """What came of the incident; while nothing did, one more healthy row is logged."""
    resolution = workshop.service.case(incident_id).resolution
    if resolution is None:
        row = requests(datetime.now(UTC), error_rate=0.01)
        workshop.ports.warehouse.write("AGENT_METRICS", [row])
    return resolution


def started(*args):
    return subprocess.Popen(
        [*AGENTOPS, *args], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def eventually(look, seconds=400):
    pause, patience = threading.Event(), seconds
    while patience > 0:
        if found := look():
            return found
        pause.wait(0.2)
        patience -= 0.2
    raise AssertionError("it never came to that")


def told_to_end(processes):
    for process in processes:
        process.send_signal(signal.SIGTERM)
    ends = [(process.communicate(timeout=240)[0], process.returncode) for process in processes]
    assert [code for _, code in ends] == [0] * len(ends), ends


@pytest.mark.slow
def test_monitors_runners_and_people_make_one_incident_and_one_effect(home):
    workshop = Workshop(read_settings(home=home))
    fill_warehouse(workshop)
    service = workshop.service
    monitors = [started("monitor", "--every", "0.2") for _ in range(2)]
    runners = [started("work") for _ in range(2)]
    try:
        (approval,) = eventually(service.approvals)
        # Those of the last hour would be an incident of their own once this one is resolved.
        told_to_end(monitors)
        people = [
            started("approve", approval.approval_id, "--no-run", "--as", name)
            for name in ("mia", "tom", "ann")
        ]
        said = [person.communicate(timeout=240)[0] for person in people]
        assert sorted(person.returncode for person in people) == [0, 4, 4], said
        incident_id = approval.proposal.incident_id
        eventually(lambda: resolved_with_fresh_data(workshop, incident_id))
        told_to_end(runners)
    finally:
        for process in (*monitors, *runners):
            process.kill()
            process.communicate()
    assert (home / "effects.txt").read_text().split() == [f"{approval.approval_id}:do"]
    assert [i.incident_id for i in service.incidents()] == [incident_id]
    assert [e.state for e in service.case(incident_id).effects] == ["done"]
    assert violations(home, audit_key=(home / "audit.key").read_bytes()) == []


# Upstream's saver switches a file to WAL at each opening; with others at work that is refused.
OPENER = """
import os, sys
from pathlib import Path
from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.adapters.sqlalchemy_ledger import Database

home = Path(sys.argv[1])
def work(number):
    for turn in range(30):
        Database(f"sqlite:///{home / 'ledger.db'}", audit_key=b"k").close()
        saver = open_checkpoints(home / "checkpoints.db", patience_s=60)
        own = {"configurable": {"thread_id": str(number), "checkpoint_ns": ""}}
        kept = {"v": 1, "id": f"{turn:04}", "ts": "", "channel_values": {},
                "channel_versions": {}, "versions_seen": {}}
        saver.put(own, kept, {}, {})
        saver.conn.close()
children = []
for number in range(6):
    pid = os.fork()
    if pid == 0:
        try:
            work(number)
        except BaseException as error:
            print(number, repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    children.append(pid)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
"""


def test_processes_that_open_one_folder_in_the_same_moment_do_not_lock_each_other_out(home):
    done = subprocess.run(
        [sys.executable, "-c", OPENER, str(home)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with sqlite3.connect(home / "checkpoints.db") as kept:
        assert kept.execute("select count(*) from checkpoints").fetchone() == (180,)
