"""Whoever gives up detached work, or has it end, is killed in the middle; the next goes on."""

import os
import signal
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from agentops_graph import faults
from agentops_graph.adapters.memory.outside import SteppingClock
from agentops_graph.adapters.sqlalchemy_ledger import Database
from agentops_graph.adapters.sqlalchemy_ledger.writers import this_process
from agentops_graph.domain.action import RerunPipeline
from agentops_graph.domain.policy import Policy
from agentops_graph.overdue import look_after
from tests.contracts.desk import AT, KEY, after, sql_desk

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
WORK = "A-1:do"
ALIVE = "import signal; print(flush=True); signal.pause()"


class Books:
    """A ledger with detached work, as each process opens it."""

    def __init__(self, home, **policy):
        self.home, self._policy = home, policy
        self.database = Database(f"sqlite:///{home / 'ledger.db'}", audit_key=KEY)
        self.desk = sql_desk(self.database)

    def begin(self):
        approval, lease = self.desk.approved()
        effect = self.desk.begin(approval, lease)
        self.desk.effects.finish(effect.key, lease.token, "done", at=after(130))
        rerun = RerunPipeline(pipeline="orders", window_from=AT, window_until=AT)
        self.desk.work.open(effect.key, rerun, effect.incident_id, "team:rerun", at=AT)
        self.desk.work.claim(effect.key)

    def changed(self, statement, **values):
        with self.database.write() as connection:
            connection.execute(text(f"UPDATE work SET {statement}"), values)

    def claimed_by(self, **changes):
        writer = this_process().model_copy(update=changes)
        self.changed("writer = :writer", writer=writer.model_dump_json())

    def swept(self):
        """What any runner does with the work that is underway."""
        clock = SteppingClock(after(900))
        ports = SimpleNamespace(
            work=self.desk.work,
            incidents=self.desk.incidents,
            outbox=self.desk.outbox,
            policy=Policy(**self._policy),
            clock=clock,
        )
        return sum(look_after(ports, work) for work in self.desk.work.underway())

    def ended(self):
        self.desk.work.finish(WORK, error=None, result={"summary": "late"}, at=after(950))

    def killed(self, point, deed):
        """Does it in a forked process that is killed there."""
        self.database.close()  # what a fork must not share
        child = os.fork()
        if child == 0:
            faults.arm(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
            try:
                deed(Books(self.home, **self._policy))
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL

    def told(self):
        return Counter(self.desk.said_in_audit())


@pytest.fixture
def silent(folder):
    """Work of a host that nobody heard of for twelve minutes."""
    books = Books(folder)
    books.begin()
    books.claimed_by(host="node-3")
    books.changed("beat = beat - 720")
    yield books
    books.database.close()


@pytest.mark.parametrize("point", ["work.before_lost", "work.lost"])
def test_killed_while_it_gives_work_up_it_is_lost_once_and_its_incident_resumes(silent, point):
    silent.killed(point, Books.swept)
    assert silent.swept() == int(point == "work.before_lost")
    assert silent.swept() == 0
    assert silent.desk.work.find(WORK).state == "lost"
    assert silent.desk.effects.find(WORK).state == "unknown"
    jobs = [job.why for job in silent.desk.jobs.waiting(after(900))]
    assert jobs.count(f"work {WORK}") == 1
    assert (silent.told()["work.lost"], silent.told()["effect.unknown"]) == (1, 1)
    assert silent.desk.audit.verify() is None


def test_killed_while_a_late_result_is_written_down_it_is_recorded_once_or_not_at_all(silent):
    silent.swept()
    silent.killed("work.before_late", Books.ended)
    assert silent.desk.work.find(WORK).late is None
    assert silent.told()["work.late_result"] == 0
    silent.ended()
    silent.ended()
    assert silent.desk.work.find(WORK).late == "done: late"
    assert silent.told()["work.late_result"] == 1
    assert silent.desk.work.find(WORK).state == "lost"


def started(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[19]


@pytest.fixture
def process():
    """One that leads a session, as detached work does."""
    with subprocess.Popen(
        [sys.executable, "-c", ALIVE], stdout=subprocess.PIPE, start_new_session=True
    ) as made:
        made.stdout.readline()
        yield made
        made.kill()


def test_killed_before_the_word_is_given_the_process_still_ends(folder, process):
    books = Books(folder, work_deadline_s=0.001)
    books.begin()
    books.claimed_by(pid=process.pid, started=started(process.pid))
    books.killed("work.before_signal", Books.swept)
    assert books.swept() == 0  # told, says its row; its grace is not over
    assert process.poll() is None
    books.changed("told = told - 31")
    assert books.swept() == 1
    assert process.wait(timeout=20) == -signal.SIGKILL
    books.desk.jobs.adopt_orphans(after(960))
    assert books.desk.work.find(WORK).state == "failed"
    assert "may run for" in books.desk.work.find(WORK).error
    assert books.told()["work.told_to_end"] == 1
    books.database.close()


@pytest.mark.parametrize("changes", [{"started": "1"}, {"boot_id": "b"}, {"host": "node-3"}])
def test_a_process_that_is_not_proved_to_be_the_very_same_is_left_alone(folder, process, changes):
    books = Books(folder, work_deadline_s=0.001)
    books.begin()
    books.claimed_by(**{"pid": process.pid, "started": started(process.pid)} | changes)
    for _ in range(2):
        books.swept()
        books.changed("told = told - 31")
    assert process.poll() is None
    assert books.told()["work.told_to_end"] == 0
    books.database.close()


def test_a_heartbeat_of_another_boot_is_counted_from_the_first_look_at_it(folder):
    books = Books(folder)
    books.begin()
    books.claimed_by(host="node-3")
    books.changed("beat = 5.0e9, beat_clock = 'of-another-boot'")
    assert books.swept() == 0
    assert books.desk.work.find(WORK).silent_s < 60
    books.changed("beat = beat - 720")
    assert books.swept() == 1
    assert books.desk.work.find(WORK).state == "lost"
    books.database.close()


def test_a_follower_that_died_leaves_its_work_in_doubt_and_not_failed(folder, process):
    books = Books(folder)
    books.begin()
    books.desk.work.progress(WORK, 0.1, "triggered", done_by="models.example")
    books.claimed_by(pid=process.pid, started=started(process.pid))
    process.kill()
    process.wait(timeout=20)
    books.desk.jobs.adopt_orphans(after(960))
    assert books.desk.work.find(WORK).state == "running"
    assert books.swept() == 1
    lost = books.desk.work.find(WORK)
    assert lost.state == "lost"
    assert "whether models.example goes on with it is not known" in lost.error
    books.database.close()
