"""Contract of detached work as runners look after it: heartbeats, loss and late results."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from agentops_graph.adapters.sqlalchemy_ledger.writers import this_process
from agentops_graph.domain.action import RerunPipeline
from agentops_graph.errors import RefusedError
from tests.contracts.desk import AT, after, sql_desk

RERUN = RerunPipeline(pipeline="transactions", window_from=after(-600), window_until=AT)
WHY = "the rerun of A-1 has said nothing for 12 minutes; its host node-3 can't be asked"


def begun(desk, key="A-1:do", incident_id="INC-1", **more):
    desk.work.open(key, RERUN, incident_id, "team:rerun", at=AT, **more)
    return desk.work.claim(key)


def begun_by_effect(desk):
    """Work whose effect is done, as it is while a training runs."""
    approval, lease = desk.approved()
    effect = desk.begin(approval, lease)
    desk.effects.finish(effect.key, lease.token, "done", at=after(130))
    begun(desk, effect.key, effect.incident_id)
    (work,) = desk.work.underway()
    return work, lease


def falls_silent(desk, key, seconds):
    """Its last heartbeat was that much earlier."""
    database = getattr(desk.work, "_db", None)
    if database is None:
        held = desk.work._ledger.work[key]
        desk.work._changed(held, beat=held.beat - seconds)
        return
    with database.write() as connection:
        query = text("UPDATE work SET beat = beat - :seconds WHERE key = :key")
        connection.execute(query, {"seconds": seconds, "key": key})


def test_work_has_a_heartbeat_from_its_claim(desk):
    desk.work.open("A-1:do", RERUN, "INC-1", "team:rerun", at=AT, longest_s=90)
    assert desk.work.find("A-1:do").silent_s is None
    assert desk.work.underway() == []
    desk.work.claim("A-1:do")
    (work,) = desk.work.underway()
    assert work.silent_s < 60
    assert (work.ran_s, work.longest_s, work.whereabouts) == (0, 90, "here")


def test_a_heartbeat_ends_a_silence_and_says_how_long_the_work_has_run(desk):
    begun(desk)
    falls_silent(desk, "A-1:do", 700)
    assert desk.work.find("A-1:do").silent_s >= 700
    desk.work.beat("A-1:do", 42.5)
    assert desk.work.find("A-1:do").silent_s < 60
    falls_silent(desk, "A-1:do", 700)
    desk.work.beat("A-1:do")  # of a runner that can't read the last one
    assert desk.work.find("A-1:do").silent_s < 60
    assert desk.work.find("A-1:do").ran_s == 42.5


def test_work_that_waits_or_has_ended_has_no_heart(desk):
    desk.work.open("A-1:do", RERUN, "INC-1", "team:rerun", at=AT)
    desk.work.beat("A-1:do", 5)
    assert desk.work.find("A-1:do").ran_s == 0
    desk.work.claim("A-1:do")
    desk.work.finish("A-1:do", error=None, result={}, at=after(9))
    desk.work.beat("A-1:do", 5)
    assert desk.work.find("A-1:do").ran_s == 0
    assert desk.work.underway() == []


def test_work_that_another_system_does_names_it(desk):
    begun(desk)
    desk.work.progress("A-1:do", 0.1, "triggered", done_by="models.example")
    desk.work.progress("A-1:do", 0.2, "training")
    assert desk.work.find("A-1:do").done_by == "models.example"


def test_lost_work_resumes_its_incident_and_puts_its_effect_in_doubt(desk):
    work, _ = begun_by_effect(desk)
    waiting = len(desk.jobs.waiting(after(140)))
    assert desk.work.lose(work, why=WHY, at=after(140))
    lost = desk.work.find(work.key)
    assert (lost.state, lost.error, lost.ended_at) == ("lost", WHY, None)
    assert desk.effects.find(work.key).state == "unknown"
    assert desk.incidents.get(work.incident_id).needs_reconcile
    assert desk.jobs.waiting(after(140))[-1].why == f"work {work.key}"
    assert len(desk.jobs.waiting(after(140))) == waiting + 1
    assert desk.said_in_audit(work.incident_id)[-2:] == ["effect.unknown", "work.lost"]
    settled = desk.effect_log.settle(work.key, "failed", by="mia", note="off", at=after(150))
    assert settled.state == "failed"


def test_nothing_else_begins_on_a_target_while_work_on_it_is_under_way(desk):
    work, _ = begun_by_effect(desk)
    first = desk.incidents.get(work.incident_id)
    desk.incidents.update(first.incident_id, status="resolved", ended_at=after(135))
    approval, lease = desk.approved()
    with pytest.raises(RefusedError, match="still under way"):
        desk.begin(approval, lease, at=after(140))
    desk.work.finish(work.key, error=None, result={}, at=after(150))
    assert desk.begin(approval, lease, at=after(160)).state == "intent"


def test_work_is_lost_once_and_never_done_again(desk):
    begun(desk)
    (work,) = desk.work.underway()
    assert desk.work.lose(work, why=WHY, at=after(10))
    assert not desk.work.lose(work, why="again", at=after(11))
    assert desk.work.claim("A-1:do") is None
    assert desk.work.open("A-1:do", RERUN, "INC-1", "team:rerun", at=after(12)).state == "lost"
    assert desk.work.find("A-1:do").error == WHY
    assert [j.why for j in desk.jobs.waiting(after(12))] == ["work A-1:do"]


def test_work_that_beat_since_it_was_looked_at_is_not_lost(desk):
    begun(desk)
    falls_silent(desk, "A-1:do", 700)
    (work,) = desk.work.underway()
    desk.work.beat("A-1:do", 5)
    assert not desk.work.lose(work, why=WHY, at=after(10))
    assert desk.work.find("A-1:do").state == "running"


def test_work_that_ended_since_it_was_looked_at_is_not_lost(desk):
    begun(desk)
    (work,) = desk.work.underway()
    desk.work.finish("A-1:do", error=None, result={"summary": "4 batches"}, at=after(9))
    assert not desk.work.lose(work, why=WHY, at=after(10))
    assert desk.work.find("A-1:do").state == "done"


def test_an_effect_stays_done_while_another_on_its_target_is_open(desk):
    work, lease = begun_by_effect(desk)
    approval = desk.approvals.get(work.key.partition(":")[0])
    begun_too = desk.begin(approval, lease, "undo")
    assert desk.work.lose(work, why=WHY, at=after(140))
    assert desk.effects.find(work.key).state == "done"
    assert desk.effects.find(begun_too.key).state == "intent"


@pytest.mark.parametrize(
    ("error", "late"), [(None, "done: 4 batches"), ("out of memory", "failed: out of memory")]
)
def test_the_late_result_of_lost_work_is_recorded_once_and_overwrites_nothing(desk, error, late):
    work, _ = begun_by_effect(desk)
    desk.work.lose(work, why=WHY, at=after(140))
    jobs = desk.jobs.waiting(after(999))
    for at in (after(200), after(300)):
        told = desk.work.finish(work.key, error=error, result={"summary": "4 batches"}, at=at)
        assert told.late == late
    held = desk.work.find(work.key)
    assert (held.state, held.result, held.error, held.late) == ("lost", {}, WHY, late)
    assert desk.effects.find(work.key).state == "unknown"
    assert desk.jobs.waiting(after(999)) == jobs
    assert desk.said_in_audit(work.incident_id).count("work.late_result") == 1


def test_a_process_that_leads_no_session_of_detached_work_is_not_told_to_end(desk):
    begun(desk)  # by this very process
    (work,) = desk.work.underway()
    assert not desk.work.tell_to_end(work, why="it takes too long", at=after(10))
    assert desk.work.find("A-1:do").state == "running"


DEAF = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"


def test_the_proved_process_is_asked_to_end_once_and_made_to_once(database):
    desk = sql_desk(database)
    begun(desk)
    command = [sys.executable, "-c", DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()
        stat = Path(f"/proc/{process.pid}/stat").read_text()
        start = stat.rpartition(")")[2].split()[19]
        writer = this_process().model_copy(update={"pid": process.pid, "started": start})
        set_(database, "writer = :writer", writer=writer.model_dump_json())

        def told():
            (work,) = desk.work.underway()
            return desk.work.tell_to_end(work, why="it takes too long", at=after(10))

        assert [told(), told()] == [True, False]
        assert process.poll() is None
        set_(database, "told = told - 31")
        assert told()
        assert process.wait(timeout=20) == -signal.SIGKILL
        assert desk.work.underway()[0].whereabouts == "gone"
        assert not told()
    assert desk.said_in_audit() == ["work.told_to_end"]


def set_(database, statement, **values):
    with database.write() as connection:
        connection.execute(text(f"UPDATE work SET {statement}"), values)
