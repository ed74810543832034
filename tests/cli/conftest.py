"""A data folder, its workshop, and the commands run on it."""

import fcntl
import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.domain.action import RollbackModel
from agentops_graph.domain.approval import Bound, Guard, Precondition, Proposal
from agentops_graph.settings import read_settings


class Desk:
    """What a person at the terminal has: one data folder and the commands."""

    def __init__(self, home):
        self.home = home

    @property
    def workshop(self):
        return Workshop(read_settings(home=self.home))

    def run(self, *args, **more):
        return CliRunner().invoke(app, ["--home", str(self.home), *args], **more)

    def read(self, *args, code=0):
        """The JSON a command prints; nothing else may stand on standard output."""
        result = self.run(*args, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def incident(self, summary="F1 fell", **more):
        claim = {
            "severity": "critical",
            "alert_type": "accuracy_drop",
            "affected_component": "ghost-model",
            "metrics": {"current_f1": 0.7, "baseline_f1": 0.9},
            "timestamp": datetime.now(UTC).isoformat(),
            "summary": summary,
        }
        service = self.workshop.service
        return service.raise_alert({**claim, **more}, actor="pager", via="http").incident_id

    def approval(self, incident_id, *, step=0, notes=(), policy=None):
        ports = self.workshop.ports
        return ports.approvals.propose(
            Proposal(
                approval_id="new",
                incident_id=incident_id,
                plan_number=0,
                step=step,
                action=RollbackModel(model="ghost-model", to_version="2"),
                precondition=Precondition(subject="production_version", equals="3"),
                guard=Guard(
                    bounds=(Bound(metric="error_rate", above=0.05),),
                    window_s=300,
                    every_s=30,
                    looks=3,
                    fresh_rows=20,
                ),
            ),
            policy=policy or ports.policy,
            reason="changes production predictions",
            notes=notes,
            at=datetime.now(UTC),
        )

    def watch_agent(self, *, error_rate):
        """An agent's metrics over eight hours; the error rate is that of the last half hour."""
        (self.home / "components.yaml").write_text(
            "components:\n  - name: support-bot\n    kind: agent\n"
        )
        now = datetime.now(UTC)
        quiet = {
            "agent_name": "support-bot",
            "latency_p95": 300,
            "error_rate": 0.01,
            "cost_per_request": 0.01,
            "requests": 100,
        }
        rows = [
            {**quiet, "timestamp": now - timedelta(minutes=m)}
            | ({"error_rate": error_rate} if m < 30 else {})
            for m in range(1, 480)
        ]
        self.workshop.ports.warehouse.write("AGENT_METRICS", rows)


@pytest.fixture(scope="session")
def knowledge(tmp_path_factory):
    """The shelf as a first use makes it, once for all tests."""
    home = tmp_path_factory.mktemp("knowledge")
    workshop = Workshop(read_settings({}, home=home))
    workshop.ports.shelf.condition()
    return workshop.places.knowledge


@pytest.fixture
def desk(tmp_path, monkeypatch, knowledge):
    # Tracking and registry have their own tests; here nobody answers at the registry.
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    monkeypatch.setenv("AGENTOPS_MODELS_URL", "http://127.0.0.1:9")
    home = tmp_path / "home"
    (home / "chroma").mkdir(parents=True)
    shutil.copy(knowledge, home / "knowledge.db")
    # Another owner of the Chroma folder: sections are searched exactly, which starts faster.
    with (home / "chroma" / ".owner").open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        yield Desk(home)
