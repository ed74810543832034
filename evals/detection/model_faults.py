"""The faults of a model and its features, and the seasons that are none."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import numpy as np

from evals.detection.cases import MONDAY, Case, Kind, Plan
from evals.detection.model_world import RENAMED, Fault, Hour, ModelStream
from evals.detection.pools import NUMBERS, SETS, Pool, pool

REFERENCE_H = 48
DRIFT = frozenset({"model_drift", "anomaly_spike", "data_quality"})
DRAWN = 5  # the word for the generator that draws a fault's size


def unit_change(rows: Pool, rng: np.random.Generator) -> Fault:
    """One feature arrives a hundred times, or ten times, as large."""
    name, factor = rng.choice(rows.informative()), float(rng.choice([10, 100, 1000]))
    return _on(str(name), lambda values, _: values * factor)


def column_swap(rows: Pool, rng: np.random.Generator) -> Fault:
    """Two features of different scale change places."""
    one, other = _apart(rows, rng)

    def fault(hour: Hour, _: np.random.Generator) -> None:
        a, b, after = hour.columns[one], hour.columns[other], hour.after()
        hour.columns[one], hour.columns[other] = np.where(after, b, a), np.where(after, a, b)

    return fault


def vendor_nulls(rows: Pool, rng: np.random.Generator) -> Fault:
    """Up to three features of one vendor are missing in a good part of the rows."""
    names = rng.choice(list(rows.columns), min(3, len(rows.columns)), replace=False)
    share = float(rng.uniform(0.3, 1.0))

    def fault(hour: Hour, draw: np.random.Generator) -> None:
        gone = hour.after() & (draw.uniform(size=len(hour.age_h)) < share)
        for name in names:
            hour.columns[name] = np.where(gone, np.nan, hour.columns[name])

    return fault


def category_rename(_rows: Pool, _rng: np.random.Generator) -> Fault:
    """Two-letter countries become names."""

    def fault(hour: Hour, _: np.random.Generator) -> None:
        named = np.array([RENAMED[c] for c in hour.columns["country"]], dtype=object)
        hour.columns["country"] = np.where(hour.after(), named, hour.columns["country"])

    return fault


def zone_shift(_rows: Pool, rng: np.random.Generator) -> Fault:
    """A time in a feature is local now: hours since the last visit are off by hours."""
    hours = float(rng.choice([-9, -7, 7, 8, 9, 10]))
    return _on("hours_since_last", lambda values, _: values + hours)


def gradual_drift(rows: Pool, rng: np.random.Generator) -> Fault:
    """Three features move by two spreads within twelve hours."""
    found = rows.informative()
    names = rng.choice(found, min(3, len(found)), replace=False)
    spread = {str(n): float(rows.columns[n].std()) for n in names}

    def fault(hour: Hour, _: np.random.Generator) -> None:
        share = np.clip(hour.age_h / 12, 0, 1)
        for name, size in spread.items():
            hour.columns[name] = np.round(hour.columns[name] + 2 * size * share, 4)

    return fault


def label_flip(rows: Pool, rng: np.random.Generator) -> Fault:
    """A third to a half of the labels are wrong."""
    share, known = float(rng.uniform(0.35, 0.5)), np.unique(rows.label)

    def fault(hour: Hour, draw: np.random.Generator) -> None:
        wrong = hour.after() & (draw.uniform(size=len(hour.label)) < share)
        if rows.name in NUMBERS:
            other = draw.permutation(hour.label)
        else:
            place = np.searchsorted(known, hour.label)
            steps = draw.integers(1, len(known), len(place))
            other = known[(place + steps) % len(known)]
        hour.label = np.where(wrong, other, hour.label)

    return fault


def latency_step(_rows: Pool, rng: np.random.Generator) -> Fault:
    """Every answer takes several times as long, beyond the limit."""
    return _slower(partial(_step, float(rng.uniform(5, 12))))


def latency_ramp(_rows: Pool, rng: np.random.Generator) -> Fault:
    """Answers get slower for two hours."""
    return _slower(partial(_ramp, float(rng.uniform(5, 12)), 2.0))


def _step(factor: float, age: np.ndarray) -> np.ndarray:
    return np.where(age >= 0, factor, 1.0)


def _ramp(factor: float, hours: float, age: np.ndarray) -> np.ndarray:
    return 1 + np.clip(age / hours, 0, 1) * (factor - 1)


def _slower(factor: Callable[[np.ndarray], np.ndarray]) -> Fault:
    def fault(hour: Hour, _: np.random.Generator) -> None:
        hour.latency = hour.latency * factor(hour.age_h)

    return fault


def _on(name: str, change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Fault:
    def fault(hour: Hour, draw: np.random.Generator) -> None:
        values = hour.columns[name]
        hour.columns[name] = np.where(hour.after(), np.round(change(values, draw), 4), values)

    return fault


def _apart(rows: Pool, rng: np.random.Generator) -> tuple[str, str]:
    """Two columns whose middles lie further apart than the narrower one is wide."""
    names = rows.informative()
    middle = {n: np.quantile(rows.columns[n], [0.25, 0.5, 0.75]) for n in names}
    pairs = [
        (a, b)
        for a in names
        for b in names
        if abs(middle[a][1] - middle[b][1])
        > min(middle[a][2] - middle[a][0], middle[b][2] - middle[b][0])
    ]
    # Columns drawn from one distribution can change places without anybody seeing it.
    return pairs[int(rng.integers(len(pairs)))] if pairs else (names[0], "hours_since_last")


def day_and_night(hour: Hour, draw: np.random.Generator) -> None:
    """Two features follow the time of day, as temperature and load do: no fault."""
    wave = np.cos((hour.clock_h - 15) * np.pi / 12)
    for name, level, swing in (("temperature", 12.0, 6.0), ("load", 40.0, 15.0)):
        noise = draw.normal(size=len(wave)) * swing / 2
        hour.columns[name] = np.round(level + swing * wave + noise, 3)


FAULTS: dict[str, tuple[Callable[[Pool, np.random.Generator], Fault], frozenset[str]]] = {
    "unit change": (unit_change, DRIFT),
    "column swap": (column_swap, DRIFT),
    "vendor nulls": (vendor_nulls, DRIFT),
    "category rename": (category_rename, DRIFT),
    "time-zone shift": (zone_shift, DRIFT),
    "gradual drift": (gradual_drift, DRIFT),
    "label flip": (label_flip, frozenset({"accuracy_drop"})),
    "latency step": (latency_step, frozenset({"latency"})),
    "latency ramp": (latency_ramp, frozenset({"latency"})),
}


def faulty(kind: str, seed: int, healthy: int) -> Case:
    """A model that breaks in that way within the hour after its healthy time."""
    make, expected = FAULTS[kind]
    rng = np.random.default_rng([seed, DRAWN, *kind.encode()])
    plan = Plan(REFERENCE_H, healthy)
    onset_h = plan.fault + float(rng.uniform(0, 1))
    rows = pool(SETS[seed % len(SETS)])
    stream = ModelStream(rows, seed, onset_h, make(rows, rng), country=kind == "category rename")
    return _case(kind, stream, plan, expected)


def after_deploy(seed: int, healthy: int) -> Case:
    """Version 2 was trained on columns that were one place off; every other one comes without a
    reference profile of its own."""
    rng = np.random.default_rng([seed, DRAWN])
    plan = Plan(REFERENCE_H, healthy)
    rows = pool(SETS[seed % len(SETS)])
    onset_h = plan.fault + float(rng.uniform(0, 1))
    profiled = seed // len(SETS) % 2 == 0
    stream = ModelStream(rows, seed, onset_h, second=rows.worse(), second_profiled=profiled)
    return _case("model regression after deploy", stream, plan, frozenset({"accuracy_drop"}))


def broken_in_season(seed: int, healthy: int) -> Case:
    """The temperature that follows the time of day arrives in Fahrenheit: a fault in a season."""
    plan = Plan(REFERENCE_H, healthy)
    onset_h = plan.fault + float(np.random.default_rng([seed, DRAWN]).uniform(0, 1))
    fault = _on("temperature", lambda values, _: values * 1.8 + 32)
    rows = pool(SETS[seed % len(SETS)])
    stream = ModelStream(rows, seed, onset_h, fault, rhythm=day_and_night)
    return _case("unit change in a season", stream, plan, DRIFT)


def season(seed: int, healthy: int) -> Case:
    """A model two of whose features follow the time of day: nothing is wrong."""
    plan = Plan(REFERENCE_H, healthy, after=0)
    stream = ModelStream(pool(SETS[seed % len(SETS)]), seed, np.inf, rhythm=day_and_night)
    return _case("seasonal shift", stream, plan, None)


def deploy(seed: int, healthy: int) -> Case:
    """A second version that is as good; every other one comes without a profile."""
    plan = Plan(REFERENCE_H, healthy)
    rows = pool(SETS[seed % len(SETS)])
    stream = ModelStream(
        rows, seed, plan.fault + 0.5, second=rows.score, second_profiled=seed % 2 == 0
    )
    return _case("harmless deploy", stream, plan, None)


def _case(kind: str, stream: ModelStream, plan: Plan, expected: frozenset[str] | None) -> Case:
    onset = None if expected is None else MONDAY + timedelta(hours=stream.onset_h)
    return Case(kind, stream.seed, stream.component, stream, plan, onset, expected or frozenset())


def _trunk(kind: str) -> str:
    return "model with categories" if kind == "category rename" else "model"


KINDS = (
    *(Kind(n, partial(faulty, n), _trunk(n), slow=n == "gradual drift") for n in FAULTS),
    Kind("model regression after deploy", after_deploy, "model"),
    Kind("harmless deploy", deploy, "model", control=True),
    Kind("unit change in a season", broken_in_season, "model with a season"),
    Kind("seasonal shift", season, "model with a season", control=True),
)
