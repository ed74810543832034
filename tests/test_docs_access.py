"""The page on who may do what, held against the roles, the commands and the doors."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.domain.action import RollbackModel
from agentops_graph.domain.approval import Proposal
from agentops_graph.domain.identity import DEEDS, ROLES, role_may
from agentops_graph.settings import read_settings

PAGE = (Path(__file__).parent.parent / "docs" / "access.md").read_text(encoding="utf-8")


def test_table_of_roles_is_what_the_code_allows():
    heading = f"| deed | what it is | {' | '.join(ROLES)} |"
    rows = [
        f"| {deed} | {words} | "
        + " | ".join("yes" if role_may(role, deed) else "no" for role in ROLES)
        + " |"
        for deed, words in DEEDS.items()
    ]
    assert "\n".join([heading, "|---|---|---|---|---|---|---|", *rows]) in PAGE


@pytest.fixture
def home(tmp_path):
    """Incident and approval, so that A-1 of the page is there."""
    workshop = Workshop(read_settings({}, home=tmp_path / "home"))
    ports = workshop.ports
    claim = {
        "severity": "critical",
        "alert_type": "model_drift",
        "affected_component": "fraud-detector",
        "metrics": {"aggregate_psi": 0.47},
        "timestamp": "2026-02-28T10:15:00Z",
    }
    admitted = workshop.service.raise_alert(claim, actor="test", via="python")
    ports.approvals.propose(
        Proposal(
            approval_id="new",
            incident_id=admitted.incident_id,
            plan_number=0,
            step=0,
            action=RollbackModel(model="fraud-detector", to_version="3"),
        ),
        policy=ports.policy,
        reason="changes production predictions",
        notes=(),
        at=ports.clock.now(),
    )
    return workshop.places.home


def test_commands_of_the_page_work_in_its_order(home, monkeypatch):
    lines = re.findall(r"^\$ (.+)$", PAGE, re.M)
    assert len(lines) >= 6
    token = None
    for line in lines:
        words = shlex.split(line)
        if words[0] == "export":
            monkeypatch.setenv("AGENTOPS_TOKEN", token)
            continue
        assert words[0] == "agentops"
        result = CliRunner().invoke(app, ["--home", str(home), *words[1:]])
        assert result.exit_code == 0, (line, result.output)
        token = token or re.search(r"agops_\S{43}", result.output)[0]
