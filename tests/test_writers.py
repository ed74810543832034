"""What proves that the process which wrote an intent is gone, and what does not."""

import os
import subprocess
import sys

import pytest

from agentops_graph.adapters.sqlalchemy_ledger import writers
from agentops_graph.adapters.sqlalchemy_ledger.writers import OF_THE_MACHINE, is_dead, this_process
from agentops_graph.domain.effect import Writer

CONTAINER = "pid:[4026532999]"


def ended():
    """A process that has just ended, as the one it was."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stat = writers._state_and_start(child.pid)
    child.communicate(b"\n", timeout=240)
    return this_process().model_copy(update={"pid": child.pid, "started": stat[1]})


@pytest.fixture
def gone():
    return ended()


@pytest.fixture
def on_a_machine(monkeypatch):
    """As if outside of any container, wherever the tests run."""
    monkeypatch.setattr(writers, "_pid_namespace", lambda: OF_THE_MACHINE)
    monkeypatch.setattr(writers, "_machine_id", lambda: "this-machine")


def changed(writer, **changes):
    return writer.model_copy(update=changes)


def test_a_process_that_ended_here_is_dead_and_this_one_is_not(gone):
    assert is_dead(gone)
    assert not is_dead(this_process())


def test_a_number_that_another_process_got_since_is_proof(gone):
    assert is_dead(changed(this_process(), started="1"))


def test_a_child_that_ended_and_was_not_waited_for_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    started = writers._state_and_start(child.pid)[1]
    assert child.stdout.read() == b""  # it has closed everything: nothing more will be done
    while writers._state_and_start(child.pid)[0] != "Z":
        os.sched_yield()
    assert is_dead(changed(this_process(), pid=child.pid, started=started))
    child.wait(timeout=240)
    child.stdout.close()


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"host": "another-host"},
        {"machine_id": "another-machine"},
        {"machine_id": "another-machine", "boot_id": "another-boot"},
        {"host": "another-host", "boot_id": "another-boot"},
        {"pid_namespace": CONTAINER},
        {"pid_namespace": ""},
        {"boot_id": "unknown-boot"},
        {"pid": 0},
        {"pid": -1},
        {"pid": 2**40},
    ],
    ids=str,
)
def test_what_ran_where_nobody_here_can_look_is_not_proved_dead(gone, elsewhere):
    assert not is_dead(changed(gone, **elsewhere))


def test_an_earlier_boot_of_the_same_machine_is_proof(on_a_machine, gone):
    here = this_process()  # alive as its number is: that number was another's in that boot
    assert is_dead(changed(here, boot_id="an-earlier-boot"))


@pytest.mark.parametrize(
    "doubt",
    [
        {"machine_id": "another-machine"},
        {"machine_id": ""},
        {"pid_namespace": CONTAINER},
        {"host": "another-host"},
    ],
    ids=str,
)
def test_another_boot_of_what_may_be_another_machine_is_no_proof(on_a_machine, doubt):
    assert not is_dead(changed(this_process(), boot_id="another-boot", **doubt))


@pytest.mark.parametrize(
    ("what", "own"), [("_pid_namespace", CONTAINER), ("_machine_id", ""), ("_pid_namespace", "")]
)
def test_in_a_container_another_boot_is_no_proof(on_a_machine, monkeypatch, what, own):
    """Pods of one name and one image, with the image's machine id, run on several machines."""
    monkeypatch.setattr(writers, what, lambda: own)
    assert not is_dead(changed(this_process(), boot_id="another-boot"))


def test_two_containers_that_share_host_name_and_numbers_do_not_bury_each_other(gone, monkeypatch):
    monkeypatch.setattr(writers, "_pid_namespace", lambda: CONTAINER)
    assert not is_dead(changed(gone, pid_namespace="pid:[4026532111]"))
    assert is_dead(changed(gone, pid_namespace=CONTAINER))


def test_a_row_of_an_older_version_proves_nothing_on_this_boot(gone):
    row = gone.model_dump(exclude={"machine_id", "pid_namespace"})
    old = Writer.model_validate(row)
    assert not is_dead(old)
    assert is_dead(changed(old, boot_id="an-earlier-boot"))
    assert not is_dead(changed(old, boot_id="an-earlier-boot", host="another-host"))


@pytest.mark.parametrize("trouble", [PermissionError, FileNotFoundError, OSError])
def test_a_process_that_proc_hides_is_not_proved_dead(monkeypatch, trouble):
    """`hidepid` makes another user's process look as if there were none."""
    me = this_process()
    monkeypatch.setattr(writers, "Path", unreadable(trouble))
    assert not is_dead(me)


def test_another_users_process_of_the_same_start_is_alive(monkeypatch):
    def forbidden(pid, signal):
        raise PermissionError("not yours")

    monkeypatch.setattr(os, "kill", forbidden)
    assert not is_dead(this_process())
    assert is_dead(changed(this_process(), started="1"))


def test_a_writer_whose_own_start_could_not_be_read_is_dead_only_when_its_number_is_free(gone):
    assert not is_dead(changed(this_process(), started=""))
    assert is_dead(changed(gone, started=""))


def unreadable(trouble):
    class Hidden:
        def __init__(self, path):
            self.path = path

        def read_text(self):
            raise trouble(self.path)

    return Hidden
