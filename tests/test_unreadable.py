"""A row that can't be read stops nothing but what it belongs to."""

import base64
import logging

import pytest
from sqlalchemy import text

from agentops_graph.adapters.sqlalchemy_ledger import readable
from agentops_graph.encryption import Ring
from tests.desk import NOON, Desk
from tests.sampled import sampled

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _nothing_was_told_yet(monkeypatch):
    monkeypatch.setattr(readable, "_told", set())


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def change(desk, statement):
    with desk.database.write() as connection:
        assert connection.execute(text(statement)).rowcount


def another_incident(desk):
    return desk.report(alert_type="cost_spike", metrics={"cost_per_request": 0.2}, summary="x")


ROWS = {
    "outbox": "UPDATE outbox SET notice = '{', state = 'queued'",
    "claim": "UPDATE outbox SET state = 'queued', claimed_by = '{', claimed_until = 1e12",
    "timers": "UPDATE timers SET kind = 'other', done = false",
    "times": "UPDATE timers SET due_at = '1999', done = false",
    "work": "UPDATE work SET action = '{'",
    "writer": "UPDATE work SET writer = '{'",
    "jobs": "UPDATE jobs SET incident_id = '', done = false",
}


@pytest.mark.parametrize(
    "statement",
    sampled(ROWS.values(), {ROWS["times"], ROWS["work"]}),
    ids=ROWS,
)
def test_an_unreadable_row_stops_no_other_incident_and_is_told_of_once(desk, statement, caplog):
    first = desk.report()
    desk.work()
    desk.approve(first)
    assert desk.ports.work.claim("A-1:do") is not None
    change(desk, statement)
    other = another_incident(desk)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            desk.clock.move(100)
            desk.runner.run_once()
    assert desk.ports.incidents.get(other).status == "awaiting_approval"
    assert any(n.incident_id == other for n in sent(desk))
    told = [r.message for r in caplog.records if "is left out" in r.message]
    assert len(told) == len(set(told)) > 0
    assert not [r for r in caplog.records if r.exc_info]


def sent(desk):
    """What was sent, past those that can't be read."""
    with desk.database.read() as connection:
        return connection.execute(
            text("SELECT incident_id FROM outbox WHERE state = 'sent' AND notice <> '{'")
        ).all()


def test_a_notice_that_can_not_be_decrypted_stops_no_other(tmp_path):
    desk = Desk(tmp_path / "home", ring=Ring(base64.urlsafe_b64encode(bytes(32)).decode()))
    first = desk.report()
    desk.work()
    change(desk, "UPDATE outbox SET notice = substr(notice, 1, 60), state = 'queued'")
    kinds = {n.notice.action for n in desk.ports.outbox.waiting(NOON)}
    assert kinds == set()
    other = another_incident(desk)
    desk.work()
    assert desk.ports.incidents.get(other).status == "awaiting_approval"
    assert any(n.incident_id == other for n in sent(desk))
    assert first != other


def test_an_incident_that_can_not_even_be_handed_over_is_held_back_and_stops_no_other(desk):
    first = desk.report()
    desk.work()
    change(desk, "UPDATE approvals SET notes = '[' WHERE approval_id = 'A-1'")
    change(desk, "UPDATE timers SET done = true")
    desk.ports.jobs.enqueue(first, "knock", at=desk.clock.now())
    other = another_incident(desk)
    desk.work()
    assert desk.ports.incidents.get(other).status == "awaiting_approval"
    assert desk.ports.jobs.waiting(desk.clock.now(), first) == []
    for attempts in (1, 2):
        desk.clock.move(60)
        (held,) = desk.ports.jobs.waiting(desk.clock.now(), first)
        assert held.attempts == attempts
        desk.runner.run_once()
    change(desk, "UPDATE approvals SET notes = '[]' WHERE approval_id = 'A-1'")
    desk.clock.move(60)
    desk.work()
    assert desk.ports.jobs.waiting(desk.clock.now(), first) == []
    assert desk.pending(first) == "A-1"


def test_a_port_that_fails_in_an_unforeseen_way_leaves_the_others_working(desk):
    class Broken:
        def __init__(self, timers):
            self._timers = timers

        def due(self, at):
            raise ZeroDivisionError("a bug in a ledger")

        def __getattr__(self, name):
            return getattr(self._timers, name)

    object.__setattr__(desk.ports, "timers", Broken(desk.ports.timers))
    incident = desk.report()
    desk.work()
    assert desk.ports.incidents.get(incident).status == "awaiting_approval"
    assert desk.notifier.sent
