"""Generated service systems with one fault each: load, latencies and errors spread along calls."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FAULTS = ("cpu", "memory", "disk", "delay", "errors", "crash")
METRICS = ("cpu", "mem", "diskio", "latency-50", "latency-90", "error", "load")


@dataclass(frozen=True)
class Shape:
    """What kind of system and of watching; `late_s` is declared onset less true onset."""

    name: str
    services: int
    rows: int
    step_s: float
    late_s: float = 0.0
    missing: float = 0.0
    herrings: int = 1
    counters: bool = False
    noise: float = 1.0


SHAPES = (
    Shape("small, every second", 10, 1200, 1),
    Shape("large, every 15 s", 40, 240, 15),
    Shape("few points, every minute", 14, 40, 60),
    Shape("declared 2 min late", 12, 1200, 1, late_s=120),
    Shape("declared 4 min late", 12, 1200, 1, late_s=240),
    Shape("declared 2 min early", 12, 1200, 1, late_s=-120),
    Shape("missing values, counters", 12, 600, 5, missing=0.1, counters=True),
    Shape("four red herrings", 12, 600, 5, herrings=4),
    Shape("noisy", 12, 600, 5, noise=3.0),
)


@dataclass(frozen=True)
class Case:
    frame: dict[str, Floats]
    declared: float
    onset: float
    calls: list[tuple[str, str]]
    cause: str
    metric: str
    fault: str


class _World:
    """The series of one system while they are being made; rows are services, columns times."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape = shape
        self.dice = np.random.default_rng([seed, 7])
        self.count, self.rows = shape.services, shape.rows
        self.times = 1.7e9 + shape.step_s * np.arange(shape.rows)
        self.begin = int(shape.rows * self.dice.uniform(0.45, 0.6))
        self.since = np.clip(np.arange(self.rows) - self.begin, -1, None) + 1
        self.callees = [self._callees(at) for at in range(self.count)]

    def _callees(self, at: int) -> list[int]:
        """Services are numbered so that calls only go upward: a graph without a circle."""
        later = np.arange(at + 1, self.count)
        if not len(later) or (at and self.dice.random() < 0.25):
            return []
        near = later[: max(4, self.count // 3)]
        return sorted(self.dice.choice(near, min(len(near), self.dice.integers(1, 4)), False))

    def wander(self, scale: float, memory: float = 0.98) -> Floats:
        """A slow walk around 0 per service."""
        steps = self.dice.normal(0, scale * np.sqrt(1 - memory**2), (self.count, self.rows))
        walk = np.zeros_like(steps)
        for row in range(1, self.rows):
            walk[:, row] = memory * walk[:, row - 1] + steps[:, row]
        return walk

    def noise(self, scale: float) -> Floats:
        return np.exp(self.dice.normal(0, scale * self.shape.noise, (self.count, self.rows)))

    def scale(self, low: float, high: float) -> Floats:
        return np.exp(self.dice.uniform(np.log(low), np.log(high), (self.count, 1)))


def case_of(shape: Shape, fault: str, seed: int) -> Case:
    """One system, one fault, made from the seed alone."""
    world = _World(shape, seed)
    reached = _reached(world)
    cause = int(world.dice.choice(reached[1:] if len(reached) > 1 else reached))
    series = _healthy(world)
    _break(world, series, cause, fault)
    _spread(world, series, cause, fault)
    _distract(world, series, cause)
    return _case(world, series, cause, fault)


def _reached(world: _World) -> list[int]:
    seen, waiting = {0}, [0]
    while waiting:
        for callee in world.callees[waiting.pop()]:
            if callee not in seen:
                seen.add(int(callee))
                waiting.append(int(callee))
    return sorted(seen)


def _healthy(world: _World) -> dict[str, Floats]:
    day = 1 + 0.15 * np.sin(2 * np.pi * np.arange(world.rows) / (world.rows * 1.7))
    load = world.scale(5, 500) * day * np.exp(world.wander(0.05)) * world.noise(0.05)
    cpu = world.scale(0.02, 2) * (0.3 + 0.7 * load / load.mean(axis=1, keepdims=True))
    busy = load / load.mean(axis=1, keepdims=True)
    quiet = world.dice.random((world.count, 1)) < 0.5
    seldom = world.dice.random((world.count, world.rows)) < np.where(quiet, 0.0, 0.02)
    return {
        "load": load,
        "cpu": cpu * world.noise(0.1),
        "mem": world.scale(3e7, 2e9) * (1 + world.wander(0.01) + world.dice.normal(0, 0.001)),
        "diskio": world.scale(1e3, 1e6) * world.noise(0.4) * (world.scale(0.3, 3) > 0.6),
        "own": world.scale(0.001, 0.05) * busy**0.3 * world.noise(0.15),
        "error": seldom * load * 0.02,
    }


def _break(world: _World, series: dict[str, Floats], cause: int, fault: str) -> None:
    """The fault at its own service; it needs a while to show there."""
    since, dice = world.since, world.dice
    on = (since > 0) * (1 - np.exp(-since / max(3, world.rows / 100)))
    strong = dice.uniform(0.7, 1.6)
    slower = {"cpu": 1.5, "memory": 0.8, "disk": 1.0, "delay": 8.0, "errors": 0.6, "crash": 4.0}
    ramp = since / max(world.rows - world.begin, 1)
    shown = ramp**0.7 if fault == "memory" else on
    own = series["own"][cause]
    own *= 1 + slower[fault] * strong * shown * dice.uniform(0.7, 1.3, world.rows)
    if fault == "cpu":
        series["cpu"][cause] += on * strong * max(1.0, 3 * series["cpu"][cause].mean())
    elif fault == "memory":
        series["mem"][cause] *= 1 + strong * ramp
        series["cpu"][cause] *= 1 + 0.3 * ramp
    elif fault == "disk":
        added = strong * max(8 * series["diskio"][cause].mean(), 2e5)
        series["diskio"][cause] += on * added * world.noise(0.2)[cause]
    elif fault == "errors":
        share = 0.15 * strong * dice.uniform(0.5, 1.5, world.rows)
        series["error"][cause] += on * share * series["load"][cause]
    elif fault == "crash":
        series["error"][cause] += on * 0.4 * series["load"][cause]
        for name in ("cpu", "load"):
            series[name][cause] *= 1 - 0.8 * on


def _spread(world: _World, series: dict[str, Floats], cause: int, fault: str) -> None:
    """Latency and errors go to the callers, each a little later; load falls behind the fault."""
    latency, error = series["own"].copy(), series["error"]
    weight = world.dice.uniform(0.5, 1.5, (world.count, world.count))
    lag = max(1, round(world.dice.uniform(1, 10) / world.shape.step_s))
    for caller in range(world.count - 1, -1, -1):
        for callee in world.callees[caller]:
            latency[caller] += weight[caller, callee] * _later(latency[callee], lag)
            rate = _later(error[callee], lag) / series["load"][callee].mean()
            error[caller] = error[caller] + 0.5 * rate * series["load"][caller]
    series["latency-50"] = latency * world.noise(0.05)
    spikes = 1 + (world.dice.random(latency.shape) < 0.01) * world.dice.exponential(
        2, latency.shape
    )
    series["latency-90"] = latency * 1.8 * world.noise(0.12) * spikes
    if fault in ("delay", "crash", "errors"):
        fewer = 1 - 0.3 * (world.since > lag)
        for callee in _under(world, cause):
            series["load"][callee] *= fewer
            series["cpu"][callee] *= 0.3 + 0.7 * fewer


def _under(world: _World, cause: int) -> set[int]:
    seen, waiting = set[int](), [cause]
    while waiting:
        for callee in world.callees[waiting.pop()]:
            if callee not in seen:
                seen.add(callee)
                waiting.append(callee)
    return seen


def _later(values: Floats, rows: int) -> Floats:
    return np.concatenate([np.full(rows, values[0]), values[:-rows]])


def _distract(world: _World, series: dict[str, Floats], cause: int) -> None:
    """Innocent moves: a step well before the onset, a spike after it, a fall, a small shift."""
    others = [at for at in range(world.count) if at != cause]
    for kind in range(world.shape.herrings):
        at, dice = int(world.dice.choice(others)), world.dice
        if kind % 4 == 0:
            series["mem"][at, int(world.begin * dice.uniform(0.2, 0.6)) :] *= 1.3
        elif kind % 4 == 1:
            place = dice.integers(world.begin, world.rows - 2)
            series["cpu"][at, place : place + 2] *= 12
        elif kind % 4 == 2:
            series["load"][at, world.begin :] *= 0.5
        else:
            series["mem"][at, int(world.begin * 1.2) :] *= 1.02


def _case(world: _World, series: dict[str, Floats], cause: int, fault: str) -> Case:
    names = [f"svc{at}-{'api' if at % 3 else 'db'}" for at in range(world.count)]
    frame = {"time": world.times}
    for metric in METRICS:
        for at, name in enumerate(names):
            frame[f"{name}_{metric}"] = _watched(world, series[metric][at], metric)
    frame[f"{names[0]}_restarts"] = np.zeros(world.rows)
    onset = float(world.times[world.begin])
    named = {"cpu": "cpu", "memory": "mem", "disk": "diskio", "delay": "latency-50"}
    return Case(
        frame=frame,
        declared=onset + world.shape.late_s,
        onset=onset,
        calls=[(names[a], names[b]) for a in range(world.count) for b in world.callees[a]],
        cause=names[cause],
        metric=named.get(fault, "error"),
        fault=fault,
    )


def _watched(world: _World, values: Floats, metric: str) -> Floats:
    if world.shape.counters and metric in ("cpu", "diskio"):
        values = np.cumsum(values * world.shape.step_s)
    if not world.shape.missing:
        return values
    gaps = world.dice.random(world.rows) < world.shape.missing
    return np.where(gaps, np.nan, values)
