"""The lease of a dead runner is taken at once, that of a silent one when it has run out."""

import os
import time

import pytest

from agentops_graph import faults
from tests.crash.world import World
from tests.invariants import violations

LEASE_S = 0.4


def seconds():
    """The clock that leases run on, on one host."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def acquired(world, incident_id, within):
    """Asks until the lease is given; the seconds it took."""
    began = seconds()
    while (lease := world.ports.leases.acquire(incident_id, "next", LEASE_S)) is None:
        assert seconds() - began < within, "nobody ever got the lease"
    took = seconds() - began
    world.ports.leases.release(lease)
    return took


def test_a_dead_runner_is_followed_at_once_whatever_its_lease(folder, nursery):
    home = folder / "home"
    assert nursery.live(home, "rollback_model", "diagnose.before", lease_s=15.0)["killed"]
    world = World(home, kind="rollback_model")
    (incident,) = world.service.incidents()
    assert acquired(world, incident.incident_id, within=5) < 1


def test_a_silent_runner_is_followed_when_its_lease_has_run_out(folder, nursery):
    home = folder / "home"
    held_at = seconds()
    pid = nursery.live(home, "rollback_model", "diagnose.before", end="SIGSTOP", lease_s=LEASE_S)
    world = World(home, kind="rollback_model", lease_s=LEASE_S)
    (incident,) = world.service.incidents()
    acquired(world, incident.incident_id, within=LEASE_S + 5)
    assert seconds() - held_at >= LEASE_S
    assert nursery.go_on(pid["stopped"])["violations"] == []


def test_a_silent_runner_keeps_its_incident_until_then(folder, nursery):
    home = folder / "home"
    pid = nursery.live(home, "rollback_model", "diagnose.before", end="SIGSTOP", lease_s=15.0)
    world = World(home, kind="rollback_model")
    (incident,) = world.service.incidents()
    assert world.ports.leases.acquire(incident.incident_id, "next", 15.0) is None
    assert world.runner.run_once() == 0
    assert nursery.go_on(pid["stopped"])["violations"] == []


def test_a_node_that_takes_longer_than_the_lease_keeps_it(folder):
    """The renewing thread works while the node does."""
    world = World(folder / "home", kind="rollback_model", lease_s=LEASE_S)
    incident = world.report()
    tried = []

    def long():
        until = seconds() + 2 * LEASE_S
        while seconds() < until:
            tried.append(world.ports.leases.acquire(incident, "other", LEASE_S))
            os.sched_yield()

    faults.arm("diagnose.before", long)
    try:
        world.work()
    finally:
        faults.disarm()
    assert set(tried) == {None}
    assert world.to_the_end() == "resolved"
    assert violations(world.home) == []


@pytest.mark.parametrize("point", ["lease.acquired", "lease.before_release"])
def test_the_default_lease_of_a_killed_runner_costs_its_incident_no_wait(folder, nursery, point):
    home = folder / "home"
    assert nursery.live(home, "scale_infrastructure", point)["killed"]
    began = seconds()
    assert nursery.live(home, "scale_infrastructure")["violations"] == []
    assert seconds() - began < 15
