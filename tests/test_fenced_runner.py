"""A runner is overtaken in the middle of a node, without having noticed: what it writes after that
does not land."""

import sqlite3
from contextlib import closing

import pytest

from agentops_graph import faults
from tests.contracts.desk import at_once
from tests.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


@pytest.fixture(autouse=True)
def _harmless():
    yield
    faults.disarm()


class Overtaking:
    """Another runner takes the lease, which has run out, and hands the incident to a person."""

    def __init__(self, desk, incident):
        self._desk, self._incident = desk, incident
        self.times = 0
        self.found = None

    def __call__(self):
        if not self.times:
            self.times += 1
            (outcome,) = at_once(lambda _: self._overtake(), times=1)
            assert outcome is None, outcome

    def _overtake(self):
        with closing(sqlite3.connect(self._desk.home / "ledger.db", timeout=30)) as connection:
            connection.execute("UPDATE leases SET until = 0")
            connection.commit()
        ports = self._desk.ports
        assert ports.leases.acquire(self._incident, "the other", 600) is not None
        ports.incidents.update(self._incident, status="escalated", owner="mia")
        self.found = self.seen()

    def seen(self):
        ports, at = self._desk.ports, self._desk.clock.now()
        return (
            ports.incidents.get(self._incident),
            ports.log.timeline(self._incident),
            ports.approval_log.listed(incident_id=self._incident),
            [n.marker for n in ports.outbox.listed(self._incident)],
            [job.job_id for job in ports.jobs.waiting(at, self._incident)],
        )


def overtaken_at(desk, incident, point, go_on):
    """Arms the point, goes on until it was passed; what the other left, and what stands there."""
    other = Overtaking(desk, incident)
    faults.arm(point, other)
    go_on()
    faults.disarm()
    assert other.times == 1
    return other.found, other.seen()


@pytest.mark.parametrize("point", ["detect.before", "diagnose.before", "plan.before"])
def test_what_a_runner_writes_after_it_was_overtaken_does_not_land(desk, point):
    incident = desk.report()
    left, found = overtaken_at(desk, incident, point, lambda: desk.runner.run_once(incident))
    assert found == left


@pytest.mark.parametrize("point", ["approve.before", "act.before", "verify.before"])
def test_nor_in_the_nodes_that_come_after_an_approval(desk, point):
    incident = desk.report()
    desk.work()
    approval = desk.pending(incident)
    desk.service.decide(approval, "approve", actor="mia", via="cli")
    left, found = overtaken_at(desk, incident, point, lambda: desk.runner.run_once(incident))
    assert found == left
    assert found[0].status == "escalated"


@pytest.mark.parametrize("point", ["report.before", "report.before_resolution"])
def test_nor_does_it_close_an_incident_that_a_person_has(desk, point):
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.training_ends(incident)
    desk.approve(incident)
    left, found = overtaken_at(desk, incident, point, lambda: desk.minutes_pass(2))
    assert found == left
    assert (found[0].status, found[0].ended_at) == ("escalated", None)
    assert not any(":closing:" in marker for marker in found[3])


def test_nor_does_it_hand_over_what_failed_under_it(desk):
    """The reasoner breaks just when the lease has gone: the failure is the other's to find."""
    incident = desk.report()

    class Breaks:
        def diagnose(self, brief):
            other()
            raise ZeroDivisionError("a bug in a reasoner")

    other = Overtaking(desk, incident)
    object.__setattr__(desk.ports, "reasoner", Breaks())
    desk.runner.run_once(incident)
    assert other.times == 1
    assert other.seen() == other.found
