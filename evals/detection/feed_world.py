"""Streams of a feed's batches: a day and a week rhythm, faults, and holidays that are none."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import numpy as np

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.domain.component import Component
from evals.detection.cases import MONDAY, Case, Kind, Plan, Row

NAME = "watched-feed"
BATCHES = 6  # an hour
DRAWN = 6  # the word for the generator that draws a fault's size
HISTORY_H = 14 * 24
VOLUME = frozenset({"volume_anomaly", "data_quality"})
QUALITY = frozenset({"data_quality"})


@dataclass
class FeedStream:
    """Batches of a feed; what the fault does is in its numbers, all harmless by default."""

    seed: int
    onset_h: float
    kept: float = 1.0  # share of the records that still arrive
    times: int = 1  # how often each batch is loaded
    held_h: float = 0.0  # batches wait so long, then all come at once
    shift_h: float = 0.0  # times are stamped off by so much
    nulls: float = 0.0  # share of values missing
    quiet_day: int | None = None  # a day that is like a Sunday
    growth: float = 0.0  # per day, of the level
    first_day: int | None = None  # weekday of the first day
    table: str = "DATA_QUALITY"
    columns: tuple[str, ...] = (
        "timestamp",
        "pipeline_name",
        "null_rate",
        "schema_violations",
        "record_count",
        "status",
    )
    component: Component = field(init=False)
    _level: float = field(init=False)
    _peak: float = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, DRAWN])
        self.component = Component(name=NAME, kind="pipeline")
        self._level, self._peak = float(rng.uniform(500, 20_000)), float(rng.uniform(11, 18))
        if self.first_day is None:
            self.first_day = int(rng.integers(7))

    def begin(self, warehouse: SqliteWarehouse, hour: int) -> None:
        """Nothing has to be set up for a feed."""

    def rows(self, hour: int) -> Iterable[Row]:
        rng = np.random.default_rng([self.seed, hour, 2])
        made = [self._batch(hour + (n + 0.5) / BATCHES, rng) for n in range(BATCHES)]
        late = self.held_h and hour >= self.onset_h + self.held_h - 1
        if late and hour < self.onset_h + self.held_h:
            waiting = np.arange(np.ceil(self.onset_h * BATCHES), (hour + 1) * BATCHES)
            made = [self._batch((n + 0.5) / BATCHES, rng, at=hour + 0.9) for n in waiting]
        return [row for batch in made for row in batch]

    def _batch(
        self, clock: float, rng: np.random.Generator, *, at: float | None = None
    ) -> list[Row]:
        broken = clock >= self.onset_h
        waits = self.held_h and broken and clock < self.onset_h + self.held_h
        if waits and at is None:
            return []
        count = self._usual(clock) * rng.lognormal(0, 0.06) * (self.kept if broken else 1.0)
        records = int(count)
        nulls = rng.beta(4, 400) if not (broken and self.nulls) else self.nulls
        stamped = (clock if at is None else at) + (self.shift_h if broken else 0.0)
        wrong = int(rng.binomial(records, 0.002))
        batch = (NAME, round(float(nulls), 5), wrong, records, "ok")
        # The second load runs a few minutes after the first.
        loads = range(self.times if broken else 1)
        return [(_stamp(stamped + 0.05 * again), *batch) for again in loads]

    def _usual(self, clock: float) -> float:
        day = int(clock // 24)
        weekday = 6 if day == self.quiet_day else (day + self.first_day) % 7
        rhythm = 1 + 0.5 * np.cos((clock % 24 - self._peak) * np.pi / 12)
        week = 0.6 if weekday >= 5 else 1.0
        return float(self._level * rhythm * week * (1 + self.growth * clock / 24))


def _stamp(hours: float) -> str:
    return time_text(MONDAY + timedelta(hours=hours))


def faulty(kind: str, seed: int, healthy: int) -> Case:
    """A feed that breaks in that way within the hour after its healthy time."""
    rng = np.random.default_rng([seed, DRAWN, *kind.encode()])
    plan = Plan(HISTORY_H, healthy)
    onset_h = plan.fault + float(rng.uniform(0, 1))
    numbers = {
        "partial load": {"kept": float(rng.uniform(0.1, 0.4))},
        "duplicate load": {"times": 2},
        "late data": {"held_h": float(rng.integers(3, 9))},
        "time-zone shift": {"shift_h": float(rng.choice([-8, -5, -2, 2, 5, 8]))},
        "vendor nulls": {"nulls": float(rng.uniform(0.1, 0.5))},
    }[kind]
    stream = FeedStream(seed, onset_h, **numbers)
    onset = MONDAY + timedelta(hours=onset_h)
    expected = QUALITY if kind == "vendor nulls" else VOLUME
    return Case(f"{kind} (feed)", seed, stream.component, stream, plan, onset, expected)


def control(kind: str, seed: int, healthy: int) -> Case:
    """A feed on which nothing is wrong."""
    stream = FeedStream(seed, np.inf)
    if kind == "weekend":
        stream.first_day = 4  # the watched days are Friday, Saturday, Sunday
    if kind == "holiday volume":
        # A Tuesday or a Wednesday, with two weekends in the fortnight before it.
        stream.quiet_day, stream.first_day = HISTORY_H // 24, 1 + seed % 2
    if kind == "growing volume":
        stream.growth = 0.03
    plan = Plan(HISTORY_H, healthy, after=0)
    return Case(kind, seed, stream.component, stream, plan, None, frozenset())


FAULTS = ("partial load", "duplicate load", "late data", "time-zone shift", "vendor nulls")
KINDS = (
    *(Kind(f"{name} (feed)", partial(faulty, name), "feed") for name in FAULTS),
    *(
        Kind(name, partial(control, name), f"feed: {name}", control=True)
        for name in ("weekend", "holiday volume", "growing volume")
    ),
)
