"""A job that hangs, dies far away or comes too late, as a real process under a real ledger."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agentops_graph.adapters.subprocess_actuator import SubprocessActuator
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.action import RerunPipeline
from agentops_graph.jobs import __main__ as job
from agentops_graph.runner import Runner
from agentops_graph.service import Service
from agentops_graph.settings import SILENCE, read_settings
from tests.desk import MODEL, Desk

ROOT = Path(__file__).parent.parent.parent
KEY = "A-1:do"


class Office(Desk):
    """A desk whose trainings are processes of their own; every one is ended with the test."""

    entry_point = "hangs"
    deadline_s: float | None = None

    def open(self):
        super().open()
        component = self.ports.components[MODEL].model_copy(
            update={
                "entry_points": {"retrain_model": f"tests.jobs.entry_points:{self.entry_point}"},
                "work_deadline_s": self.deadline_s,
            }
        )
        self.started = SubprocessActuator(
            self.ports.work,
            components={MODEL: component},
            home=self.home,
            environment={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "AGENTOPS_AUDIT_KEY": "test key",
                "AGENTOPS_MLFLOW": "false",
            },
        )
        self.ports = replace(
            self.ports,
            components={MODEL: component},
            actuators={**self.ports.actuators, "retrain_model": self.started},
        )
        self.service = Service(self.ports)
        graph = self.runner.graph
        self.runner = Runner(self.ports, graph, kind="desk", lease_s=15, public_url="http://x")

    def trains(self):
        """An incident whose approved training has begun."""
        incident = self.report()
        self.work()
        self.approve(incident)
        assert self.ports.work.find(KEY), self.case(incident).timeline[-1]
        until(lambda: self.ports.work.find(KEY).progress)
        return incident

    @property
    def training(self):
        return self.ports.work.find(KEY)

    def rows(self, statement, *values):
        with sqlite3.connect(self.home / "ledger.db", timeout=30) as ledger:
            ledger.execute(statement, values)
        ledger.close()

    def falls_silent_far_away(self):
        """As if its host were another machine that nobody heard of for twelve minutes."""
        writer = self.training.writer.model_dump() | {"host": "node-3"}
        self.rows("UPDATE work SET writer = ?, beat = beat - 720", json.dumps(writer))

    def is_given_up(self):
        self.falls_silent_far_away()  # again, should its heart have beaten since
        self.work()
        return self.training.state == "lost"


def until(happened, patience_s=60):
    patience_ends = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < patience_ends, "it never happened"
        os.sched_yield()


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def office(tmp_path):
    made = []

    def open_office(entry_point, deadline_s=None):
        kind = type("O", (Office,), {"entry_point": entry_point, "deadline_s": deadline_s})
        made.append(kind(tmp_path / "home"))
        return made[-1]

    yield open_office
    for desk in made:
        for child in desk.started._started:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            child.wait(timeout=20)


def test_a_training_past_its_deadline_is_told_to_end_with_its_helpers_and_the_plan_goes_on(office):
    desk = office("hangs", deadline_s=0.001)
    incident = desk.trains()
    helper = int((desk.home / "helper.pid").read_text())
    until(lambda: desk.work() or desk.training.state == "failed")
    assert "the training of A-1 has been running for" in desk.training.error
    assert desk.started._started[0].wait(timeout=20) == -signal.SIGTERM
    until(lambda: is_gone(helper))
    desk.work()
    (waiting,) = desk.case(incident).pending
    assert waiting.proposal.action.action == "rollback_model"
    said = [row["what"] for row in desk.ports.audit.rows(incident)]
    assert said.count("work.told_to_end") == 1


def test_a_process_that_will_not_end_is_made_to_when_its_grace_is_over(office):
    desk = office("is_deaf", deadline_s=0.001)
    desk.trains()
    desk.work()
    (process,) = desk.started._started
    desk.work()
    assert process.poll() is None
    desk.rows("UPDATE work SET told = told - 31")
    desk.work()
    assert process.wait(timeout=20) == -signal.SIGKILL
    desk.work()
    assert desk.training.state == "failed"


def test_a_training_on_a_host_that_is_gone_becomes_a_persons_and_is_never_begun_again(office):
    desk = office("hangs")
    incident = desk.trains()
    (process,) = desk.started._started
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    until(desk.is_given_up)
    case = desk.case(incident)
    assert case.incident.status == "escalated"
    assert case.incident.needs_reconcile
    why = "the training of A-1 has said nothing for 12 minutes; its host node-3 can't be asked"
    assert why in case.timeline[-1].text
    assert desk.training.state == "lost"
    assert [effect.state for effect in case.effects] == ["unknown"]
    desk.again().work()
    assert desk.training.state == "lost"
    assert desk.started._started == []
    assert desk.ports.audit.verify() is None


def test_a_person_says_what_became_of_it_and_a_retry_asks_anew_and_trains_anew(office):
    desk = office("ends_when_told")
    incident = desk.trains()
    until(desk.is_given_up)
    desk.service.reconcile(KEY, False, actor="mia", note="node-3 is off")
    desk.service.retry(incident, actor="mia")
    desk.work()
    (asked,) = desk.case(incident).pending
    assert (asked.approval_id, asked.proposal.action.action) == ("A-2", "retrain_model")
    desk.approve(incident)
    assert desk.ports.work.find("A-2:do").state in ("open", "running")
    assert desk.training.state == "lost"


def test_the_late_result_of_a_lost_training_is_recorded_and_overwrites_nothing(office):
    desk = office("ends_when_told")
    incident = desk.trains()
    until(desk.is_given_up)
    before = desk.case(incident)
    (desk.home / "end").touch()
    assert desk.started._started[0].wait(timeout=240) == 0
    desk.work()
    after = desk.case(incident)
    assert (desk.training.state, desk.training.result) == ("lost", {})
    assert desk.training.late == "done: trained after all"
    assert (after.incident, after.effects) == (before.incident, before.effects)
    assert after.approvals == before.approvals
    assert "ended after all: done: trained after all" in after.timeline[-1].text
    assert desk.ports.audit.rows(incident)[-1]["what"] == "work.late_result"
    assert desk.ports.audit.verify() is None


def test_a_heart_beats_while_the_work_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "BEAT_S", 0.001)
    desk = Desk(tmp_path / "home")
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.ports.work.claim(KEY)
    desk.rows = Office.rows.__get__(desk)
    desk.rows("UPDATE work SET beat = beat - 720")
    with job._beating(desk.ports.work, KEY):
        until(lambda: desk.ports.work.find(KEY).silent_s < 60)
    assert desk.ports.work.find(KEY).ran_s > 0


def test_children_phone_nobody(office, monkeypatch):
    for name in SILENCE:
        monkeypatch.delenv(name, raising=False)
    workshop = Workshop(read_settings({}, home=office("hangs").home / "other"))
    given = workshop._detached(workshop.ports.work)._environment
    assert SILENCE.items() <= given.items()


def test_what_goes_on_elsewhere_and_can_not_be_followed_is_lost_and_not_failed(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path / "home"))
    workshop = Workshop(read_settings(mlflow=False))
    at = workshop.ports.clock.now()
    rerun = RerunPipeline(pipeline="orders", window_from=at, window_until=at)
    entry_point = "tests.jobs.entry_points:loses_sight"
    workshop.ports.work.open(KEY, rerun, "INC-1", entry_point, at=at)
    assert job.main(KEY) == 1
    held = workshop.ports.work.find(KEY)
    assert (held.state, held.done_by) == ("lost", "airflow.example")
    assert held.error == "the rerun of A-1: airflow.example did not answer"


def test_a_result_is_written_when_the_ledger_can_take_it_again(office):
    desk = office("ends_when_told")
    incident = desk.trains()
    desk.rows("ALTER TABLE work RENAME TO out_of_reach")
    (desk.home / "end").touch()
    (process,) = desk.started._started
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1.5)
    desk.rows("ALTER TABLE out_of_reach RENAME TO work")
    assert process.wait(timeout=240) == 0
    assert desk.training.state == "done"
    desk.work()
    assert desk.case(incident).incident.is_open
