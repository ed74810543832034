"""Measures and infrastructure figures of components, by declared queries; reads only."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.adapters.prometheus_series.answers import Points, RefusedQueryError, told
from agentops_graph.adapters.prometheus_series.kept import KeptPoints
from agentops_graph.domain.frames import Series
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from agentops_graph.adapters.prometheus_series.api import PromApi
    from agentops_graph.adapters.prometheus_series.kept import Places
    from agentops_graph.domain.frames import Floats, SeriesTable
    from agentops_graph.domain.sources.prometheus import PrometheusSource, PromMeasure

SETTLED_S = 600.0  # younger points may still change: scrapes are late, servers catch up
KEPT_S = 16 * 86400.0  # a fortnight's season, and the window after it
NAMED = 3  # series of too many that are named
INFRASTRUCTURE = "infrastructure"


class PrometheusSeries:
    """Implements `SeriesSource` and `Surroundings`.

    Every query is asked for at whole multiples of its step, so that each tick sees the same points,
    and what is older than ten minutes is not asked for twice. `place` gives file and line of a
    path in sources.yaml.
    """

    def __init__(
        self,
        source: PrometheusSource,
        servers: Mapping[str, PromApi],
        place: Callable[..., str],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.source, self.servers, self._place, self._now = source, servers, place, now
        self._kept = KeptPoints()

    def columns(self, table: SeriesTable, subject: str) -> frozenset[str]:
        declared = self.source.components.get(subject)
        return frozenset(declared.measures(table)) if declared else frozenset()

    def asked_for(self, subject: str) -> str:
        return f"prometheus {self.source.server_of(subject).name}"

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        measures = self.source.components[subject].measures(table)
        found = {
            column: self.points(subject, table, column, measure, since, until)
            for column, measure in measures.items()
        }
        times = np.unique(np.concatenate([at for at, _ in found.values()]))
        columns: dict[str, Floats] = {}
        for column, (at, values) in found.items():
            columns[column] = np.full(len(times), np.nan)
            columns[column][np.searchsorted(times, at)] = values
        return Series(times, columns)

    def figures(self, component: str) -> Sequence[str]:
        declared = self.source.components.get(component)
        return list(declared.infrastructure) if declared else []

    def figure(self, component: str, name: str, since: datetime, until: datetime) -> Series:
        measure = self.source.components[component].infrastructure[name]
        times, values = self.points(component, INFRASTRUCTURE, name, measure, since, until)
        return Series(times, {name: values})

    def points(
        self,
        component: str,
        table: str,
        column: str,
        measure: PromMeasure,
        since: datetime,
        until: datetime,
    ) -> tuple[Floats, Floats]:
        """Times and values of one query; a point without a figure is left out. Raises
        UnavailableError, which names the line of a query that can't be read."""
        step, now = self.source.components[component].step(measure), self._now()
        asked, api = written(measure, step), self.servers[self.source.server_of(component).name]

        def read(first: int, end: int) -> tuple[Places, Floats]:
            return _on_grid(
                one_of(api.query_range(asked, first * step, (end - 1) * step, step)), step
            )

        try:
            places, values = self._kept.between(
                (api.server.name, asked, step),
                math.ceil(since.timestamp() / step),
                math.ceil(until.timestamp() / step),
                oldest=math.floor((now - KEPT_S) / step),
                settled=math.floor((now - SETTLED_S) / step),
                read=read,
            )
        except RefusedQueryError as error:
            place = self.place(component, table, column)
            # The server is well; nobody else is blind for it.
            raise RefusedQueryError(
                f"{place}: {component} {column}: {error}", source=f"queries of {component}"[:200]
            ) from error
        except UnavailableError as error:
            raise UnavailableError(f"{component} {column}: {error}") from error
        known = np.isfinite(values)
        return (places[known] * step).astype(np.float64), values[known] * measure.scale

    def place(self, component: str, table: str, column: str) -> str:
        """File and line where the query stands."""
        return self._place("prometheus", "components", component, table, column)


def written(measure: PromMeasure, step: int) -> str:
    """The query as it is asked: its step filled in, its aggregate around it."""
    query = measure.query.replace("$step", f"{step}s")
    return query if measure.aggregate is None else f"{measure.aggregate}({query})"


def one_of(found: Sequence[Points]) -> Points | None:
    """The only series, or None; several that follow each other, such as of a pod and the one that
    took its place, are one. Which of several at a time is meant nobody can guess."""
    if len(found) < 2:
        return found[0] if found else None
    times = np.concatenate([points.times for points in found])
    if len(np.unique(times)) == len(times):
        order = np.argsort(times)
        values = np.concatenate([points.values for points in found])
        return Points({}, times[order], values[order])
    named = "; ".join(_named(points) for points in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    raise RefusedQueryError(
        f"the query gives {len(found)} series ({named}{more}) where one is needed; say which with "
        "labels, or set `aggregate` to sum, avg, min or max"
    )


def _named(points: Points) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(points.labels.items()))
    return told(labels)[:100] or "no labels"


def _on_grid(points: Points | None, step: int) -> tuple[Places, Floats]:
    if points is None:
        return np.empty(0, dtype=np.int64), np.empty(0)
    return np.rint(points.times / step).astype(np.int64), points.values
