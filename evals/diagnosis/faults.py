"""Further faults of models, for causes that the detection's injector has no need to tell apart."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import numpy as np

from evals.detection.cases import MONDAY, Case, Plan
from evals.detection.model_faults import DRAWN, FAULTS, REFERENCE_H, latency_step, unit_change
from evals.detection.model_world import Fault, Hour, ModelStream
from evals.detection.pools import NUMBERS, SETS, Pool, pool


def concept_drift(rows: Pool, rng: np.random.Generator) -> Fault:
    """In one half of a feature's range the same features mean another label from now on."""
    name = str(rng.choice(rows.informative()))
    cut, known = float(np.median(rows.columns[name])), np.unique(rows.label)
    spread, high = float(rows.label.std()), bool(rng.integers(2))

    def fault(hour: Hour, _: np.random.Generator) -> None:
        values = hour.columns[name]
        other = hour.after() & ((values > cut) if high else (values <= cut))
        if rows.name in NUMBERS:
            moved = hour.label + 2.5 * spread
        else:
            moved = known[(np.searchsorted(known, hour.label) + 1) % len(known)]
        hour.label = np.where(other, moved, hour.label)

    return fault


def holiday(rows: Pool, rng: np.random.Generator) -> Fault:
    """Most features move by most of a spread within four hours; the labels follow the rows."""
    names = rows.informative()
    moves = {n: float(rng.uniform(0.7, 1.1) * rng.choice([-1, 1])) for n in names}
    spread = {n: float(rows.columns[n].std()) for n in names}

    def fault(hour: Hour, _: np.random.Generator) -> None:
        share = np.clip(hour.age_h / 4, 0, 1)
        for name in names:
            hour.columns[name] = np.round(
                hour.columns[name] + moves[name] * spread[name] * share, 4
            )

    return fault


def both(rows: Pool, rng: np.random.Generator) -> Fault:
    """A unit change, and at the same moment answers that take several times as long."""
    first, second = unit_change(rows, rng), latency_step(rows, rng)

    def fault(hour: Hour, draw: np.random.Generator) -> None:
        first(hour, draw)
        second(hour, draw)

    return fault


MADE: dict[str, Callable[[Pool, np.random.Generator], Fault]] = {
    "concept drift": concept_drift,
    "holiday traffic": holiday,
    "unit change and latency": both,
}


def faulty(kind: str, seed: int, healthy: int, *, ends_after_h: float | None = None) -> Case:
    """A model with such a fault within the hour after its healthy time; it may end by itself."""
    rng = np.random.default_rng([seed, DRAWN, *kind.encode()])
    plan = Plan(REFERENCE_H, healthy)
    onset_h = plan.fault + float(rng.uniform(0, 1))
    rows = pool(SETS[seed % len(SETS)])
    make = MADE.get(kind) or FAULTS[kind][0]
    fault = make(rows, rng)
    if ends_after_h is not None:
        fault = partial(_until, fault, plan.fault + ends_after_h - onset_h)
    stream = ModelStream(rows, seed, onset_h, fault, country=kind == "category rename")
    onset = MONDAY + timedelta(hours=onset_h)
    return Case(kind, seed, stream.component, stream, plan, onset, frozenset())


def _until(fault: Fault, end_h: float, hour: Hour, draw: np.random.Generator) -> None:
    """Rows from the end on are as they would have been without the fault."""
    before = {name: values.copy() for name, values in hour.columns.items()}
    label, latency = hour.label.copy(), hour.latency.copy()
    fault(hour, draw)
    over = hour.age_h >= end_h
    hour.columns = {n: np.where(over, before[n], v) for n, v in hour.columns.items()}
    hour.label = np.where(over, label, hour.label)
    hour.latency = np.where(over, latency, hour.latency)
