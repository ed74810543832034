"""Generated metric streams with a daily and weekly rhythm, a fault or a harmless control."""

from dataclasses import dataclass

import numpy as np

from agentops_graph.detection.season import DAY_S

STEP_S = 600
DAYS = 15
PER_DAY = DAY_S // STEP_S
FAULTS = {
    "latency step": 2.5,
    "latency ramp": 3.0,
    "provider outage": 6.0,
    "token bloat": 2.0,
    "volume loss": 0.3,
    "duplicate load": 3.0,
}
CONTROLS = ("nothing", "weekend", "holiday like a Sunday", "season slowly rising", "late evening")
VOLUMES = ("volume loss", "duplicate load")


@dataclass(frozen=True)
class Stream:
    """`onset` is None on a control; the last three days (of 15) are the watched ones."""

    kind: str
    times: np.ndarray
    values: np.ndarray
    onset: float | None

    @property
    def is_volume(self) -> bool:
        return self.kind in VOLUMES


def stream(kind: str, seed: int) -> Stream:
    """Day 0 is a Monday, except that the weekend control ends with one."""
    rng = np.random.default_rng([seed, *kind.encode()])
    row = np.arange(DAYS * PER_DAY)
    times = row * float(STEP_S)
    day, hour = row // PER_DAY, (row % PER_DAY) * 24 / PER_DAY
    weekday = (day + (6 if kind == "weekend" else rng.integers(0, 4))) % 7
    if kind == "holiday like a Sunday":
        weekday = np.where(day == DAYS - 2, 6, weekday)
    peak = 15 + (1 if kind == "late evening" else 0) * (day >= DAYS - 3) * 0.5
    rhythm = 1 + 0.5 * np.cos((hour - peak) * np.pi / 12)
    level = rhythm * np.where(weekday >= 5, 0.6, 1.0) * rng.uniform(50, 500)
    if kind == "season slowly rising":
        level = level * np.linspace(1, 1.4, len(row))
    values = level * rng.lognormal(0, 0.08, len(row))
    if kind not in FAULTS:
        return Stream(kind, times, values, None)
    start = len(row) - int(rng.integers(PER_DAY // 2, 2 * PER_DAY))
    factor = np.full(len(row) - start, FAULTS[kind])
    if kind == "latency ramp":
        factor = np.minimum(1 + np.arange(len(factor)) / 12 * (FAULTS[kind] - 1), FAULTS[kind])
    values[start:] *= factor
    return Stream(kind, times, values, float(times[start]))
