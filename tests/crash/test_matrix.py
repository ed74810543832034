"""Killed at every point of every kind of action, the next process goes on, and nothing is done
twice, nothing without approval, and no incident is lost."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from queue import SimpleQueue

import pytest

from agentops_graph import faults
from tests.crash.nursery import Nursery
from tests.crash.world import PLANS

# Reached only by a process that finds what a killed one left: killed first there, then here.
SECOND = [
    (first, second)
    for prefix, second in (
        ("effect", "effect.after_probe"),
        ("effect", "effect.after_retake"),
        ("undo", "undo.after_probe"),
        ("undo", "undo.after_retake"),
    )
    for first in (f"{prefix}.after_intent", "actuator.inside", f"{prefix}.after_call")
]
# Of a damaged checkpoint, which no kill can leave: see test_checkpoints.
# Of people's interventions, which end or begin an incident anew: see test_interventions.
ELSEWHERE = {
    "entry.before_thread_deleted",
    "entry.after_thread_deleted",
    "work.before_lost",  # of work that hangs or is out of reach: see test_lost_work
    "work.lost",
    "work.before_signal",
    "work.before_late",
    "intervention.before_commit",
    "intervention.after_commit",
}
# These mend what is wrong in this world; a crash costs them no more than time.
MENDING = {"deploy_model", "rollback_model"}
# One of each kind of moment, for the run of every day.
SMOKE = [
    ("shift_traffic", "admission.after_commit", 1),
    ("retrain_model", "decision.after_commit", 1),
    ("scale_infrastructure", "edit.before_commit", 1),
    ("scale_infrastructure", "edit.after_commit", 1),
    ("shift_traffic", "vote.before_commit", 1),
    ("rollback_model", "effect.after_intent", 1),
    ("shift_traffic", "actuator.inside", 1),
    ("scale_infrastructure", "work.opened", 1),
    ("rerun_pipeline", "effect.before_finish", 1),
    ("retrain_model", "work.claimed", 1),
    ("rollback_model", "checkpoint.after_put_writes", 6),
    ("undo", "undo.after_intent", 1),
    ("undo", "undo.after_call", 1),
    ("retrain_model", "handover.before_status", 1),
    ("retrain_model", "notice.claimed", 1),
    ("moved", "watch.claimed", 1),
    ("moved", "watch.before_commit", 1),
]


@dataclass
class Tally:
    """What was tried, and everything that was broken."""

    killed: Counter = field(default_factory=Counter)  # by point
    ends: Counter = field(default_factory=Counter)  # by kind and status
    runs: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, name, killed, last):
        self.runs += 1
        self.killed.update(killed)
        if "error" in last:
            self.broken.append(f"{name}: {last['error']}")
            return
        self.ends[name.split()[0], last["status"]] += 1
        self.broken += [f"{name}: {broken}" for broken in last["violations"]]

    @property
    def given_up(self):
        """Kinds that went to a person though their action mends the trouble, crash or none."""
        return {kind for kind, how in self.ends if kind in MENDING and how != "resolved"}

    def __str__(self):
        ends = ", ".join(f"{kind} {how} {n}" for (kind, how), n in sorted(self.ends.items()))
        return (
            f"{len(self.killed)} points, {len({kind for kind, _ in self.ends})} kinds, "
            f"{self.runs} runs, {sum(self.killed.values())} kills, "
            f"{len(self.broken)} violations\nended: {ends}"
        )


def survived(nursery, home, kind, *kills):
    """Lives on one folder, each killed as said, the last to the end; what it says."""
    killed = []
    for point, nth in kills:
        last = nursery.live(home, kind, point, nth)
        if not last["killed"]:
            break
        killed.append(point)
    else:
        last = nursery.live(home, kind)
    return killed, last


def tried(folder, runs, nurseries):
    """Every run, each nursery busy with one at a time."""
    tally, free = Tally(), SimpleQueue()
    for nursery in nurseries:
        free.put(nursery)

    def run(numbered):
        number, (kind, kills) = numbered
        nursery, home = free.get(), folder / str(number)
        try:
            killed, last = survived(nursery, home, kind, *kills)
        finally:
            free.put(nursery)
        shutil.rmtree(home)
        return f"{kind} {kills}", killed, last

    with ThreadPoolExecutor(len(nurseries)) as threads:
        for outcome in threads.map(run, enumerate(runs)):
            tally.add(*outcome)
    print(tally)
    return tally


def test_killed_at_one_moment_of_each_kind_nothing_is_lost_or_done_twice(folder, nursery):
    tally = tried(folder, [(kind, [(point, nth)]) for kind, point, nth in SMOKE], [nursery])
    assert tally.broken == []
    assert set(tally.killed) == {point for _, point, _ in SMOKE}
    assert tally.given_up == set()


@pytest.fixture
def nurseries(nursery):
    """Two: machines that run tests have two cores at least."""
    with Nursery() as second:
        yield [nursery, second]


def census(folder, nursery):
    """How often each point is passed when nothing is killed, by kind."""
    return {kind: nursery.live(folder / kind, kind)["passed"] for kind in PLANS}


def passings(times):
    """The first three, and then each fifth: what is passed often is passed for the same reasons."""
    return [*range(1, min(times, 3) + 1), *range(8, times + 1, 5)]


@pytest.mark.slow
def test_killed_at_passings_of_every_point_nothing_is_lost_or_done_twice(folder, nurseries):
    runs = [
        (kind, [(point, nth)])
        for kind, passed in census(folder, nurseries[0]).items()
        for point, times in passed.items()
        for nth in passings(times)
    ]
    tally = tried(folder, runs, nurseries)
    assert tally.broken == []
    assert tally.runs == sum(tally.killed.values())
    assert tally.given_up == set()


@pytest.mark.slow
def test_killed_again_while_going_on_nothing_is_lost_or_done_twice(folder, nurseries):
    runs = [
        (kind, [(first, 1), (second, 1)])
        for kind in PLANS
        for first, second in SECOND
        if kind == "undo" or "undo" not in second
    ]
    for kind, passed in census(folder, nurseries[0]).items():
        points = sorted(passed)
        later = cycle(points[7:] + points[:7])
        runs += [(kind, [(point, 1), (next(later), 1), (next(later), 1)]) for point in points]
    tally = tried(folder, runs, nurseries)
    assert tally.broken == []
    assert set(tally.killed) == set(faults.POINTS) - ELSEWHERE
