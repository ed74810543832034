"""One timer or notice that fails must not stop anything else."""

import pytest

from agentops_graph import runner
from agentops_graph.domain.action import SendSlackAlert
from agentops_graph.errors import DidNotHappenError, UnavailableError
from tests.desk import MODEL, NOON, Desk


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


class Slow:
    """A service that takes its time: while it is asked, other runners sweep too."""

    def __init__(self, others):
        self._others, self.sent = others, []

    def send(self, notice, *, marker, earlier):
        self.sent.append(marker)
        self._others()
        return f"ref {marker}"


def test_a_notice_that_one_runner_is_sending_is_sent_by_no_other(desk):
    from tests.contracts.desk import at_once

    incident = desk.report()
    outcomes = []
    slow = Slow(lambda: outcomes.extend(at_once(lambda _: desk.runner.run_once("INC-0"), times=2)))
    object.__setattr__(desk.ports, "notifiers", dict.fromkeys(desk.ports.notifiers, slow))
    desk.work()
    assert [o for o in outcomes if isinstance(o, Exception)] == []
    notices = desk.case(incident).notices
    assert sorted(slow.sent) == sorted(n.marker for n in notices)
    assert {(n.state, n.attempts, n.claim) for n in notices} == {("sent", 1, 1)}
    assert notices


def test_a_notice_that_was_claimed_and_never_sent_is_sent_when_the_claim_has_run_out(desk):
    incident = desk.report()
    desk.runner.run_once(incident)
    desk.ports.outbox.put(
        incident, desk.case(incident).notices[0].notice, marker="m", reason="informs", at=NOON
    )
    (left,) = [n for n in desk.ports.outbox.waiting(NOON) if n.marker == "m"]
    assert desk.ports.outbox.claim(left, 0.0, at=NOON) is not None
    desk.work()
    (sent,) = [n for n in desk.case(incident).notices if n.marker == "m"]
    assert (sent.state, sent.claim) == ("sent", 2)


class Away:
    """A service that answers nobody."""

    def __init__(self, error):
        self.asked, self._error = [], error

    def send(self, notice, *, marker, earlier):
        self.asked.append(marker)
        raise self._error


def notices_wait(desk, incident, *markers):
    for marker in markers:
        desk.ports.outbox.put(
            incident, SendSlackAlert(text=marker), marker=marker, reason="informs", at=NOON
        )


def all_notices_by(desk, notifier):
    object.__setattr__(desk.ports, "notifiers", dict.fromkeys(desk.ports.notifiers, notifier))


def test_a_service_that_is_away_is_waited_for_once_in_a_round_and_not_once_a_notice(desk):
    incident = desk.report()
    desk.work()
    away = Away(UnavailableError("no answer in 10 s"))
    all_notices_by(desk, away)
    notices_wait(desk, incident, *"abcdef")
    desk.runner.run_once()  # which sweeps twice
    assert away.asked == ["a", "b"]


def test_a_notice_that_can_not_be_sent_holds_up_no_other(desk):
    incident = desk.report()
    desk.work()
    all_notices_by(desk, refusing := Away(DidNotHappenError("channel_not_found")))
    notices_wait(desk, incident, *"abc")
    desk.runner.run_once()
    assert refusing.asked == ["a", "b", "c"]


def test_jobs_do_not_wait_for_all_the_notices_that_are_slow(desk, monkeypatch):
    monkeypatch.setattr(runner, "SWEEP_S", 0.0)  # every notice is a slow one
    first = desk.report()
    desk.work()
    notices_wait(desk, first, *"abc")
    other = desk.report(alert_type="data_quality", summary="nulls in V14")
    seen = []
    all_notices_by(desk, Slow(lambda: seen.append(desk.ports.incidents.get(other).status)))
    desk.runner.run_once()
    assert len(seen) >= 3
    assert "detected" not in seen[1:]
