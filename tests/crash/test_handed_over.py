"""An incident that went to a person stays there, with nothing half open behind it."""

import pytest

from agentops_graph import faults
from agentops_graph.errors import GoneError
from tests.crash.world import World
from tests.invariants import violations


@pytest.fixture
def world(folder):
    yield World(folder / "home", kind="rollback_model")
    faults.disarm()


def broken():
    raise ZeroDivisionError("a fault nobody foresaw")


def test_an_adapter_that_breaks_after_it_acted_leaves_an_effect_to_reconcile(world):
    incident = world.report()
    world.work()
    faults.arm("actuator.inside", broken)
    world.approve(incident)
    case = world.case(incident)
    (effect,) = world.service.to_reconcile()
    assert effect.error == "ZeroDivisionError: a fault nobody foresaw"
    assert (case.incident.status, case.incident.needs_reconcile) == ("escalated", True)
    assert world.actuator.keys == [effect.key]
    assert violations(world.home) == []


def test_what_was_still_asked_is_withdrawn_and_can_not_be_approved_any_more(world):
    incident = world.report()
    faults.arm("plan.after", broken)
    world.work()
    case = world.case(incident)
    assert case.incident.status == "escalated"
    (approval,) = case.approvals
    assert (approval.status, approval.decided_by) == ("withdrawn", "agentops")
    with pytest.raises(GoneError):
        world.service.decide(approval.approval_id, "approve", actor="mia", via="cli")
    assert violations(world.home) == []


def test_a_late_timer_does_not_take_it_back_from_the_person(world):
    incident = world.report()
    world.work()
    world.approve(incident)
    faults.arm("verify.before", broken)
    world.time_passes()
    world.work()
    faults.disarm()
    assert world.case(incident).incident.status == "escalated"
    said = len(world.case(incident).timeline)
    world.ports.jobs.enqueue(incident, "A-1:look:9", at=world.clock.now())
    world.time_passes()
    world.work()
    case = world.case(incident)
    assert (case.incident.status, len(case.timeline)) == ("escalated", said)


def test_a_tracker_that_breaks_does_not_open_a_resolved_incident_again(world):
    faults.arm("tracking.before", broken)
    assert world.to_the_end() == "resolved"
    world.work()
    (incident,) = world.service.incidents()
    assert incident.status == "resolved"
    assert violations(world.home) == []
