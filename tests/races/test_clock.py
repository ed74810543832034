"""The clock is put forward and back: leases, expiry and escalation take no harm."""

from collections import Counter
from dataclasses import replace

import pytest

from agentops_graph.errors import GoneError, UnavailableError
from agentops_graph.sweep import sources
from tests.desk import MODEL, Desk
from tests.invariants import violations
from tests.test_loop import deployed
from tests.test_sigkill import killed

pytestmark = pytest.mark.slow

HOUR = 3600


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


@pytest.fixture
def waiting(desk):
    incident = desk.report()
    desk.work()
    return incident


def told(desk):
    """How often each person was told of each waiting approval."""
    count = Counter()
    for sent in desk.ports.outbox.listed():
        approval_id, _, rest = sent.marker.partition(":escalate:")
        if rest:
            count[approval_id, sent.notice.text.partition(":")[0]] += 1
    return count


@pytest.mark.parametrize("jump", [25 * HOUR, -25 * HOUR])
def test_a_lease_heeds_no_clock_that_can_be_put(desk, waiting, jump):
    lease = desk.ports.leases.acquire(waiting, "a runner", 60)
    desk.clock.move(jump)
    assert desk.ports.leases.holds(lease)
    assert desk.ports.leases.acquire(waiting, "another", 60) is None
    desk.ports.leases.release(lease)


def test_while_a_runner_holds_the_lease_no_jump_lets_another_act(desk, waiting):
    lease = desk.ports.leases.acquire(waiting, "a runner", 60)
    desk.service.decide("A-1", "approve", actor="mia", via="cli")
    for jump in (HOUR, -2 * HOUR, HOUR):
        desk.clock.move(jump)
        desk.work()
    assert desk.actuator.keys == []
    desk.ports.leases.release(lease)
    desk.work()
    assert desk.actuator.keys == ["A-1:do"]


def test_an_approval_expires_once_and_stays_expired(desk, waiting):
    desk.clock.move(25 * HOUR)
    desk.work()
    for jump in (-25 * HOUR, 26 * HOUR, -26 * HOUR, 25 * HOUR):
        desk.clock.move(jump)
        desk.work()
        assert desk.service.approval("A-1").status == "expired"
        with pytest.raises(GoneError):
            desk.service.decide("A-1", "approve", actor="mia", via="cli")
    expired = [r for r in desk.ports.audit.rows(waiting) if r["what"] == "approval.expired"]
    asked = [a.approval_id for a in desk.case(waiting).approvals if a.status == "expired"]
    assert len(expired) == len(asked)
    assert desk.actuator.keys == []
    assert violations(desk.home) == []


def test_each_person_of_the_chain_is_told_once(desk, waiting):
    for jump in (301, -301, 301, -HOUR, HOUR, 301, -900, 900, 301, 301):
        desk.clock.move(jump)
        desk.work()
    assert told(desk) == {("A-1", "For team"): 1, ("A-1", "For manager"): 1}
    assert desk.service.approval("A-1").escalation_level == 2


def test_a_long_jump_tells_one_person_after_the_other(desk, waiting):
    desk.clock.move(2 * HOUR)
    desk.work()
    assert told(desk) == {("A-1", "For team"): 1}
    desk.clock.move(301)
    desk.work()
    assert told(desk) == {("A-1", "For team"): 1, ("A-1", "For manager"): 1}


class Earlier:
    """Timers as a runner read them before another fired them."""

    def __init__(self, timers, due):
        self._timers, self._due = timers, due

    def due(self, at):
        return self._due

    def __getattr__(self, name):
        return getattr(self._timers, name)


def fire(desk, read):
    """What a runner does that read these timers before."""
    ports = replace(desk.ports, timers=Earlier(desk.ports.timers, read))
    for source in sources(ports, "http://127.0.0.1"):
        for deed in source():
            deed()


def test_two_runners_that_fire_the_same_timer_tell_one_person_once(desk, waiting):
    desk.clock.move(301)
    read = desk.ports.timers.due(desk.clock.now())
    assert [t.kind for t in read if t.kind == "escalate"] == ["escalate"]
    for _ in range(3):
        fire(desk, read)
    assert told(desk) == {("A-1", "For team"): 1}
    assert desk.service.approval("A-1").escalation_level == 1
    raised = [r for r in desk.ports.audit.rows(waiting) if r["what"] == "approval.escalated"]
    assert len(raised) == 1


