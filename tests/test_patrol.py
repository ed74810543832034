"""The monitor as a process: its own time for each, one process at a time, nobody held up."""

import threading
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Series
from agentops_graph.domain.schedule import SLOTS, blind_after, is_due, next_due
from agentops_graph.errors import UnavailableError
from agentops_graph.patrol import Patrol
from tests.desk import MODEL, NOON, Desk


class Blocked:
    """A warehouse that lets the reads of some components hang or fail, and passes on the others."""

    def __init__(self, held):
        self._held = held
        self.hanging, self.failing = set(), {}
        self.let_go = threading.Event()
        self.asked = []

    def __getattr__(self, name):
        return getattr(self._held, name)

    def series(self, table, subject, since, until):
        self.asked.append(subject)
        if subject in self.hanging:
            assert self.let_go.wait(60)
        if subject in self.failing:
            raise self.failing[subject]
        return self._held.series(table, subject, since, until)


def feeds(count):
    return {f"feed-{n}": Component(name=f"feed-{n}", kind="pipeline") for n in range(count)}


def healthy(count):
    """Batches of two days, the same each time."""
    times = NOON.timestamp() + 900.0 * np.arange(-192, 0)
    same = np.ones(len(times))
    columns = {"null_rate": 0 * same, "schema_violations": 0 * same, "record_count": 1000 * same}
    return {("data_quality", f"feed-{n}"): Series(times, columns) for n in range(count)}


class Watched(Desk):
    """Feeds beside the model, behind a warehouse that can be blocked."""

    count = 3

    def open(self):
        super().open()
        self.warehouse._series.update(healthy(self.count))
        self.blocked = Blocked(self.warehouse)
        self.ports = replace(self.ports, components=feeds(self.count), warehouse=self.blocked)

    def patrol(self, **more):
        return Patrol(self.ports, **{"every_s": 60.0, "look_s": 0.2} | more)


@pytest.fixture
def desk(tmp_path):
    opened = Watched(tmp_path / "home")
    yield opened
    opened.blocked.let_go.set()


def sights(desk):
    return {sight.component: sight for sight in desk.ports.rounds.sights()}


def test_places_in_the_interval_are_the_components_own_and_never_far_off():
    for number in range(500):
        name, due = f"model-{number}", NOON
        first = next_due(name, 60, NOON)
        for _ in range(3):
            later = next_due(name, 60, due)
            assert 30 < (later - due).total_seconds() <= 90.001
            due = later
        assert (due - first).total_seconds() == pytest.approx(120)
    spread = {next_due(f"model-{n}", 60, NOON).timestamp() % 60 for n in range(500)}
    assert len({round(place) for place in spread}) == SLOTS


def test_a_time_that_no_look_is_set_for_is_over():
    assert is_due(None, 60, NOON)
    assert is_due(NOON, 60, NOON)
    assert not is_due(NOON + timedelta(seconds=90), 60, NOON)
    assert is_due(NOON + timedelta(hours=1), 60, NOON)


def test_blindness_begins_after_three_looks_and_five_minutes_unless_set():
    assert blind_after(Component(name="a"), 60) == 300
    assert blind_after(Component(name="a", every_s=900), 60) == 1800
    assert blind_after(Component(name="a", blind_after_s=90), 60) == 90


def test_each_component_is_looked_at_again_at_its_own_time(desk):
    slow = desk.ports.components["feed-2"].model_copy(update={"every_s": 3600.0})
    desk.ports.components["feed-2"] = slow
    patrol = desk.patrol()
    assert sorted(patrol.round().readings) == ["feed-0", "feed-1", "feed-2"]
    assert not patrol.round().looked
    desk.clock.move(91)
    assert sorted(patrol.round().readings) == ["feed-0", "feed-1"]
    desk.clock.move(5400)
    assert "feed-2" in patrol.round().readings


def test_a_component_whose_source_hangs_holds_nobody_else_up(desk):
    desk.blocked.hanging = {"feed-1"}
    patrol = desk.patrol(look_s=0.3)
    seen = patrol.round()
    if not seen.unjudged:  # the others were told before the time of this one was over
        seen = patrol.round()
    assert {"feed-0", "feed-2"} <= set(sights(desk))
    held = sights(desk)
    assert held["feed-1"].missed == 1
    assert held["feed-1"].fault == "slow"
    assert held["feed-0"].missed == held["feed-2"].missed == 0


def test_a_look_that_still_runs_is_not_begun_again_and_counts_as_missed(desk):
    desk.blocked.hanging = {"feed-1"}
    patrol = desk.patrol(look_s=0.1)
    for _ in range(3):
        patrol.round()
        desk.clock.move(91)
    assert desk.blocked.asked.count("feed-1") == 1
    assert sights(desk)["feed-1"].missed == 3
    desk.blocked.hanging = set()
    desk.blocked.let_go.set()
    [thread] = patrol._hold.stalled.values()
    thread.join(10)
    patrol.round()
    held = sights(desk)["feed-1"]
    assert (held.missed, held.blind_since) == (0, None)


def test_two_monitors_share_the_looks_and_double_none(desk):
    patrols = [desk.patrol(look_s=30), desk.patrol(look_s=30)]
    threads = [threading.Thread(target=patrol.round) for patrol in patrols]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(desk.blocked.asked)) == ["feed-0", "feed-1", "feed-2"]
    asked = len(desk.blocked.asked)
    assert asked == 3 * desk.blocked.asked.count("feed-0")
    assert not desk.patrol().round().looked


def test_what_a_monitor_took_and_did_not_look_at_is_due_still_when_it_ends(desk):
    desk.blocked.hanging = {"feed-0", "feed-1", "feed-2"}
    patrol = desk.patrol(look_s=30, workers=1)
    stop = threading.Event()
    thread = threading.Thread(target=patrol.run, args=(stop,))
    thread.start()
    while not desk.blocked.asked:
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    desk.blocked.hanging = set()
    assert sorted(desk.patrol().round().readings) == ["feed-0", "feed-1", "feed-2"]


def test_a_ledger_that_fails_in_a_round_costs_no_look(desk, monkeypatch):
    def refuse(*_, **__):
        raise UnavailableError("the ledger is locked")

    patrol = desk.patrol()
    with monkeypatch.context() as broken:
        broken.setattr(desk.ports.rounds, "settle", refuse)
        with pytest.raises(UnavailableError):
            patrol.round()
    assert sorted(patrol.round().readings) == ["feed-0", "feed-1", "feed-2"]


def test_a_source_that_fails_slowly_is_asked_by_one_look_at_a_time(desk):
    patrol = desk.patrol(workers=2)
    patrol._slow["warehouse"] = 2
    seen = patrol.round()
    asked = set(desk.blocked.asked)
    # The first one probes, the others are not asked; it answered, so that next time all are.
    assert len(asked) < 3
    assert any("one look asks it at a time" in note for n in seen.notes.values() for note in n)
    desk.clock.move(91)
    assert sorted(patrol.round().readings) == ["feed-0", "feed-1", "feed-2"]


def test_the_model_of_the_desk_is_found_drifting_by_a_patrol_too(tmp_path):
    desk = Desk(tmp_path / "home")
    seen = Patrol(desk.ports, every_s=60).round()
    assert [a.alert.affected_component for a in seen.admissions] == [MODEL]
    assert Patrol(desk.ports, every_s=60).round().admissions == []
