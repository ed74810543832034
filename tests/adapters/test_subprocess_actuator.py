"""Detached work is started once, outlives nobody's mistake, and says what is missing."""

import json
import sys
from datetime import UTC, datetime

import pytest

from agentops_graph.adapters import sqlalchemy_ledger as ledger
from agentops_graph.adapters import subprocess_actuator
from agentops_graph.adapters.subprocess_actuator import SubprocessActuator
from agentops_graph.domain.action import RerunPipeline, ScaleInfrastructure
from agentops_graph.domain.component import Component
from agentops_graph.errors import DidNotHappenError, UnavailableError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RERUN = RerunPipeline(pipeline="orders", window_from=NOW, window_until=NOW)
ORDERS = Component(
    name="orders", kind="pipeline", entry_points={"rerun_pipeline": "team.orders:rerun"}
)
# Stands in for the interpreter: writes what it was started with beside the log.
WITNESS = """#!{python}
import json, os, sys
seen = {{"argv": sys.argv[1:], "session": os.getsid(0) == os.getpid(),
        "home": os.environ["AGENTOPS_HOME"], "mine": os.environ["TEAM"]}}
print(json.dumps(seen))
"""


@pytest.fixture
def work(tmp_path):
    database = ledger.Database(f"sqlite:///{tmp_path / 'ledger.db'}", audit_key=b"key")
    return ledger.LedgerWork(database)


@pytest.fixture
def actuator(work, tmp_path, monkeypatch):
    witness = tmp_path / "witness"
    witness.write_text(WITNESS.format(python=sys.executable))
    witness.chmod(0o755)
    monkeypatch.setattr(subprocess_actuator.sys, "executable", str(witness))
    made = SubprocessActuator(
        work, components={"orders": ORDERS}, home=tmp_path, environment={"TEAM": "orders"}
    )
    yield made
    for child in made._started:
        child.wait(timeout=20)


def test_work_starts_in_a_session_of_its_own_with_a_log(actuator, work, tmp_path):
    receipt = actuator.carry_out(RERUN, key="apr-1:do", incident_id="inc-1")
    assert receipt.reference == "apr-1:do"
    assert work.find("apr-1:do").entry_point == "team.orders:rerun"
    assert actuator._started[0].wait(timeout=20) == 0
    seen = json.loads((tmp_path / "jobs" / "apr-1-do.log").read_text())
    assert seen == {
        "argv": ["-m", "agentops_graph.jobs", "apr-1:do"],
        "session": True,
        "home": str(tmp_path),
        "mine": "orders",
    }


def test_probe_follows_the_works_row(actuator, work):
    assert actuator.probe(RERUN, key="apr-1:do") == "did_not"
    actuator.carry_out(RERUN, key="apr-1:do", incident_id="inc-1")
    assert actuator.probe(RERUN, key="apr-1:do") == "did_not"  # open: nobody claimed it yet
    work.claim("apr-1:do")
    assert actuator.probe(RERUN, key="apr-1:do") == "happened"
    work.finish("apr-1:do", error="no rows", result={}, at=NOW)
    assert actuator.probe(RERUN, key="apr-1:do") == "happened"


def test_claimed_work_is_not_started_again(actuator, work):
    actuator.carry_out(RERUN, key="apr-1:do", incident_id="inc-1")
    first = list(actuator._started)
    work.claim("apr-1:do")
    actuator.carry_out(RERUN, key="apr-1:do", incident_id="inc-1")
    assert actuator._started == first
    assert actuator.enforces_key


def test_a_component_without_entry_point_is_told_how_to_get_one(actuator, work):
    action = ScaleInfrastructure(component="orders", replicas=2)
    assert not actuator.offers("scale_infrastructure", ORDERS)
    assert actuator.offers("rerun_pipeline", ORDERS)
    with pytest.raises(DidNotHappenError, match=r"components\.yaml.*scale_infrastructure"):
        actuator.carry_out(action, key="apr-2:do", incident_id="inc-1")
    assert work.find("apr-2:do") is None


def test_a_process_that_can_not_start_leaves_the_work_open(actuator, work, monkeypatch):
    monkeypatch.setattr(subprocess_actuator.sys, "executable", "/nowhere/python")
    with pytest.raises(UnavailableError, match="did not start"):
        actuator.carry_out(RERUN, key="apr-1:do", incident_id="inc-1")
    assert work.find("apr-1:do").state == "open"
    assert actuator.probe(RERUN, key="apr-1:do") == "did_not"
