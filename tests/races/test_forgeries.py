"""Old checkpoints, forged commands and odd answers: nothing happens twice or without a person."""

from dataclasses import replace

import pytest
from langgraph.errors import GraphBubbleUp, InvalidUpdateError
from langgraph.types import Command

from agentops_graph.errors import AgentOpsError, GoneError
from tests.desk import Desk
from tests.sampled import sampled

pytestmark = pytest.mark.slow

# What LangGraph says of the ways in that it does not take; see `forged`.
REFUSALS = (
    AgentOpsError,
    GraphBubbleUp,
    InvalidUpdateError,
    KeyError,
    RuntimeError,
    UnboundLocalError,
    ValueError,
)
ODD_ANSWERS = [
    None,
    False,
    True,
    0,
    "",
    [],
    {},
    "approve",
    {"type": "approve"},
    {"decision": "approved", "approval_id": "A-1"},
    {"0" * 32: {"decision": "approved"}},
    {"f" * 32: True, "e" * 32: False},
]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


@pytest.fixture
def waiting(desk):
    """An incident whose retraining waits for a person."""
    incident = desk.report()
    desk.work()
    return incident


def thread(incident, checkpoint_id=None):
    own = {"thread_id": incident, "checkpoint_ns": ""}
    if checkpoint_id:
        own["checkpoint_id"] = checkpoint_id
    return {"configurable": own, "recursion_limit": 50}


def forged(desk, incident, entry, config=None, holder="forger"):
    """Puts `entry` straight into the graph, with the lease that only a runner should have."""
    lease = desk.ports.leases.acquire(incident, holder, 60)
    assert lease is not None
    ports = replace(desk.ports, lease=lease)
    try:
        desk.runner.graph.invoke(
            entry, config or thread(incident), context=ports, durability="sync"
        )
    except REFUSALS:
        pass
    finally:
        desk.ports.leases.release(lease)


def nothing_was_done(desk, incident):
    assert desk.actuator.keys == []
    assert desk.case(incident).effects == ()


def held_together(desk):
    """Whatever was done was approved by a person, and done once."""
    keys = desk.actuator.keys
    assert len(keys) == len(set(keys))
    for key in keys:
        approval = desk.service.approval(key.split(":")[0])
        assert (approval.status, approval.decided_by) == ("approved", "mia")
    assert desk.ports.audit.verify() is None


@pytest.mark.parametrize(
    "entry",
    [
        Command(goto="act"),
        Command(goto="verify"),
        Command(goto=["act", "verify"]),
        Command(update={"decision": "approved", "effect": "done"}, goto="act"),
        Command(resume="approve", update={"decision": "approved"}),
        Command(resume={"decision": "approved"}, goto="act"),
        {"decision": "approved", "approval_id": "A-1", "planned": "asked"},
    ],
    ids=str,
)
def test_a_forged_command_carries_nothing_out(desk, waiting, entry):
    forged(desk, waiting, entry)
    desk.work()
    nothing_was_done(desk, waiting)
    assert desk.service.approval("A-1").status != "approved"
    assert desk.service.approval("A-1").decided_by != "mia"


@pytest.mark.parametrize("node", ["approve", "plan", "act", "verify"])
def test_a_state_that_claims_an_approval_carries_nothing_out(desk, waiting, node):
    claimed = {
        "decision": "approved",
        "planned": "asked",
        "effect": "done",
        "verdict": "next",
        "approval_id": "A-1",
    }
    desk.runner.graph.update_state(thread(waiting), claimed, as_node=node)
    forged(desk, waiting, None)
    desk.work()
    nothing_was_done(desk, waiting)


@pytest.mark.parametrize("answer", ODD_ANSWERS, ids=str)
def test_an_odd_answer_to_the_pause_decides_nothing_and_wedges_nothing(desk, waiting, answer):
    forged(desk, waiting, Command(resume=answer))
    nothing_was_done(desk, waiting)
    assert desk.pending(waiting) == "A-1"
    desk.approve(waiting)
    assert desk.actuator.keys == ["A-1:do"]


