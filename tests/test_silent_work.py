"""Detached work that is silent or overdue is said to be so wherever people look."""

import sqlite3

import pytest
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from agentops_graph.doctor import examine
from agentops_graph.domain.action import RerunPipeline
from tests.data_folder_desk import Desk

SILENT = "the rerun of A-7: 40% 4 of 10 batches; silent for 12 minutes"


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "desk")
    made.incident_id = made.report()
    work, at = made.workshop.ports.work, made.workshop.ports.clock.now()
    rerun = RerunPipeline(pipeline="orders", window_from=at, window_until=at)
    work.open("A-7:do", rerun, made.incident_id, "team:rerun", at=at)
    work.claim("A-7:do")
    work.progress("A-7:do", 0.4, "4 of 10 batches")
    return made


def change(desk, statement):
    with sqlite3.connect(desk.workshop.places.ledger) as ledger:
        ledger.execute(f"UPDATE work SET {statement}")
    ledger.close()


def seen_by_doctor(desk):
    checks = examine(desk.workshop.settings, lambda: desk.workshop.ports)
    (check,) = [check for check in checks if check.name == "detached work"]
    return check


def command(desk, *words):
    home = str(desk.workshop.places.home)
    done = CliRunner().invoke(app, ["--home", home, *words], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def test_the_doctor_names_work_that_is_silent_or_overdue_and_where_it_writes(desk):
    assert seen_by_doctor(desk).state == "ok"
    assert "40% 4 of 10 batches" in seen_by_doctor(desk).seen
    change(desk, "beat = beat - 720")
    assert (seen_by_doctor(desk).state, seen_by_doctor(desk).seen) == ("degraded", SILENT)
    assert "jobs/A-7-do.log" in seen_by_doctor(desk).mend
    change(desk, "ran_s = 15000")
    assert "overdue, running for 4 h 22 min" in seen_by_doctor(desk).seen


def test_chat_tells_of_running_work_and_its_silence(desk):
    assert "Running: the rerun of A-7: 40% 4 of 10 batches." in desk.ask("what is wrong?").text
    change(desk, "beat = beat - 720")
    assert f"Running: {SILENT}." in desk.ask("what is wrong?").text
    desk.report("churn-model")
    assert f"({SILENT})" in desk.ask("what is wrong?").text


def test_the_list_and_the_case_say_it_in_the_terminal(desk):
    assert "silent" not in command(desk, "incidents")
    change(desk, "beat = beat - 720")
    assert "silent for 12 minutes" in command(desk, "incidents", "--open")
    assert SILENT in command(desk, "show", desk.incident_id)
