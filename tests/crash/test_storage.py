"""The ledger or the checkpoints can't be written: said clearly, nothing done, and then gone on."""

import sqlite3
from contextlib import closing
from itertools import count

import pytest
from sqlalchemy import event

from agentops_graph import faults
from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerAudit
from agentops_graph.adapters.sqlalchemy_ledger.database import _begin_immediate
from agentops_graph.errors import UnavailableError
from tests.crash.world import World
from tests.desk import NOON
from tests.invariants import KEY, violations

# Writes that meet the trouble before it is over; a full disk refuses only those that need room.
FAILING = {"read_only": 3, "locked": 3, "full": 30}
SOME = (12, 29)
ALL = range(1, 60)


class Trouble:
    """From the nth write of the ledger on, some writes fail the way SQLite fails."""

    def __init__(self, world, how, first):
        self._how, self._failing = getattr(self, how), range(first, first + FAILING[how])
        self._number = count(1)
        self._other = sqlite3.connect(
            world.home / "ledger.db", isolation_level=None, timeout=0.02, check_same_thread=False
        )
        engine = world.ports.incidents._db.engine
        event.remove(engine, "begin", _begin_immediate)
        event.listen(engine, "begin", self._on_begin)  # before the transaction, not in it
        event.listen(engine, "begin", _begin_immediate)

    def _on_begin(self, connection):
        if not connection.get_execution_options().get("reading"):
            driver = connection.connection.driver_connection
            driver.execute("PRAGMA busy_timeout = 20")
            self._how(driver, next(self._number) in self._failing)

    def read_only(self, driver, on):
        driver.execute(f"PRAGMA query_only = {int(on)}")

    def full(self, driver, on):
        (pages,) = driver.execute("PRAGMA page_count").fetchone()
        driver.execute(f"PRAGMA max_page_count = {pages if on else 1_000_000}")

    def locked(self, driver, on):
        if on != self._other.in_transaction:
            self._other.execute("BEGIN IMMEDIATE" if on else "ROLLBACK")

    def close(self):
        self._other.close()


def lived_through(home, kind, how, first):
    """The world after its end, and the errors that were said on the way."""
    world = World(home, kind=kind)
    trouble = Trouble(world, how, first)
    try:
        world.to_the_end()
    finally:
        trouble.close()
    return world


def check(folder, how, first):
    world = lived_through(folder / f"{how}-{first}", "rollback_model", how, first)
    assert violations(world.home) == [], (how, first)
    assert set(world.actuator.keys) <= {"A-1:do"}, (how, first)
    return world.refused


SAID = {"read_only": "readonly database", "full": "disk is full", "locked": "database is locked"}


@pytest.mark.parametrize("how", SAID)
def test_a_ledger_that_can_not_be_written_does_nothing_and_says_so(folder, how, caplog):
    said = [error for first in SOME for error in check(folder, how, first)]
    assert {(type(e), e.status) for e in said} <= {(UnavailableError, 503)}
    assert all("check that the folder is writable" in str(e) for e in said)
    assert SAID[how] in caplog.text + str(said)


@pytest.mark.slow
@pytest.mark.parametrize("how", SAID)
def test_whichever_write_of_the_ledger_fails_nothing_is_lost_or_done_twice(folder, how):
    for first in ALL:
        check(folder, how, first)


@pytest.mark.parametrize("point", ["checkpoint.before_put", "checkpoint.before_put_writes"])
@pytest.mark.parametrize("first", [1, 7])
def test_checkpoints_that_can_not_be_written_hold_the_incident_up_and_no_more(folder, point, first):
    world, number = World(folder / "home", kind="rollback_model"), count(1)

    def fail_for_a_while():
        on = next(number) in range(first, first + 2)
        world.saver.conn.execute(f"PRAGMA query_only = {int(on)}")

    faults.arm(point, fail_for_a_while)
    try:
        assert world.to_the_end() == "resolved"
    finally:
        faults.disarm()
    assert violations(world.home) == []
    assert world.actuator.keys == ["A-1:do"]


def test_patience_with_a_lock_ends_in_a_clear_error(folder):
    url = f"sqlite:///{folder / 'ledger.db'}"
    database = Database(url, audit_key=KEY, patience_s=0.05)
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="locked; check that the folder is writable"):
            LedgerAudit(database).write("tried", actor="mia", via="cli", at=NOON)
    database.close()


def test_patience_of_the_checkpoints_ends_in_a_clear_error(folder):
    saver = open_checkpoints(folder / "checkpoints.db", patience_s=0.05)
    with (
        closing(saver.conn),
        closing(sqlite3.connect(folder / "checkpoints.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match=r"the checkpoints did not answer: .*locked"):
            saver.delete_thread("inc-1")


def test_a_folder_that_is_not_there_is_said_to_be_so(folder):
    with pytest.raises(UnavailableError, match="check that the folder is writable"):
        Database(f"sqlite:///{folder / 'gone' / 'ledger.db'}", audit_key=KEY)
    with pytest.raises(UnavailableError, match="check that the folder is writable"):
        open_checkpoints(folder / "gone" / "checkpoints.db")
