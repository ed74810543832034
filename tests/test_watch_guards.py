"""A guard stays in force while another question about the same model waits for a person."""

import pytest

from agentops_graph.adapters.memory.outside import ScriptedReasoner
from agentops_graph.domain.policy import Policy
from agentops_graph.errors import DidNotHappenError
from agentops_graph.runner import Runner
from tests.desk import MODEL, RETRAIN_FIRST, Desk, diagnosis
from tests.invariants import violations
from tests.test_loop import deployed
from tests.test_watch import minutes


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def beside_a_health_window(desk: Desk, plan=RETRAIN_FIRST) -> tuple[str, str]:
    """A version was deployed and is watched; another story of the same model asks a person."""
    watched = deployed(desk)
    object.__setattr__(desk.ports, "reasoner", ScriptedReasoner(diagnosis(plan)))
    other = desk.report(
        alert_type="cost_spike",
        metrics={"cost_per_request": 0.2},
        summary="A request costs twice as much",
    )
    desk.work()
    asked = desk.service.approval(desk.pending(other))
    assert (watched != other, asked.proposal.precondition.equals) == (True, "2")
    assert desk.case(watched).incident.status == "verifying"
    return watched, other


def breach(desk: Desk) -> None:
    for _ in range(18):
        desk.minutes_pass(1 / 6, failed=0.5)
        if "A-2:undo" in desk.actuator.keys:
            return
    raise AssertionError("the guard never fired")


def test_a_breach_rolls_back_under_its_guard_while_another_question_waits(desk):
    watched, other = beside_a_health_window(desk)
    breach(desk)
    minutes(desk, 1)
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert desk.models.serving[MODEL] == "1"
    undone = desk.ports.effects.find("A-2:undo")
    assert (undone.approval_id, undone.state) == ("A-2", "done")
    assert any("rolled back" in e.text for e in desk.case(watched).timeline)
    asked = desk.service.approval("A-3")
    assert asked.status == "superseded"
    assert "production moved from 2 to 1" in asked.reason
    assert desk.service.approval(desk.pending(other)).proposal.precondition.equals == "1"
    assert violations(desk.home) == []


def test_what_is_approved_before_anybody_saw_the_rollback_is_refused_by_the_executor(desk):
    object.__setattr__(desk.ports, "policy", Policy(watch_every_s=3600))
    _, other = beside_a_health_window(desk)
    breach(desk)
    assert desk.pending(other) == "A-3"
    desk.approve(other)
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    case = desk.case(other)
    assert case.incident.status == "escalated"
    assert any(
        "production was 2 when this was approved and is 1 now" in e.text for e in case.timeline
    )
    assert violations(desk.home) == []


def test_a_breach_while_another_call_on_the_model_is_under_way_rolls_back_after_it(desk):
    watched, _ = beside_a_health_window(desk, plan=(("rollback_model", 1, None),))
    second = Runner(
        desk.ports, desk.runner.graph, kind="second", lease_s=15, public_url="http://127.0.0.1"
    )
    carry_out = desk.actuator.carry_out

    def slowly(action, *, key, incident_id):
        """The other runner goes on with its own incident while the call has not returned."""
        if key != "A-3:do":
            return carry_out(action, key=key, incident_id=incident_id)
        for _ in range(9):
            desk.ten_seconds_pass(failed=0.5)
            second.run_once()
        raise DidNotHappenError("the registry refused")

    desk.actuator.carry_out = slowly
    desk.service.decide("A-3", "approve", actor="mia", via="cli")
    desk.runner.run_once()
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]
    assert desk.case(watched).incident.status == "verifying"
    desk.minutes_pass(1, failed=0.5)
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert desk.models.serving[MODEL] == "1"
    assert violations(desk.home) == []
