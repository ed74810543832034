"""Writes that fail the way SQLite fails: the disk is full, another process holds the lock, or the
file is read-only; for a while, from one write of a story on."""

import logging
import sqlite3
import time
from contextlib import closing
from itertools import count
from pathlib import Path

from sqlalchemy import event

from agentops_graph import faults
from agentops_graph.adapters.sqlalchemy_ledger.database import _begin_immediate
from tests.crash.world import World
from tests.invariants import violations

# So often is somebody told before the trouble is over; after more, a person would be given the
# incident. A full disk refuses only writes that need room.
REFUSALS = 3
SAID = {"read_only": "readonly database", "full": "disk is full", "locked": "database is locked"}
LOG, LINE = logging.getLogger("agentops_graph"), logging.Formatter()
STORES = ("ledger.db", "checkpoints.db")


class Ear(logging.Handler):
    """Counts what was logged of a trouble."""

    def __init__(self, how):
        super().__init__()
        self._how, self.heard = how, 0

    def emit(self, record):
        self.heard += self._how is not None and SAID[self._how] in LINE.format(record)


class Trouble:
    """Counts every write of the ledger and of the checkpoints; from the `first` on they fail."""

    def __init__(self, world, how=None, first=0):
        self._how, self._first, self._world, self._ear = how, first, world, Ear(how)
        self._next, self.writes = count(1), 0
        LOG.addHandler(self._ear)
        self._others = {
            name: sqlite3.connect(
                world.home / name, isolation_level=None, timeout=0.02, check_same_thread=False
            )
            for name in STORES
        }
        self._saver = world.saver
        engine = world.ports.incidents._db.engine
        event.remove(engine, "begin", _begin_immediate)
        event.listen(engine, "begin", self._on_begin)  # before the transaction, not in it
        event.listen(engine, "begin", _begin_immediate)
        for point in ("checkpoint.before_put", "checkpoint.before_put_writes"):
            faults.arm(point, self._on_put)

    def _on_begin(self, connection):
        if not connection.get_execution_options().get("reading"):
            self._write("ledger.db", connection.connection.driver_connection)

    def _on_put(self):
        with self._saver.lock:
            self._write("checkpoints.db", self._saver.conn)

    def _write(self, name, driver):
        number = self.writes = next(self._next)
        if self._how:
            driver.execute("PRAGMA busy_timeout = 20")
            is_on = number >= self._first and self.refusals < REFUSALS
            getattr(self, self._how)(name, driver, is_on)

    @property
    def refusals(self):
        """How often SQLite's own words reached a person or the log."""
        return self._ear.heard + sum(SAID[self._how] in str(e) for e in self._world.refused)

    def read_only(self, name, driver, on):
        driver.execute(f"PRAGMA query_only = {int(on)}")

    def full(self, name, driver, on):
        (pages,) = driver.execute("PRAGMA page_count").fetchone()
        driver.execute(f"PRAGMA max_page_count = {pages if on else 1_000_000}")

    def locked(self, name, driver, on):
        other = self._others[name]
        if on != other.in_transaction:
            other.execute("BEGIN IMMEDIATE" if on else "ROLLBACK")

    def close(self):
        faults.disarm()
        LOG.removeHandler(self._ear)
        for other in self._others.values():
            other.close()


class Onlooker:
    """Looks from outside, at the moment of each effect, whether its intent is in the file."""

    def __init__(self, world):
        self._world, self.undeclared = world, []
        faults.arm("actuator.inside", self._look)

    def _look(self):
        key = self._world.actuator.keys[-1]
        with closing(sqlite3.connect(self._world.home / "ledger.db")) as ledger:
            found = ledger.execute("SELECT state FROM effects WHERE key = ?", (key,)).fetchone()
        if found != ("intent",):
            self.undeclared.append(f"{key} was carried out on {found} and not on an intent")


def starved(home: Path, kind: str, how: str | None, first: int) -> dict:
    """One story to its end, with this trouble on the way; without one, how many writes it has.

    For a process of its own: nobody sleeps in it between two tries of a node.
    """
    time.sleep = lambda _: None
    world = World(home, kind=kind, leases_stay=how is not None)
    trouble, onlooker = Trouble(world, how, first), Onlooker(world)
    try:
        status = world.to_the_end()
    finally:
        trouble.close()
    said = [f"{type(error).__name__} {error.status}: {error}" for error in world.refused]
    return {
        "killed": False,
        "status": status,
        "writes": trouble.writes,
        "violations": violations(home) + onlooker.undeclared,
        # Not by key: a step that is tried again may have asked anew.
        "effects": [key.partition(":")[2] for key in world.actuator.keys],
        "said": said,
        "in_doubt": any(e.state == "unknown" for e in world.ports.effect_log.listed()),
        "met": how is not None and trouble.refusals > 0,
    }
