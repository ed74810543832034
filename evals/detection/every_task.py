"""Every task once, from data to alert: healthy windows are silent, degraded ones are found.

`python -m evals.detection.every_task [--windows N]`. Binary, multiclass, regression and ranking run
on scikit-learn's own data sets, text on the descriptions that come with them; forecast and agent
run on generated ones. Each has a model that is really fitted, and is measured as the monitor does.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reference import reference_from
from evals.detection.spoken_tasks import Spoken, agent_task, text_task

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GOOD = NOW - timedelta(days=3)
ROWS = 600
GOOD_ROWS = 3000


@dataclass(frozen=True)
class Task:
    """A component, and rows of it: `rows(rng, count, degraded)` gives features, predictions,
    confidences, labels and ids."""

    component: Component
    data: str
    fault: str
    rows: Callable[[np.random.Generator, int, bool], tuple]


def binary() -> Task:
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = load_breast_cancer()
    train = np.arange(len(table.target)) % 2 == 0
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(table.data[train], table.target[train])

    def rows(rng, count, degraded):
        chosen = rng.choice(np.flatnonzero(~train), count)
        x = table.data[chosen]
        if degraded:
            x = x.copy()
            x[:, [0, 2, 20, 22]] /= 2.54  # radii and perimeters
        score = model.predict_proba(x)[:, 1]
        names = dict(zip(table.feature_names, x.T, strict=True))
        return names, (score > 0.5) * 1.0, score, table.target[chosen] * 1.0, None

    component = Component.model_validate({"name": "it", "task": "binary"})
    return Task(component, "breast cancer", "radii and perimeters in inches", rows)


def multiclass() -> Task:
    from sklearn.datasets import load_digits
    from sklearn.naive_bayes import GaussianNB

    table = load_digits()
    train = np.arange(len(table.target)) % 2 == 0
    model = GaussianNB(var_smoothing=0.1).fit(table.data[train], table.target[train])

    def rows(rng, count, degraded):
        chosen = rng.choice(np.flatnonzero(~train), count)
        x = table.images[chosen]
        x = np.roll(x, 1, axis=2) if degraded else x
        x = x.reshape(count, 64)
        names = {f"p{n}": x[:, n] for n in range(64)}
        return names, model.predict(x) * 1.0, np.full(count, np.nan), table.target[chosen], None

    component = Component.model_validate({"name": "it", "task": "multiclass"})
    return Task(component, "digits", "images a pixel to the right", rows)


def regression() -> Task:
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge

    table = load_diabetes()
    train = np.arange(len(table.target)) % 2 == 0
    model = Ridge(alpha=0.1).fit(table.data[train], table.target[train])

    def rows(rng, count, degraded):
        chosen = rng.choice(np.flatnonzero(~train), count)
        x = table.data[chosen].copy()
        if degraded:
            x[:, 2], x[:, 8] = x[:, 8], -x[:, 2]
        names = dict(zip(table.feature_names, x.T, strict=True))
        return names, model.predict(x), np.full(count, np.nan), table.target[chosen], None

    component = Component.model_validate({"name": "it", "task": "regression"})
    return Task(component, "diabetes", "two columns swapped, a sign turned", rows)


def ranking() -> Task:
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    table = load_digits()
    model = PCA(8, random_state=0).fit(table.data)
    places = model.transform(table.data)

    def rows(rng, count, degraded):
        queries = count // 8
        asked = rng.choice(len(places), queries)
        found = rng.choice(len(places), (queries, 8))
        own = places[asked]
        own = own[:, ::-1] if degraded else own
        apart = np.linalg.norm(own[:, None, :] - places[found], axis=2)
        label = (table.target[found] == table.target[asked][:, None]) * 1.0
        ids = [f"q{q}:{i}" for q in range(queries) for i in range(8)]
        names = {"distance": apart.ravel()}
        empty = np.full(queries * 8, np.nan)
        return names, -apart.ravel(), empty, label.ravel(), ids

    component = Component.model_validate({"name": "it", "task": "ranking"})
    return Task(component, "digits, nearest images", "queries in another order of axes", rows)


def forecast() -> Task:
    from sklearn.ensemble import HistGradientBoostingRegressor

    def demand(hour, rng):
        level = 100 + 40 * np.sin(2 * np.pi * (hour - 9) / 24) + 15 * np.sin(4 * np.pi * hour / 24)
        return level + rng.normal(0, 5, len(hour))

    rng = np.random.default_rng(1)
    hours = rng.uniform(0, 24, 4000)
    model = HistGradientBoostingRegressor(max_iter=60, random_state=0)
    model.fit(hours[:, None], demand(hours, rng))

    def rows(rng, count, degraded):
        hour = rng.uniform(0, 24, count)
        seen = (hour + (2 if degraded else 0)) % 24
        names = {"hour": seen}
        return names, model.predict(seen[:, None]), np.full(count, np.nan), demand(hour, rng), None

    component = Component.model_validate({"name": "it", "task": "forecast"})
    return Task(component, "generated demand", "clock two hours ahead", rows)


TASKS: dict[str, Callable[[], Task | Spoken]] = {
    "binary": binary,
    "multiclass": multiclass,
    "regression": regression,
    "ranking": ranking,
    "forecast": forecast,
    "text": text_task,
    "agent": agent_task,
}


def logged(task: Task, since: datetime, until: datetime, count: int, seed: int, degraded: bool):
    """A prediction log between two times."""
    rng = np.random.default_rng([seed, degraded])
    features, prediction, confidence, label, ids = task.rows(rng, count, degraded)
    size = len(prediction)
    return Predictions(
        ids=ids or [f"p{n}" for n in range(size)],
        timestamps=np.linspace(since.timestamp(), until.timestamp() - 1, size),
        features=features,
        prediction=prediction,
        confidence=confidence,
        label=np.asarray(label, dtype=np.float64),
        latency_ms=rng.lognormal(3, 0.3, size),
        version=["1"] * size,
    )


def reference(task: Task | Spoken) -> ReferenceProfile:
    """The profile of a good day."""
    day = GOOD + timedelta(days=1)
    if isinstance(task, Spoken):
        calls, said = task.logged(GOOD, day, GOOD_ROWS, 10_000, False)
        held = WarehouseInMemory({}, calls={"it": calls}, exchanges={"it": said})
    else:
        held = WarehouseInMemory({"it": logged(task, GOOD, day, GOOD_ROWS, 10_000, False)})
    return reference_from(held, task.component, GOOD, day, None, at=NOW)


def window(task: Task | Spoken, profile: ReferenceProfile, seed: int, degraded: bool) -> list[str]:
    """The alert types of one hour, against that reference."""
    start = NOW - timedelta(hours=1)
    if isinstance(task, Spoken):
        calls, said = task.logged(start, NOW, ROWS, seed, degraded)
        held = WarehouseInMemory({}, calls={"it": calls}, exchanges={"it": said})
    else:
        held = WarehouseInMemory({"it": logged(task, start, NOW, ROWS, seed, degraded)})
    held.save_reference(profile)
    return [finding.alert_type for finding in measure(held, task.component, NOW).findings]


def outcome(name: str, windows: int) -> dict[str, object]:
    """Healthy windows that alerted on anything, and degraded ones in which the loss was found."""
    task = TASKS[name]()
    profile = reference(task)
    loud = [seed for seed in range(windows) if window(task, profile, seed, False)]
    found = [n for n in range(windows) if "accuracy_drop" in window(task, profile, n, True)]
    return {
        "metric": task.component.metric.name,
        "data": task.data,
        "fault": task.fault,
        "false": len(loud) / windows,
        "found": len(found) / windows,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=20)
    windows = parser.parse_args().windows
    print(f"{windows} healthy and {windows} degraded hours of {ROWS} rows each, shipped defaults")
    print(f"{'task':11} {'metric':12} {'data':26} {'fault':38} healthy alerting  found")
    good = True
    for name in TASKS:
        r = outcome(name, windows)
        good &= r["false"] == 0 and r["found"] >= 0.95
        print(
            f"{name:11} {r['metric']:12} {r['data']:26} {r['fault']:38} {r['false']:16.2f}"
            f"  {r['found']:5.2f}",
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
