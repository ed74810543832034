"""A person edits, asks, or is one of two, at the terminal."""

from datetime import UTC, datetime

import pytest

from agentops_graph.domain.action import ScaleInfrastructure
from agentops_graph.domain.approval import Proposal

SCALES = """
components:
  - name: ghost-model
    entry_points:
      scale_infrastructure: "team.jobs:scale"
"""


@pytest.fixture
def held(desk):
    (desk.home / "components.yaml").write_text(SCALES)
    ports = desk.workshop.ports
    return ports.approvals.propose(
        Proposal(
            approval_id="new",
            incident_id=desk.incident(),
            plan_number=0,
            step=0,
            action=ScaleInfrastructure(component="ghost-model", replicas=4),
        ),
        policy=ports.policy,
        reason="costs money",
        notes=(),
        at=datetime.now(UTC),
    )


def test_an_edit_shows_what_asks_instead_and_for_whom(desk, held):
    result = desk.run("edit", held.approval_id, "--set", "replicas=3", "--as", "mia")
    assert result.exit_code == 0, result.output
    for text in ("A-2 of", "replicas", "requested by", "mia", "A-1 is replaced", "not mia"):
        assert text in result.stdout
    refused = desk.run("approve", "A-2", "--as", "mia", "--no-run")
    assert refused.exit_code == 5
    assert "somebody else has to approve" in refused.stderr
    assert desk.run("approve", "A-2", "--as", "tom", "--no-run").exit_code == 0
    assert "replaced by A-2" in desk.run("approvals", "--all").stdout.replace("\n", " ")


def test_json_of_an_edit_is_the_new_approval(desk, held):
    told = desk.read("edit", held.approval_id, "--set", "replicas=3")
    assert told["approval"]["approval_id"] == "A-2"
    assert told["approval"]["proposal"]["action"]["replicas"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name what to change: replicas"),
        (("--set", "replicas"), "is not NAME=VALUE"),
        (("--set", "replicas=100"), "arguments.replicas"),
        (("--set", "component=x"), "what can: replicas"),
        (("--set", "replicas=3", "--digest", "0" * 64), "digest"),
    ],
)
def test_an_edit_that_can_not_be_says_why(desk, held, words, said):
    result = desk.run("edit", held.approval_id, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert desk.workshop.service.approval(held.approval_id).status == "pending"


def test_a_question_is_answered_and_kept(desk, held):
    told = desk.read("ask", held.approval_id, "why four?", "--as", "mia")
    assert "not diagnosed yet" in told["answer"]
    assert told["approval"]["notes"] == ["mia asks: why four?"]
    shown = desk.run("ask", held.approval_id, "and why now?")
    assert "still waits" in shown.stdout
    assert desk.run("ask", held.approval_id, " ").exit_code == 2


def test_the_first_of_two_is_not_carried_out(desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_QUORUM", "rollback_model=2")
    approval = desk.approval(desk.incident())
    first = desk.run("approve", approval.approval_id, "--as", "mia")
    assert first.exit_code == 0, first.output
    assert "A-1 still waits: approved by 1 of 2 (mia)" in first.stdout.replace("\n", " ")
    assert "1 of 2" in desk.run("approvals").stdout
    second = desk.read("approve", approval.approval_id, "--as", "tom", "--no-run")
    assert second["approval"]["status"] == "approved"
