"""A model whose traffic comes from countries and devices, healthy or bad in a part of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reference import reference_from

NOW = datetime(2026, 2, 28, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD = NOW - timedelta(days=3)
COUNTRIES = {"DE": 0.08, "FR": 0.17, "US": 0.5, "UK": 0.25}
DEVICES = ("phone", "desktop")
MODEL = Component(name="fraud")


def traffic(seed, count, since, *, countries=COUNTRIES, positives=0.3, features=2):
    """Rows without a fault: about 5% of the classes are wrong."""
    rng = np.random.default_rng(seed)
    country = rng.choice(list(countries), count, p=list(countries.values()))
    device = rng.choice(DEVICES, count)
    label = (rng.random(count) < positives) * 1.0
    return Predictions(
        ids=[f"{seed}-{n}" for n in range(count)],
        timestamps=since.timestamp() + np.sort(rng.uniform(0, 3600, count)),
        features={f"x{n}": rng.normal(size=count) for n in range(features)},
        prediction=np.where(rng.random(count) < 0.05, 1 - label, label),
        confidence=np.full(count, 0.9),
        label=label,
        latency_ms=np.full(count, 20.0),
        version=["1"] * count,
        segment=[f"country={c};device={d}" for c, d in zip(country, device, strict=True)],
    )


def spoilt(rows, bad, seed=0, wrong=0.4):
    """The same rows with wrong classes where `bad` is true."""
    flip = bad & (np.random.default_rng(seed).random(len(rows)) < wrong)
    return replace(rows, prediction=np.where(flip, 1 - rows.prediction, rows.prediction))


def where(rows, *parts):
    """The rows whose segment names all these parts."""
    return np.array([all(part in text for part in parts) for text in rows.segment])


def reference_of(healthy, component=MODEL):
    warehouse = WarehouseInMemory({component.name: healthy})
    return reference_from(warehouse, component, GOOD, GOOD + 2 * HOUR, None, at=GOOD)


def looked_at(rows, *, component=MODEL, healthy=None, stored=True, profile=None):
    """One look at the rows of the last hour, with `healthy` ones of three days before."""
    return measure(stored_in(rows, component, healthy, stored, profile), component, NOW)


def stored_in(rows, component=MODEL, healthy=None, stored=True, profile=None):
    """A warehouse with those rows, and with a reference of the healthy ones."""
    healthy = traffic(99, 40_000, GOOD) if healthy is None else healthy
    warehouse = WarehouseInMemory({component.name: healthy})
    profile = profile or reference_of(healthy, component)
    if not stored:
        profile = profile.model_copy(update={"segments": {}})
    warehouse.save_reference(profile)
    warehouse.give(component.name, after(healthy, rows))
    return warehouse


def after(first, second):
    return Predictions(
        ids=first.ids + second.ids,
        timestamps=np.concatenate([first.timestamps, second.timestamps]),
        features={
            name: np.concatenate([first.features[name], second.features[name]])
            for name in first.features
        },
        prediction=np.concatenate([first.prediction, second.prediction]),
        confidence=np.concatenate([first.confidence, second.confidence]),
        label=np.concatenate([first.label, second.label]),
        latency_ms=np.concatenate([first.latency_ms, second.latency_ms]),
        version=first.version + second.version,
        segment=first.segment + second.segment,
    )
