"""Streams of an agent's metrics: a daily rhythm, faults, and a late evening that is none."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import numpy as np

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.domain.component import Component
from evals.detection.cases import MONDAY, Case, Kind, Plan, Row

NAME = "watched-agent"
POINTS = 12  # an hour
HISTORY_H = 7 * 24
DRAWN = 7  # the word for the generator that draws a fault's size


@dataclass
class AgentStream:
    """Metrics of an agent; what the fault does is in its numbers, all harmless by default."""

    seed: int
    onset_h: float
    slower: float = 1.0
    ramp_h: float = 0.0  # how long it takes to become that slow
    errors: float = 0.0  # share of requests that fail beside the usual ones
    tokens: float = 1.0
    leak_mb: float = 0.0  # an hour
    late_from: int | None = None  # from that day on people come an hour later
    table: str = "AGENT_METRICS"
    columns: tuple[str, ...] = (
        "timestamp",
        "agent_name",
        "latency_p95",
        "error_rate",
        "cost_per_request",
        "requests",
        "tokens_per_request",
        "memory_mb",
        "session_minutes",
        "policy_false_positive_rate",
        "total_cost",
    )
    component: Component = field(init=False)
    _usual: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, DRAWN])
        self.component = Component(name=NAME, kind="agent")
        self._usual = {
            "latency": float(rng.uniform(150, 400)),
            "requests": float(rng.uniform(40, 300)),
            "tokens": float(rng.uniform(800, 3000)),
            "price": float(rng.uniform(1e-5, 2e-5)),
            "memory": float(rng.uniform(400, 900)),
            "peak": float(rng.uniform(11, 17)),
        }

    def begin(self, warehouse: SqliteWarehouse, hour: int) -> None:
        """Nothing has to be set up for an agent."""

    def rows(self, hour: int) -> Iterable[Row]:
        rng = np.random.default_rng([self.seed, hour, 3])
        return [self._point(hour + (n + 0.5) / POINTS, rng) for n in range(POINTS)]

    def _point(self, clock: float, rng: np.random.Generator) -> Row:
        usual, age = self._usual, clock - self.onset_h
        late = 1.0 if self.late_from is not None and clock // 24 >= self.late_from else 0.0
        rhythm = 1 + 0.4 * np.cos((clock % 24 - usual["peak"] - late) * np.pi / 12)
        requests = int(rng.poisson(usual["requests"] * rhythm))
        slower, tokens = 1.0, usual["tokens"] * rng.lognormal(0, 0.05)
        errors = 0.01
        if age >= 0:
            grown = min(age / self.ramp_h, 1.0) if self.ramp_h else 1.0
            slower = 1 + (self.slower - 1) * grown
            tokens *= self.tokens
            errors += self.errors
        # A collector of rubbish frees the memory every few hours.
        memory = usual["memory"] + 15 * (clock % 6) + rng.normal(0, 10)
        cost = tokens * usual["price"]
        failed = rng.binomial(requests, min(errors, 1.0)) / requests if requests else 0.0
        return (
            time_text(MONDAY + timedelta(hours=clock)),
            NAME,
            round(usual["latency"] * (0.6 + 0.4 * rhythm) * slower * rng.lognormal(0, 0.1), 2),
            round(float(failed), 5),
            round(cost, 6),
            requests,
            round(tokens, 1),
            round(memory + self.leak_mb * max(age, 0.0), 1),
            round(float(rng.gamma(6, 1)), 2),
            round(float(rng.binomial(requests, 0.01) / max(requests, 1)), 5),
            round(cost * requests, 5),
        )


EXPECTED = {
    "provider outage": frozenset({"provider_outage"}),
    "token bloat": frozenset({"cost_spike"}),
    "memory leak": frozenset({"memory_bloat"}),
    "latency step": frozenset({"latency"}),
    "latency ramp": frozenset({"latency"}),
}


def faulty(kind: str, seed: int, healthy: int) -> Case:
    """An agent that breaks in that way within the hour after its healthy time."""
    rng = np.random.default_rng([seed, DRAWN, *kind.encode()])
    plan = Plan(HISTORY_H, healthy)
    onset_h = plan.fault + float(rng.uniform(0, 1))
    numbers = {
        "provider outage": {"errors": float(rng.uniform(0.15, 0.7))},
        "token bloat": {"tokens": float(rng.uniform(2.0, 4.0))},
        "memory leak": {"leak_mb": float(rng.uniform(80, 250))},
        "latency step": {"slower": float(rng.uniform(2.5, 5))},
        "latency ramp": {"slower": float(rng.uniform(3, 6)), "ramp_h": 2.0},
    }[kind]
    stream = AgentStream(seed, onset_h, **numbers)
    onset = MONDAY + timedelta(hours=onset_h)
    return Case(_said(kind), seed, stream.component, stream, plan, onset, EXPECTED[kind])


def evening(seed: int, healthy: int) -> Case:
    """An agent whose people come an hour later on the watched days: nothing is wrong."""
    stream = AgentStream(seed, np.inf, late_from=HISTORY_H // 24)
    plan = Plan(HISTORY_H, healthy, after=0)
    return Case("late evening", seed, stream.component, stream, plan, None, frozenset())


def _said(kind: str) -> str:
    return f"{kind} (agent)" if kind.startswith("latency") else kind


KINDS = (
    *(Kind(_said(n), partial(faulty, n), "agent", slow=n == "memory leak") for n in EXPECTED),
    Kind("late evening", evening, "agent: late evening", control=True),
)
