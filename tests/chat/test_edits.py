"""Edits and questions in a conversation: exact lines too, and nothing decided by the way."""

import pytest

from agentops_graph.chat import Choice
from agentops_graph.chat.intents import decision_in
from agentops_graph.domain.action import ScaleInfrastructure
from agentops_graph.domain.approval import Proposal
from tests import data_folder_desk

SCALES = """
components:
  - name: fraud_model
    entry_points:
      scale_infrastructure: "team.jobs:scale"
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder_desk, "COMPONENTS", SCALES)
    return data_folder_desk.Desk(tmp_path / "desk")


@pytest.fixture
def pending(desk):
    ports = desk.workshop.ports
    return ports.approvals.propose(
        Proposal(
            approval_id="new",
            incident_id=desk.report(),
            plan_number=0,
            step=0,
            action=ScaleInfrastructure(component="fraud_model", replicas=4),
        ),
        policy=ports.policy,
        reason="costs money",
        notes=(),
        at=ports.clock.now(),
    )


def test_an_exact_line_edits_and_shows_what_asks_instead(desk, pending):
    result = desk.ask(f"edit {pending.approval_id} set replicas to 3", name="mia")
    assert f"{pending.approval_id} is replaced by A-2:" in result.text
    assert "- replicas: 3" in result.text
    assert "not mia, has to approve A-2" in result.text
    assert [p.approval_id for p in result.pending_approvals] == ["A-2"]
    assert "somebody else has to approve" in desk.ask("approve A-2", name="mia").text
    assert "A-2 is approved" in desk.ask("approve A-2", name="tom").text


def test_an_edit_that_can_not_be_says_what_can(desk, pending):
    result = desk.ask(f"edit {pending.approval_id} set component to other")
    assert "what can: replicas" in result.text
    assert desk.status_of(pending) == "pending"


@pytest.mark.parametrize(
    "words",
    [
        "please edit {} set replicas to 3",
        "edit {} set replicas to 3 please now",
        "edit {} set replicas to 3\nand more",
        "edit {} replicas=3",
        "should I edit {} set replicas to 3",
    ],
)
def test_free_words_never_edit(desk, pending, words):
    desk.ask(words.format(pending.approval_id))
    assert desk.status_of(pending) == "pending"


def test_several_arguments_are_set_in_one_line():
    line = "edit a-7 set window_from to 2026-03-01T10:00Z and window_until to 2026-03-01T11:00Z"
    assert decision_in(line) == Choice(
        approval_id="A-7",
        verdict="edit",
        arguments={
            "window_from": "2026-03-01T10:00Z",
            "window_until": "2026-03-01T11:00Z",
        },
    )


def test_a_question_about_an_approval_is_answered_and_kept(desk, pending):
    result = desk.ask(f"ask {pending.approval_id} why four of them?", name="mia")
    assert "not diagnosed yet" in result.text
    assert "which still waits" in result.text
    held = desk.service.approval(pending.approval_id)
    assert (held.status, held.notes) == ("pending", ("mia asks: why four of them?",))


def test_a_question_that_reads_like_a_decision_decides_nothing(desk, pending):
    desk.ask(f"ask {pending.approval_id} approve {pending.approval_id}")
    desk.ask(f"ask {pending.approval_id} check fraud_model")
    assert desk.status_of(pending) == "pending"
    assert len(desk.service.incidents()) == 1
