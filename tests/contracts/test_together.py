"""Contract of `Incidents.together`: what a node writes at its end is one transaction."""

import pytest

from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.errors import RefusedError
from tests.contracts.desk import AT, after, at_once, slack, sql_desk

NOTE = Note(values={"drift_score": 0.47})


def chapter(incident_id, step=0):
    return Chapter(incident_id=incident_id, kind="measurement", step=step)


def event(incident_id, text="measured again"):
    return TimelineEvent(incident_id=incident_id, at=AT, node="detect", kind="step", text=text)


def test_writes_of_several_ports_join_and_are_read_inside_the_block(desk):
    incident_id = desk.report().incident_id
    with desk.incidents.together():
        desk.incidents.keep(chapter(incident_id), NOTE)
        desk.incidents.update(incident_id, event(incident_id), status="investigating")
        desk.outbox.put(incident_id, slack(), marker="m", reason="informs", at=AT)
        assert desk.incidents.get(incident_id).status == "investigating"
        assert len(desk.incidents.kept(incident_id, "measurement")) == 1
    assert desk.incidents.get(incident_id).status == "investigating"
    assert [e.text for e in desk.log.timeline(incident_id)] == ["measured again"]
    assert [n.marker for n in desk.outbox.waiting(AT)] == ["m"]
    assert desk.audit.verify() is None


def test_a_block_inside_a_block_joins_the_outer_one(database):
    desk = sql_desk(database)
    incident_id = desk.report().incident_id

    def fail():
        with desk.incidents.together():
            with desk.incidents.together():
                desk.incidents.keep(chapter(incident_id), NOTE)
            raise RefusedError("after the inner block ended")

    with pytest.raises(RefusedError, match="after the inner"):
        fail()
    assert desk.incidents.kept(incident_id, "measurement") == []


def test_a_block_that_fails_leaves_nothing_and_the_next_write_is_its_own(database):
    desk = sql_desk(database)
    incident_id = desk.report().incident_id

    def fail():
        with desk.incidents.together():
            desk.incidents.keep(chapter(incident_id), NOTE)
            desk.outbox.put(incident_id, slack(), marker="m", reason="informs", at=AT)
            raise RefusedError("the node failed")

    with pytest.raises(RefusedError, match="the node failed"):
        fail()
    assert desk.incidents.kept(incident_id, "measurement") == []
    assert desk.outbox.listed() == []
    desk.incidents.update(incident_id, event(incident_id))
    assert len(desk.log.timeline(incident_id)) == 1
    assert desk.audit.verify() is None


def test_others_write_freely_until_the_blocks_first_write(database):
    desk = sql_desk(database)
    incident_id = desk.report().incident_id
    with desk.incidents.together():
        desk.incidents.get(incident_id)
        written = at_once(lambda n: desk.incidents.keep(chapter(incident_id, n), NOTE), times=2)
        assert written == [NOTE.model_dump(mode="json")] * 2
        desk.incidents.keep(chapter(incident_id, 9), NOTE)
    assert [c.step for c, _ in desk.incidents.kept(incident_id, "measurement")] == [0, 1, 9]


def test_blocks_of_several_threads_follow_each_other(database):
    desk = sql_desk(database)
    incident_id = desk.report().incident_id

    def write(number):
        with desk.incidents.together():
            desk.incidents.keep(chapter(incident_id, number), NOTE)
            desk.jobs.enqueue(incident_id, f"round {number}", at=after(1))
            desk.audit.write(f"round-{number}", actor="mia", via="cli", at=AT)

    assert at_once(write) == [None] * 6
    assert len(desk.incidents.kept(incident_id, "measurement")) == 6
    assert len(desk.jobs.waiting(after(1))) == 7
    assert desk.audit.verify() is None


def test_blocks_that_write_the_same_rows_in_opposite_orders_all_end(database):
    desk = sql_desk(database)
    incident_id = desk.report().incident_id
    steps = [
        lambda number: desk.incidents.update(incident_id, event(incident_id, f"round {number}")),
        lambda number: desk.audit.write(f"round-{number}", actor="mia", via="cli", at=AT),
    ]

    def write(number):
        for _ in range(10):
            with desk.incidents.together():
                for step in steps if number % 2 else reversed(steps):
                    step(number)

    assert at_once(write) == [None] * 6
    assert len(desk.log.timeline(incident_id)) == 60
    assert desk.audit.verify() is None
