"""Silences, maintenance windows and withdrawal at the terminal."""

import pytest

from agentops_graph.watch import RECOVERED


@pytest.fixture
def watched(desk):
    (desk.home / "components.yaml").write_text("components:\n  - name: ghost-model\n")
    return desk


def test_a_silence_is_made_listed_and_ended(watched):
    made = watched.read("silence", "ghost-model", "--hours", "2", "--reason", "load test")
    assert made["silence_id"] == "S-1"
    assert [s["reason"] for s in watched.read("silences")] == ["load test"]
    assert "load test" in watched.run("silences").stdout
    watched.read("unsilence", "s-1")
    assert watched.read("silences") == []
    assert "Nothing is silenced" in watched.run("silences").stdout


def test_a_type_that_does_not_exist_is_refused_with_those_that_do(watched):
    told = watched.run("silence", "ghost-model", "--reason", "x", "--type", "drifting")
    assert told.exit_code == 2
    assert "model_drift" in told.stderr


def test_an_unknown_component_is_refused(watched):
    assert watched.run("silence", "nobody", "--reason", "x").exit_code == 3


def test_an_approval_that_is_still_needed_is_not_withdrawn(watched):
    approval = watched.approval(watched.incident())
    told = watched.run("withdraw", approval.approval_id)
    assert told.exit_code == 4
    assert "still needed" in told.stderr


def test_a_recovered_approval_is_withdrawn_and_says_when_nobody_runs(watched):
    approval = watched.approval(watched.incident())
    watched.workshop.ports.approval_log.note(approval.approval_id, RECOVERED)
    told = watched.read("withdraw", approval.approval_id)
    assert told["approval"]["status"] == "withdrawn"
    assert "no runner is alive" in told["hint"]
    again = watched.run("approve", approval.approval_id, "--no-run")
    assert again.exit_code == 4
