"""Evidence of money: what an agent spends, or what a wrong model costs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.domain.stakes import Stakes
from agentops_graph.gathering.case import Case, Gatherer, Observed, typed_read

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Series
    from agentops_graph.domain.record import Scalar

DAY = timedelta(days=1)
BY_REQUEST = ("cost_per_request", "tokens_per_request")


def costs(case: Case) -> Observed:
    """Spend by the hour, by request and in tokens, in the day before the onset and since; for
    other components what the alert says is at stake."""
    told = Stakes.among(case.alert.metrics)
    stakes: dict[str, Scalar] = dict(told.figures)
    if case.component.kind != "agent":
        said = "; ".join(told.lines) or "the alert tells no cost"
        return Observed("the alert", "stakes(alert)", said, stakes, found=bool(told.lines))
    name, start, end = case.component.name, case.window.start, case.window.end
    read = case.ports.warehouse.series
    now, before = (
        read("agent_metrics", name, start, end),
        read("agent_metrics", name, start - DAY, start),
    )
    query = typed_read("series", start - DAY, end, table="agent_metrics", agent=name)
    if not len(now):
        return Observed("AGENT_METRICS", query, "no spend since the onset", stakes, found=False)
    pairs = {"spend_per_hour": (_by_hour(before, 24.0), _by_hour(now, _hours(start, end)))}
    pairs |= {column: (_level(before, column), _level(now, column)) for column in BY_REQUEST}
    known = {n: pair for n, pair in pairs.items() if pair[1] is not None}
    values: dict[str, Scalar] = {f"{n}_before": pair[0] for n, pair in known.items()}
    values |= {n: pair[1] for n, pair in known.items()}
    said = ", ".join(
        f"{n.replace('_', ' ')} {_words(a)} -> {_words(b)}" for n, (a, b) in known.items()
    )
    said = "; ".join([said or "no cost is recorded", *told.lines])
    return Observed("AGENT_METRICS", query, said, stakes | values, found=bool(known))


COSTS = Gatherer("costs", "AGENT_METRICS", costs)


def _hours(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds() / 3600, 1 / 60)


def _by_hour(series: Series, hours: float) -> float | None:
    spent = series.columns["total_cost"]
    return float(np.nansum(spent)) / hours if np.isfinite(spent).any() else None


def _level(series: Series, column: str) -> float | None:
    values = series.columns[column]
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else None


def _words(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
