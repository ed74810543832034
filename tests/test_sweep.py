"""One timer or notice that fails must not stop anything else."""

import pytest

from tests.desk import MODEL, Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


class Broken:
    """A part with a fault nobody foresaw."""

    def __init__(self):
        self.asked = 0

    def diagnose(self, brief):
        self.asked += 1
        raise ZeroDivisionError("a bug in a reasoner")

    def send(self, notice, *, marker, earlier):
        self.asked += 1
        raise KeyError("a bug in a notifier")


def test_a_watch_that_fails_is_tried_again_later_and_stops_no_incident(desk):
    first = desk.report()
    desk.work()
    broken = Broken()
    object.__setattr__(desk.ports, "reasoner", broken)
    for _ in range(6):
        desk.clock.move(61)
        desk.work()
    assert broken.asked == 1
    assert desk.pending(first) == "A-1"
    desk.approve(first)
    assert desk.actuator.keys == ["A-1:do"]


def test_a_notifier_that_breaks_stops_no_incident_and_is_tried_again(desk):
    broken = Broken()
    object.__setattr__(desk.ports, "notifiers", dict.fromkeys(desk.ports.notifiers, broken))
    incident = desk.report()
    desk.work()
    assert desk.case(incident).incident.status == "awaiting_approval"
    asked = broken.asked
    desk.clock.move(3)
    desk.work()
    assert broken.asked > asked


def test_a_settled_story_in_the_future_blinds_nobody(desk):
    from agentops_graph.monitor import tick

    incident = desk.report()
    desk.ports.incidents.update(incident, status="resolved", ended_at=desk.clock.now())
    desk.clock.move(-1)
    assert [a.alert.affected_component for a in tick(desk.ports).admissions] == [MODEL]


def test_only_an_effect_in_doubt_can_be_reconciled(desk):
    from agentops_graph.errors import RefusedError

    incident = desk.report()
    desk.work()
    desk.approve(incident)
    with pytest.raises(RefusedError, match="not in doubt"):
        desk.service.reconcile("A-1:do", False, actor="mia", note="I think not")
