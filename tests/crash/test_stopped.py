"""A runner stands still for longer than its lease, another takes over, and then the first wakes."""

import pytest

from agentops_graph.adapters.memory import RecordingActuator
from tests.crash.world import World
from tests.invariants import violations

SHORT_S = 0.3
EDITED = "A-2:do"  # of a scaling somebody wants less first, so the second approval is carried out


class Overtaken:
    """A life that was stopped at a point, and the world of whoever takes over."""

    def __init__(self, nursery, home, kind, point):
        self.nursery, self.home = nursery, home
        self.pid = nursery.live(home, kind, point, end="SIGSTOP", lease_s=SHORT_S)["stopped"]
        self.world = World(home, kind=kind, lease_s=SHORT_S)
        (incident,) = self.world.service.incidents()
        self.incident_id = incident.incident_id

    def overtake(self):
        """Runs until the silent one's lease has run out and the incident moved on."""
        before = self.lease()
        while self.lease() == before:
            self.world.runner.run_once()
        self.world.work()

    def lease(self):
        (job, *_) = self.world.ports.jobs.waiting(self.world.clock.now()) or [None]
        return None if job is None else job.job_id

    def wake(self):
        said = self.nursery.go_on(self.pid)
        assert "error" not in said, said["error"]
        return said

    @property
    def effect(self):
        (effect,) = self.world.case(self.incident_id).effects
        return effect

    @property
    def audited(self):
        return [row["what"] for row in self.world.ports.audit.rows(self.incident_id)]


@pytest.fixture
def stopped(nursery, folder):
    return lambda kind, point: Overtaken(nursery, folder / "home", kind, point)


def test_stopped_between_intent_and_call_it_does_not_act_once_another_took_over(stopped):
    one = stopped("rollback_model", "effect.after_intent")
    one.overtake()
    assert (one.effect.state, one.effect.error) == ("unknown", "a crash left the outcome unknown")
    one.wake()
    assert one.world.actuator.keys == []
    assert one.effect.state == "unknown"
    assert "effect.late_result" in one.audited
    assert one.world.case(one.incident_id).incident.needs_reconcile
    assert violations(one.home) == []


def test_stopped_in_the_very_call_it_acts_late_and_nobody_else_has_acted(stopped):
    one = stopped("rollback_model", "effect.before_call")
    one.overtake()
    assert one.effect.state == "unknown"
    one.wake()
    assert one.world.actuator.keys == ["A-1:do"]
    assert one.effect.state == "unknown"  # the late result is recorded and settles nothing
    assert "effect.late_result" in one.audited
    assert violations(one.home) == []


def test_stopped_before_its_intent_it_finds_what_the_other_did(stopped):
    one = stopped("scale_infrastructure", "effect.before_intent")
    one.overtake()
    assert one.world.actuator.keys == [EDITED]
    assert one.effect.state == "done"
    one.wake()
    assert one.world.actuator.keys == [EDITED]
    assert one.audited.count("effect.intent") == 1
    assert violations(one.home) == []


def test_stopped_after_the_call_the_other_sees_that_it_happened(stopped):
    one = stopped("scale_infrastructure", "effect.after_call")
    one.overtake()
    assert (one.effect.state, one.effect.error) == ("done", "seen by probe after a crash")
    one.wake()
    assert one.world.actuator.keys == [EDITED]
    assert "effect.late_result" in one.audited
    assert violations(one.home) == []


def test_a_runner_that_was_overtaken_leaves_the_incident_to_the_other(stopped):
    one = stopped("rollback_model", "diagnose.before")
    one.overtake()
    before = [e.text for e in one.world.case(one.incident_id).timeline if e.node == "plan"]
    said = one.wake()
    assert said["violations"] == []
    assert said["status"] == "resolved"
    after = [e.text for e in one.world.case(one.incident_id).timeline if e.node == "plan"]
    assert after == before
    assert RecordingActuator(one.home / "effects.txt").keys == ["A-1:do"]
