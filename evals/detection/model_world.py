"""Streams of a scored model, healthy or broken from one moment on."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.detection.performance import estimate
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.component import Component
from agentops_graph.gathering.reference import reference_from
from evals.detection.cases import MONDAY, Row
from evals.detection.pools import Columns, Floats, Pool

PER_HOUR = 280  # predictions; 200 are the least that drift is judged on
NAME = "watched-model"
COUNTRIES = np.array(["DE", "FR", "IT", "PL"], dtype=object)
RENAMED = dict(zip(COUNTRIES, ["Germany", "France", "Italy", "Poland"], strict=True))
WITHOUT = {"segment": None}


@dataclass
class Hour:
    """The rows of one hour before they are scored; a fault changes them."""

    age_h: Floats  # since the fault began, negative before it
    clock_h: Floats  # time of day
    columns: dict[str, np.ndarray]
    label: Floats
    latency: Floats
    version: np.ndarray
    scored: tuple[Floats, Floats] | None = None  # by whom the fault put in the model's place

    def after(self) -> np.ndarray:
        return self.age_h >= 0


Fault = Callable[[Hour, np.random.Generator], None]


@dataclass
class ModelStream:
    """Draws rows from a pool, breaks those after the onset, scores and writes them."""

    pool: Pool
    seed: int
    onset_h: float  # infinite on a control
    fault: Fault | None = None
    rhythm: Fault | None = None  # what changes with the time of day, always
    country: bool = False
    second: Callable[[Columns], tuple[Floats, Floats]] | None = None  # version 2, from the onset on
    second_profiled: bool = True
    reference_h: int = 48
    table: str = "PREDICTION_LOGS"
    columns: tuple[str, ...] = (
        "timestamp",
        "prediction_id",
        "model_name",
        "model_version",
        "features",
        "prediction",
        "confidence",
        "actual_label",
        "latency_ms",
    )
    component: Component = field(init=False)
    _texts: list[str] = field(init=False)
    _scores: tuple[Floats, Floats] = field(init=False)

    def __post_init__(self) -> None:
        self.component = Component.model_validate({"name": NAME, "task": self.pool.task})
        self._texts, self._scores = _texts(self.pool.columns), self.pool.score(self.pool.columns)

    def rows(self, hour: int) -> Iterable[Row]:
        rng = np.random.default_rng([self.seed, hour, 1])
        count = int(rng.poisson(PER_HOUR))
        offset = np.sort(rng.uniform(0, 1, count))
        picked = rng.integers(0, len(self._texts), count)
        drawn = Hour(
            age_h=hour + offset - self.onset_h,
            clock_h=(hour + offset) % 24,
            columns={"hours_since_last": np.round(rng.gamma(2, 6, count), 3)},
            label=self.pool.label[picked].copy(),
            latency=np.round(rng.lognormal(np.log(180), 0.3, count), 2),
            version=np.full(count, "1", dtype=object),
        )
        if self.country:
            drawn.columns["country"] = rng.choice(COUNTRIES, count, p=[0.5, 0.2, 0.2, 0.1])
        if self.rhythm is not None:
            self.rhythm(drawn, rng)
        # Only an hour that a fault touches is worth the writing of every number anew.
        if hour + 1 > self.onset_h:
            drawn.columns = {n: v[picked] for n, v in self.pool.columns.items()} | drawn.columns
            return self._broken(hour, offset, drawn, rng)
        scores = (self._scores[0][picked], self._scores[1][picked])
        more = _texts(drawn.columns)
        texts = [self._texts[p][:-1] + ", " + m[1:] for p, m in zip(picked, more, strict=True)]
        return self._written(hour, offset, drawn, texts, scores)

    def _broken(
        self, hour: int, offset: Floats, drawn: Hour, rng: np.random.Generator
    ) -> list[Row]:
        if self.fault is not None:
            self.fault(drawn, rng)
        scores = self.pool.score(drawn.columns)
        if self.second is not None:
            new = self.second(drawn.columns)
            after = drawn.after()
            scores = tuple(np.where(after, n, o) for n, o in zip(new, scores, strict=True))
            drawn.version[after] = "2"
        return self._written(hour, offset, drawn, _texts(drawn.columns), scores)

    def _written(
        self,
        hour: int,
        offset: Floats,
        drawn: Hour,
        texts: list[str],
        scores: tuple[Floats, Floats],
    ) -> list[Row]:
        confidence = [None if np.isnan(c) else float(c) for c in scores[1]]
        return [
            (
                time_text(MONDAY + timedelta(hours=hour + float(o))),
                f"p{hour}-{n}",
                NAME,
                drawn.version[n],
                texts[n],
                float(scores[0][n]),
                confidence[n],
                float(drawn.label[n]),
                float(drawn.latency[n]),
            )
            for n, o in enumerate(offset)
        ]

    def begin(self, warehouse: SqliteWarehouse, hour: int) -> None:
        """The reference is taken as `agentops reference` does; that of version 2 as a retraining
        saves it, with the metric that its offline test promised."""
        at = MONDAY + timedelta(hours=hour)
        if hour == self.reference_h:
            profile = reference_from(warehouse, self.component, MONDAY, at, None, at=at)
            warehouse.save_reference(profile)
        if self.second is None or not self.second_profiled or hour != int(self.onset_h):
            return
        metric = self.component.metric
        found = estimate(metric, self.pool.label, self._scores[0], self._scores[1])
        assert found is not None
        profile = profile_of(NAME, "2", self.pool.columns, {metric.name: found.value}, at)
        warehouse.save_reference(profile)


def _texts(columns: Mapping[str, np.ndarray]) -> list[str]:
    """One JSON object per row; what is not a number is null."""
    names = list(columns)
    values = [v.tolist() for v in columns.values()]
    rows = zip(*values, strict=True)
    text = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    return text.replace("NaN", "null")[1:-1].replace("}, {", "}\n{").split("\n")
