"""A prediction log in memory that a test can spoil column by column."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.shift import numbers_only, words_only
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions
from agentops_graph.gathering.measure import measure

NOW = datetime(2026, 2, 28, 14, 0, tzinfo=UTC)
MODEL = Component(name="churn")
COUNTRIES = {"DE": 0.5, "FR": 0.3, "AT": 0.2}


def log(seed=1, rows=1200, *, features=None, categories=None, **columns):
    """An hour of healthy rows, with some of the columns replaced."""
    rng = np.random.default_rng(seed)
    start = NOW.timestamp() - 3600
    usage = rng.normal(size=rows)
    held = {
        "usage": usage,
        "calls": 0.8 * usage + 0.6 * rng.normal(size=rows),
        "age": rng.normal(40, 9, size=rows),
        "fee": rng.exponential(20, size=rows),
    }
    words = {"country": rng.choice(list(COUNTRIES), rows, p=list(COUNTRIES.values()))}
    label = (rng.random(rows) < 0.2) * 1.0
    given = Predictions(
        ids=[f"p{n}" for n in range(rows)],
        timestamps=start + (np.arange(rows) + 0.5) * (3600 / max(rows, 1)),
        features=held if features is None else features(held),
        prediction=np.where(rng.random(rows) < 0.03, 1 - label, label),
        confidence=np.full(rows, 0.9),
        label=label,
        latency_ms=rng.gamma(4, 4, rows),
        version=["1"] * rows,
        categories={n: w.astype(object) for n, w in words.items()},
    )
    if categories is not None:
        given = replace(given, categories=categories(given.categories))
    return replace(given, **columns)


def reference(rows=None):
    rows = rows or log(seed=99, rows=6000)
    return profile_of(
        "churn",
        "1",
        numbers_only(rows.features, rows.categories),
        {"f1": 0.92},
        NOW,
        categories=words_only(rows.features, rows.categories),
        outputs={"prediction": rows.prediction, "label": rows.label},
    )


def measured(rows, profile=None, component=MODEL):
    """What the monitor sees in these rows."""
    warehouse = WarehouseInMemory({"churn": rows}, references=[profile or reference()])
    return measure(warehouse, component, NOW)
