"""The ledger or the checkpoints can't be written: said clearly, nothing done, and then gone on."""

import shutil
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import cycle
from queue import SimpleQueue

import pytest

from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerAudit
from agentops_graph.errors import UnavailableError
from tests.crash.nursery import Nursery
from tests.crash.trouble import SAID
from tests.crash.world import PLANS
from tests.desk import NOON
from tests.invariants import KEY

MEND = "check that the folder is writable, the disk has room and no other process holds a lock"
# For the run of every day: a kind of its own for each trouble, at moments all through the story.
SOME = (
    *(("rollback_model", "read_only", first) for first in (1, 12, 29, 40)),
    *(("scale_infrastructure", "locked", first) for first in (2, 17, 33, 50)),
    *(("undo", "full", first) for first in (1, 20, 45, 70)),
)


@dataclass
class Tally:
    """What was tried, and everything that was broken."""

    clean: dict  # by kind, of the story without trouble
    runs: Counter = field(default_factory=Counter)  # by trouble
    met: Counter = field(default_factory=Counter)  # those in which SQLite said so
    refused: int = 0
    in_doubt: int = 0  # calls that nothing could be written of; a person settles them
    broken: list[str] = field(default_factory=list)

    def add(self, kind, how, first, last):
        name, clean = f"{kind} {how} from write {first}", self.clean[kind]
        self.runs[how] += 1
        if "error" in last:
            self.broken.append(f"{name}: {last['error']}")
            return
        self.met[how] += last["met"]
        self.refused += len(last["said"])
        self.broken += [f"{name}: {broken}" for broken in last["violations"]]
        for said in last["said"]:
            if not (said.startswith("UnavailableError 503: ") and MEND in said):
                self.broken.append(f"{name}: said {said}")
        self.in_doubt += last["in_doubt"]
        for what in ("status", "effects"):
            if last[what] != clean[what] and not last["in_doubt"]:
                self.broken.append(f"{name}: {what} {last[what]}, without it {clean[what]}")
        if how != "full" and not last["met"]:
            self.broken.append(f"{name}: nobody heard of it")

    def __str__(self):
        writes = sum(clean["writes"] for clean in self.clean.values())
        met = ", ".join(f"{how} {self.met[how]} of {n}" for how, n in sorted(self.runs.items()))
        return (
            f"{len(self.clean)} kinds, {writes} writes, {len(self.runs)} troubles, "
            f"{self.runs.total()} runs, {self.refused} times a person was told, "
            f"{len(self.broken)} violations\nmet: {met}"
        )


def suffered(folder, runs, nurseries):
    """Every run on a folder of its own, each nursery busy with one at a time."""
    kinds = {kind for kind, _, _ in runs}
    tally = Tally({kind: nurseries[0].starve(folder / kind, kind) for kind in kinds})
    free = SimpleQueue()
    for nursery in nurseries:
        free.put(nursery)

    def run(given):
        nursery, home = free.get(), folder / "-".join(map(str, given))
        try:
            last = nursery.starve(home, *given)
        finally:
            free.put(nursery)
        shutil.rmtree(home)
        return *given, last

    with ThreadPoolExecutor(len(nurseries)) as threads:
        for outcome in threads.map(run, runs):
            tally.add(*outcome)
    print(tally)
    return tally


def test_a_store_that_can_not_be_written_does_nothing_and_says_so(folder, nursery):
    tally = suffered(folder, SOME, [nursery])
    assert tally.broken == []
    assert all(tally.met[how] for how in SAID)
    assert tally.refused


@pytest.mark.slow
def test_whichever_write_fails_nothing_is_lost_or_done_twice(folder, nursery):
    with Nursery() as second:
        writes = {kind: nursery.starve(folder / f"count-{kind}", kind)["writes"] for kind in PLANS}
        # Each fourth write, from another one on for each kind, and the three troubles by turns: all
        # of them at every write took too long.
        troubles = cycle(SAID)
        runs = [
            (kind, next(troubles), first)
            for place, (kind, times) in enumerate(writes.items())
            for first in range(1 + place % 4, times + 1, 4)
        ]
        tally = suffered(folder, runs, [nursery, second])
    assert tally.broken == []
    assert tally.in_doubt <= len(PLANS)
    assert tally.runs.total() == len(runs) >= sum(writes.values()) // 4
    assert all(tally.met[how] for how in SAID)


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
