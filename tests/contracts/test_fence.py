"""Contract of `Leases.fenced`: what a runner still writes after it was overtaken does not land."""

from threading import Event, Thread

import pytest

from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.ledger import Chapter, Note, Timer
from agentops_graph.errors import ConflictError
from tests.contracts.desk import AT, after, at_once, slack, sql_desk

NOTE = Note(values={"drift_score": 0.47})


def event(incident_id, text):
    return TimelineEvent(incident_id=incident_id, at=AT, node="report", kind="step", text=text)


def overtaken(desk):
    """The lease of a runner, and the incident that has gone to another one since."""
    incident_id = desk.report().incident_id
    lease = desk.leases.acquire(incident_id, "runner-1", 60)
    desk.leases.release(lease)
    assert desk.leases.acquire(incident_id, "runner-2", 60).token == lease.token + 1
    return incident_id, lease


WRITES = {
    "status": lambda desk, i: desk.incidents.update(i, event(i, "stale"), status="resolved"),
    "record": lambda desk, i: desk.incidents.keep(Chapter(incident_id=i, kind="look"), NOTE),
    "job": lambda desk, i: desk.jobs.enqueue(i, "stale", at=AT),
    "notice": lambda desk, i: desk.outbox.put(i, slack(), marker="m", reason="informs", at=AT),
    "timer": lambda desk, i: desk.timers.set(
        Timer(timer_id="t", kind="look", incident_id=i, due_at=AT)
    ),
}


@pytest.mark.parametrize("what", WRITES)
def test_nothing_that_an_overtaken_runner_writes_lands(desk, what):
    incident_id, lease = overtaken(desk)
    before = said(desk, incident_id)
    with desk.leases.fenced(lease), pytest.raises(ConflictError, match="went to another runner"):
        WRITES[what](desk, incident_id)
    assert said(desk, incident_id) == before
    WRITES[what](desk, incident_id)  # as anybody else, outside the fence
    assert said(desk, incident_id) != before


def said(desk, incident_id):
    return (
        desk.incidents.get(incident_id),
        desk.log.timeline(incident_id),
        desk.incidents.kept(incident_id, "look"),
        desk.jobs.waiting(AT),
        desk.outbox.listed(),
        desk.timers.due(after(1)),
    )


def test_whoever_holds_the_lease_writes_inside_the_fence(desk):
    incident_id = desk.report().incident_id
    lease = desk.leases.acquire(incident_id, "runner-1", 60)
    with desk.leases.fenced(lease), desk.incidents.together():
        desk.incidents.update(incident_id, event(incident_id, "closed"), status="resolved")
        desk.jobs.enqueue(incident_id, "later", at=AT)
    assert desk.incidents.get(incident_id).status == "resolved"


def test_a_lease_that_ran_out_and_went_to_nobody_still_lets_its_holder_write(desk):
    incident_id = desk.report().incident_id
    lease = desk.leases.acquire(incident_id, "runner-1", 0.0)
    assert not desk.leases.holds(lease)
    with desk.leases.fenced(lease):
        desk.incidents.update(incident_id, status="investigating")
    assert desk.incidents.get(incident_id).status == "investigating"


def test_the_late_result_of_an_effect_is_written_down_through_the_fence(desk):
    approval, lease = desk.approved()
    effect = desk.begin(approval, lease)
    desk.leases.release(lease)
    desk.leases.acquire(lease.incident_id, "runner-2", 60)
    with desk.leases.fenced(lease):
        done = desk.effects.finish(effect.key, lease.token, "done", at=after(121))
    assert done.state == "done"


def test_a_lease_that_another_could_take_in_between_ends_the_whole_block(database):
    desk = sql_desk(database)
    incident_id = desk.report().incident_id
    lease = desk.leases.acquire(incident_id, "runner-1", 0.0)

    def go_on():
        with desk.leases.fenced(lease), desk.incidents.together():
            desk.incidents.get(incident_id)
            at_once(lambda _: desk.leases.acquire(incident_id, "runner-2", 60), times=1)
            desk.incidents.update(incident_id, status="resolved")

    with pytest.raises(ConflictError):
        go_on()
    assert desk.incidents.get(incident_id).status == "detected"


def test_who_takes_the_lease_waits_for_the_write_that_was_let_in(database):
    """Then the new runner reads what the old one wrote, and the old one writes no more."""
    desk = sql_desk(database)
    incident_id = desk.report().incident_id
    lease = desk.leases.acquire(incident_id, "runner-1", 0.0)
    seen, asking = [], Event()

    def take():
        asking.set()
        assert desk.leases.acquire(incident_id, "runner-2", 60) is not None
        seen.append(desk.incidents.get(incident_id).status)

    taker = Thread(target=take)
    with desk.leases.fenced(lease), desk.incidents.together():
        desk.incidents.update(incident_id, status="investigating")
        taker.start()
        assert asking.wait(30)
        taker.join(0.2)  # it can't get on while this block is open
        assert taker.is_alive()
        desk.incidents.update(incident_id, status="acting")
    taker.join(30)
    assert seen == ["acting"]
    with desk.leases.fenced(lease), pytest.raises(ConflictError):
        desk.incidents.update(incident_id, status="resolved")
