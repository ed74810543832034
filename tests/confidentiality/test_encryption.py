"""Encryption at rest: nothing to read in the files, nothing lost with the wrong key."""

import base64
import os
import sqlite3
import threading
from contextlib import nullcontext

import pytest
from sqlalchemy import text

from agentops_graph.adapters.langgraph_checkpoints import rewrite as rewrite_checkpoints
from agentops_graph.adapters.sqlalchemy_ledger.rewriting import rewrite
from agentops_graph.encryption import Ring
from agentops_graph.errors import CheckpointError, ForgedError, InputError, WrongKeyError
from tests.desk import Desk

MARKER = "Kestrel-7731"  # in no word of ours
FILES = ("ledger.db", "checkpoints.db")


def new_key():
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


class SealedDesk(Desk):
    """A desk whose ledger and checkpoints are written with a ring of keys."""

    def under(self, ring):
        """The same folder, opened with other keys."""
        self.ring = ring
        return self.again()

    def found(self):
        return {
            name: (self.home / name).read_bytes().count(MARKER.encode())
            for name in FILES
            if (self.home / name).exists()
        }

    def encrypt(self):
        checkpoints = rewrite_checkpoints(self.home / "checkpoints.db", self.ring)
        return checkpoints + rewrite(self.database)


def desk_with(home, ring):
    return SealedDesk(home, ring=ring)


def asked(desk):
    """An incident that waits for a person, with the marker wherever people's words go."""
    incident_id = desk.report(summary=f"Model drift of {MARKER}")
    desk.work()
    desk.ports.approval_log.note(desk.pending(incident_id), f"{MARKER} was asked")
    config = {"configurable": {"thread_id": incident_id}}
    desk.saver.put_writes(
        desk.saver.get_tuple(config).config, [("said", f"{MARKER} said")], "task-1"
    )
    return incident_id


def test_without_a_key_the_marker_can_be_read(tmp_path):
    desk = desk_with(tmp_path, Ring(None))
    asked(desk)
    assert all(desk.found().values())  # so that the tests below prove something


def test_with_a_key_no_file_holds_the_words_and_the_loop_goes_to_its_end(tmp_path):
    desk = desk_with(tmp_path, Ring(new_key()))
    incident_id = asked(desk)
    desk.again()
    desk.reject(incident_id, f"{MARKER} is in a release")
    desk.ports.silences.active(desk.clock.now())
    case = desk.case(incident_id)
    assert MARKER in case.incident.title
    assert MARKER in case.alerts[0].summary
    assert MARKER in str(case.approvals)
    assert all(approval.is_genuine for approval in case.approvals)
    assert desk.found() == {"ledger.db": audited(desk), "checkpoints.db": 0}


def audited(desk):
    """The audit stays plain, so that whoever holds its key alone can verify it."""
    return sum(str(row).count(MARKER) for row in desk.ports.audit.rows())


def test_an_old_folder_is_read_and_encrypt_leaves_nothing_plain(tmp_path):
    key = new_key()
    desk = desk_with(tmp_path, Ring(None))
    incident_id = asked(desk)
    before = desk.case(incident_id)
    desk.under(Ring(key))
    assert desk.case(incident_id) == before
    desk.report(summary=f"Latency of {MARKER}", alert_type="latency")
    plain = desk.found()
    assert all(plain.values())
    assert desk.encrypt() > 0
    assert desk.found() == dict.fromkeys(FILES, 0)
    assert desk.encrypt() == 0  # a second time there is nothing to do
    assert desk.case(incident_id) == before
    desk.approve(incident_id)
    assert desk.ports.audit.verify() is None


def test_a_stopped_rewriting_loses_nothing_and_is_ended_the_next_time(tmp_path):
    desk = desk_with(tmp_path, Ring(None))
    incident_id = asked(desk)
    before = desk.case(incident_id)
    desk.under(Ring(new_key()))

    class PowerCutError(Exception):
        pass

    def cut(_rows):
        raise PowerCutError

    with pytest.raises(PowerCutError):
        rewrite(desk.database, cut)
    assert desk.case(incident_id) == before
    desk.encrypt()
    assert desk.case(incident_id) == before
    assert desk.found() == dict.fromkeys(FILES, 0)