def test_a_new_start_of_a_waiting_incident_asks_for_the_same_approval(desk, waiting):
    forged(desk, waiting, {"incident_id": waiting, "plan_number": 0})
    assert desk.pending(waiting) == "A-1"
    desk.approve(waiting)
    assert desk.actuator.keys == ["A-1:do"]


def ways_back(desk, incident):
    """Every checkpoint of an incident, with every way into it."""
    history = list(desk.runner.graph.get_state_history(thread(incident)))
    for snapshot in history:
        config = thread(incident, snapshot.config["configurable"]["checkpoint_id"])
        for entry in (None, Command(resume="approve"), Command(goto="act")):
            yield entry, config


@pytest.mark.parametrize(
    "stage",
    sampled(["waiting", "approved", "trained", "deployed", "rejected"], {"approved"}),
)
def test_no_old_checkpoint_does_anything_twice_or_unapproved(desk, waiting, stage):
    if stage == "rejected":
        desk.reject(waiting)
    if stage in ("approved", "trained", "deployed"):
        desk.approve(waiting)
    if stage in ("trained", "deployed"):
        desk.training_ends(waiting)
    if stage == "deployed":
        desk.approve(waiting)
    done = desk.actuator.keys
    for entry, config in list(ways_back(desk, waiting)):
        forged(desk, waiting, entry, config)
        assert desk.actuator.keys == done
    desk.work()
    assert desk.actuator.keys == done
    held_together(desk)


def test_an_approval_is_not_carried_out_by_another_incident(desk, waiting):
    other = desk.report(alert_type="cost_spike", summary="cost per request 0.31")
    desk.work()
    approval = desk.pending(other)
    desk.service.decide(approval, "approve", actor="mia", via="cli")
    claimed = {"decision": "approved", "approval_id": approval}
    desk.runner.graph.update_state(thread(waiting), claimed, as_node="approve")
    forged(desk, waiting, None)
    assert desk.actuator.keys == []
    desk.work()
    assert desk.actuator.keys == [f"{approval}:do"]
    held_together(desk)


def test_an_approval_of_an_earlier_plan_is_not_carried_out(desk, waiting):
    desk.service.pause_actions(everything=True, actor="mia")
    desk.approve(waiting)  # approved, and refused by the kill switch
    desk.service.resume_actions(actor="mia")
    desk.service.retry(waiting, actor="mia")
    desk.work()
    assert desk.pending(waiting) == "A-2"
    claimed = {"decision": "approved", "approval_id": "A-1"}
    desk.runner.graph.update_state(thread(waiting), claimed, as_node="approve")
    forged(desk, waiting, None)
    assert desk.actuator.keys == []


def test_what_was_approved_is_not_carried_out_once_a_person_closed_the_incident(desk, waiting):
    desk.service.pause_actions(everything=True, actor="mia")
    desk.approve(waiting)
    desk.service.resume_actions(actor="mia")
    desk.service.close(waiting, actor="mia", note="turned the vendor's switch back")
    for entry, config in list(ways_back(desk, waiting)):
        forged(desk, waiting, entry, config)
    assert desk.actuator.keys == []
    assert desk.case(waiting).incident.status == "closed"


def test_an_approval_that_a_person_closed_over_is_gone(desk, waiting):
    broken = desk.ports.approvals.get
    desk.ports.approvals.get = lambda approval_id: 1 / 0
    desk.ports.jobs.enqueue(waiting, "a test", at=desk.clock.now())
    desk.work()
    desk.ports.approvals.get = broken
    assert desk.case(waiting).incident.status == "escalated"
    desk.service.close(waiting, actor="mia", note="turned the vendor's switch back")
    assert desk.case(waiting).pending == ()
    with pytest.raises(GoneError, match="withdrawn"):
        desk.service.decide("A-1", "approve", actor="mia", via="cli")
