"""A checkpoint that can't be read any more costs its own incident some work, and nothing else."""

import sqlite3
from contextlib import closing

import pytest

from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.errors import CheckpointError
from tests.crash.world import World
from tests.invariants import violations

DAMAGES = {
    "cut short": "UPDATE checkpoints SET checkpoint = substr(checkpoint, 1, 40)",
    "overwritten": "UPDATE checkpoints SET checkpoint = x'00ff00ff'",
    "of another kind": "UPDATE checkpoints SET type = 'pickle'",
    "another record": "UPDATE checkpoints SET checkpoint = x'81a16101'",
    "its notes garbled": "UPDATE checkpoints SET metadata = 'no json'",
    "its writes cut short": "UPDATE writes SET value = x'd9'",
}


def damage(world, statement):
    with closing(sqlite3.connect(world.home / "checkpoints.db")) as connection:
        assert connection.execute(statement).rowcount
        connection.commit()


@pytest.fixture
def world(folder):
    return World(folder / "home", kind="rollback_model")


@pytest.mark.parametrize("how", DAMAGES)
def test_while_an_approval_waits_the_plan_is_made_and_asked_anew(world, how):
    incident = world.report()
    world.work()
    first = world.pending(incident)
    damage(world, DAMAGES[how])
    world.ports.jobs.enqueue(incident, "knock", at=world.clock.now())
    world.work()
    assert world.service.approval(first).status == "superseded"
    second = world.pending(incident)
    assert world.service.approval(second).proposal.plan_number == 1
    assert world.to_the_end() == "resolved"
    assert world.actuator.keys == [f"{second}:do"]
    assert violations(world.home) == []


def test_an_answer_to_the_old_question_is_not_carried_out_twice(world):
    incident = world.report()
    world.work()
    approval = world.pending(incident)
    damage(world, DAMAGES["cut short"])
    world.approve(incident)
    assert world.actuator.keys == [f"{approval}:do"]
    assert world.to_the_end() == "resolved"
    assert world.actuator.keys == [f"{approval}:do"]
    assert violations(world.home) == []


def test_while_a_deployment_is_watched_its_guard_stays_in_force(folder):
    world = World(folder / "home", kind="undo")
    incident = world.report()
    world.work()
    world.approve(incident)
    world.training_ends(incident)
    world.approve(incident)
    assert world.case(incident).incident.status == "verifying"
    damage(world, DAMAGES["overwritten"])
    world.to_the_end()
    assert world.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert world.models.serving == {"fraud-detector": "1"}
    assert violations(world.home) == []


def test_checkpoints_that_are_gone_are_made_good_from_the_ledger(world):
    incident = world.report()
    world.work()
    world.saver.conn.close()
    (world.home / "checkpoints.db").unlink()
    world.open()
    assert world.to_the_end() == "resolved"
    assert len(world.actuator.keys) == 1
    assert any("checkpoints are gone" in e.text for e in world.case(incident).timeline)
    assert violations(world.home) == []


def test_a_file_that_is_no_database_any_more_is_put_aside(world, caplog):
    world.report()
    world.work()
    world.saver.conn.close()
    (world.home / "checkpoints.db").write_bytes(b"not a database at all" * 100)
    world.open()
    assert "is kept as" in caplog.text
    assert len(list(world.home.glob("checkpoints.db.damaged-*"))) == 1
    assert world.to_the_end() == "resolved"
    assert violations(world.home) == []


def test_the_other_incidents_go_on(world):
    broken = world.report()
    world.work()
    damage(world, DAMAGES["cut short"])
    other = world.report(alert_type="cost_spike", summary="cost per request 0.31")
    world.ports.jobs.enqueue(broken, "knock", at=world.clock.now())
    world.work()
    assert {world.case(i).incident.status for i in (broken, other)} == {"awaiting_approval"}


def test_what_can_not_even_be_deleted_goes_to_a_person(world):
    incident = world.report()
    world.work()
    damage(world, DAMAGES["cut short"])

    def malformed(thread_id):
        raise CheckpointError("the file of the checkpoints is damaged: malformed")

    world.runner.graph.checkpointer.delete_thread = malformed
    world.ports.jobs.enqueue(incident, "knock", at=world.clock.now())
    world.work()
    case = world.case(incident)
    assert (case.incident.status, case.incident.owner) == ("escalated", "on-call")
    assert case.pending == ()
    assert violations(world.home) == []


def test_a_write_that_fails_half_way_leaves_nothing_behind(folder):
    saver = open_checkpoints(folder / "checkpoints.db")
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "1"}}
    with closing(saver.conn):
        saver.conn.execute(
            "CREATE TRIGGER full AFTER INSERT ON writes WHEN NEW.idx = 1 "
            "BEGIN SELECT RAISE(FAIL, 'no room for the second'); END"
        )
        with pytest.raises(CheckpointError, match="no room for the second"):
            saver.put_writes(config, [("a", 1), ("b", 2)], "task")
        saver.conn.commit()
        assert saver.conn.execute("SELECT count(*) FROM writes").fetchone() == (0,)