def test_two_runners_that_fire_the_same_expiry_expire_it_once(desk, waiting):
    desk.clock.move(25 * HOUR)
    read = desk.ports.timers.due(desk.clock.now())
    for _ in range(3):
        fire(desk, read)
    expired = [r for r in desk.ports.audit.rows(waiting) if r["what"] == "approval.expired"]
    assert len(expired) == 1


def test_what_was_decided_before_the_clock_was_put_back_is_carried_out_at_once(desk, waiting):
    desk.service.decide("A-1", "approve", actor="mia", via="cli")
    desk.clock.move(-2 * HOUR)
    desk.work()
    assert desk.actuator.keys == ["A-1:do"]


def test_what_was_approved_and_then_expired_is_not_carried_out(desk, waiting):
    desk.service.decide("A-1", "approve", actor="mia", via="cli")
    desk.clock.move(25 * HOUR)
    desk.work()
    assert desk.actuator.keys == []
    assert desk.case(waiting).incident.status == "escalated"


YEAR = 365 * 24 * HOUR


def test_by_a_clock_that_stays_back_people_are_told_and_the_approval_expires_in_time(desk, waiting):
    desk.clock.move(-YEAR)
    desk.work()
    for _ in range(2):
        desk.clock.move(301)
        desk.work()
    assert told(desk) == {("A-1", "For team"): 1, ("A-1", "For manager"): 1}
    assert desk.service.approval("A-1").status == "pending"
    desk.clock.move(23 * HOUR)
    desk.work()
    assert desk.service.approval("A-1").status == "pending"
    desk.clock.move(HOUR)
    desk.work()
    assert desk.service.approval("A-1").status == "expired"
    assert desk.actuator.keys == []


def test_a_clock_put_back_and_right_again_expires_nothing_early(desk, waiting):
    desk.clock.move(HOUR)
    desk.clock.move(-YEAR)  # as after a start with an empty clock battery
    desk.work()
    desk.clock.move(30)
    desk.work()
    desk.clock.move(YEAR)
    desk.work()
    assert desk.service.approval("A-1").status == "pending"
    desk.clock.move(23 * HOUR - 60)
    desk.work()
    assert desk.service.approval("A-1").status == "pending"
    desk.clock.move(60)
    desk.work()
    assert desk.service.approval("A-1").status == "expired"


def test_what_was_put_off_is_tried_again_though_the_clock_was_put_back(desk):
    incident = desk.report()
    measure, desk.warehouse.predictions = desk.warehouse.predictions, unreachable
    desk.work()
    assert desk.case(incident).incident.status == "detected"
    desk.clock.move(-2 * HOUR)
    desk.warehouse.predictions = measure
    desk.work()
    assert desk.case(incident).incident.status != "detected"


def unreachable(*_, **__):
    raise UnavailableError("the warehouse did not answer")


def test_a_health_window_outlasts_a_clock_that_is_put_back(desk):
    incident = deployed(desk)
    desk.clock.move(-2 * HOUR)
    desk.work()
    assert desk.case(incident).incident.status == "verifying"
    desk.clock.move(2 * HOUR)
    desk.minutes_pass(2)
    assert desk.case(incident).incident.status == "resolved"
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]


GROUND_LOST = {
    "the approval expired": lambda desk: desk.clock.move(25 * HOUR),
    "actions are paused": lambda desk: desk.service.pause_actions(everything=False, actor="mia"),
    "is 0 now": lambda desk: desk.models.serving.update({MODEL: "0"}),
}


@pytest.mark.parametrize("why", GROUND_LOST)
def test_an_intent_that_a_killed_runner_left_is_not_carried_out_once_its_ground_is_gone(
    tmp_path, why
):
    killed(tmp_path / "home")
    desk = Desk(tmp_path / "home")
    GROUND_LOST[why](desk)
    desk.work()
    assert desk.actuator.keys == []
    (effect,) = desk.ports.effect_log.listed()
    assert effect.state == "failed"
    assert why in effect.error
    assert violations(desk.home) == []