def leave_free_pages(file):
    """Pages with the marker that are in no table any more."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE passing (words TEXT)")
    connection.execute("INSERT INTO passing VALUES (?)", [MARKER + "." * 9000])
    connection.execute("DROP TABLE passing")
    connection.close()


def test_free_pages_are_forgotten_though_every_value_was_rewritten_before(tmp_path):
    desk = desk_with(tmp_path, Ring(new_key()))
    asked(desk)
    desk.encrypt()
    for name in FILES:
        leave_free_pages(tmp_path / name)
    assert all(count > 0 for count in desk.found().values())  # as a stopped `encrypt` leaves them
    assert desk.encrypt() == 0
    assert desk.found() == dict.fromkeys(FILES, 0)


@pytest.mark.parametrize("together", [False, True])
def test_a_process_without_the_key_writes_nothing_plain_after_encrypt(tmp_path, together):
    old = desk_with(tmp_path, Ring(None))
    asked(old)
    new = desk_with(tmp_path, Ring(new_key()))
    new.encrypt()
    block = old.ports.incidents.together if together else nullcontext
    with pytest.raises(WrongKeyError, match="was encrypted with key"), block():
        old.report(summary=f"Latency of {MARKER}", alert_type="latency")
    with pytest.raises(WrongKeyError):
        old.ports.log.listed()
    assert new.found() == dict.fromkeys(FILES, 0)


def test_a_process_with_a_key_that_was_taken_away_writes_nothing_that_none_can_read(tmp_path):
    key = new_key()
    old = desk_with(tmp_path, Ring(key))
    asked(old)
    new = desk_with(tmp_path, Ring(None, key))
    new.encrypt()
    with pytest.raises(WrongKeyError, match="plain text now"):
        old.report(summary="Latency", alert_type="latency")


def test_a_runner_without_the_key_stops(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("agentops_graph.runner.BEAT_S", 0.01)
    old = desk_with(tmp_path, Ring(None))
    asked(old)
    stop = threading.Event()
    thread = threading.Thread(target=old.runner.run, args=(stop,), kwargs={"every_s": 0.01})
    thread.start()
    try:
        desk_with(tmp_path, Ring(new_key())).encrypt()
        thread.join(timeout=20)
        assert not thread.is_alive()
    finally:
        stop.set()
        thread.join()
    assert isinstance(old.runner.refusal, WrongKeyError)
    assert "stops: AGENTOPS_ENCRYPTION_KEY" in caplog.text


def test_a_key_is_changed_for_another_and_taken_away(tmp_path):
    first, second = new_key(), new_key()
    desk = desk_with(tmp_path, Ring(first))
    incident_id = asked(desk)
    before = desk.case(incident_id)
    desk.under(Ring(second, first))
    assert desk.case(incident_id) == before
    desk.encrypt()
    desk.under(Ring(second))
    assert desk.case(incident_id) == before
    with pytest.raises(InputError, match="AGENTOPS_ENCRYPTION_KEY"):
        desk.under(Ring(first))
    desk.under(Ring(None, second))
    desk.encrypt()
    desk.under(Ring(None))
    assert desk.case(incident_id) == before
    assert all(desk.found().values())
    desk.approve(incident_id)  # the checkpoint can be read as well


@pytest.mark.parametrize("ring", [Ring(None), Ring(new_key())], ids=["none", "another"])
def test_the_wrong_key_is_refused_at_the_door_and_nothing_is_lost(tmp_path, ring):
    key = new_key()
    desk = desk_with(tmp_path, Ring(key))
    incident_id = asked(desk)
    before, rows = desk.case(incident_id), len(desk.ports.audit.rows())
    with pytest.raises(InputError, match="was encrypted with key"):
        desk.under(ring)
    desk.under(Ring(key))
    assert desk.case(incident_id) == before
    assert len(desk.ports.audit.rows()) == rows


def test_sealed_text_that_was_changed_or_moved_is_found(tmp_path):
    desk = desk_with(tmp_path, Ring(new_key()))
    incident_id = asked(desk)
    with desk.database.write() as c:
        c.execute(text("UPDATE incidents SET summary = title"))
    with pytest.raises(ForgedError, match=r"incidents\.summary"):
        desk.ports.incidents.get(incident_id)


def test_a_sealed_checkpoint_that_was_changed_is_damaged_and_the_ledger_goes_on(tmp_path):
    desk = desk_with(tmp_path, Ring(new_key()))
    incident_id = asked(desk)
    with desk.saver.cursor() as cursor:
        cursor.execute("UPDATE checkpoints SET checkpoint = zeroblob(100)")
    with pytest.raises(CheckpointError):
        desk.saver.get_tuple({"configurable": {"thread_id": incident_id}})
    desk.approve(incident_id)
    assert desk.case(incident_id).effects


@pytest.mark.parametrize("words", ["enc1.00000000.AAAA", "enc0.x", "enc1."])
@pytest.mark.parametrize("ring", [Ring(None), Ring(new_key())], ids=["plain", "sealed"])
def test_words_that_look_like_sealed_ones_are_kept_as_they_are(tmp_path, ring, words):
    desk = desk_with(tmp_path, ring)
    incident_id = desk.report(summary=words)
    assert desk.ports.incidents.get(incident_id).title == words
    desk.encrypt()
    assert desk.ports.incidents.get(incident_id).title == words


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        ("short", "not url-safe base64"),
        ("c2hvcnQ=", "holds 5 bytes"),
        ("ö" * 44, "not url-safe base64"),
        (base64.urlsafe_b64encode(b"x" * 64).decode(), "holds 64 bytes"),
    ],
)
def test_a_malformed_key_says_what_is_wrong_and_not_what_it_is(key, seen):
    with pytest.raises(InputError, match="AGENTOPS_ENCRYPTION_KEY") as caught:
        Ring(key)
    assert seen in str(caught.value)
    assert key not in str(caught.value)
