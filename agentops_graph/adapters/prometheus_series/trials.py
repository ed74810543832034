"""Tries out what is declared of Prometheus: each server, and each query over the last hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agentops_graph.adapters.prometheus_series.series import (
    INFRASTRUCTURE,
    PrometheusSeries,
    one_of,
    written,
)
from agentops_graph.domain.sources.trial import Trial
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_graph.domain.sources.prometheus import PrometheusServer, PromMeasure

BACK = timedelta(hours=1)
OLD_STEPS = 5  # a newest point older than so many steps means that nothing comes any more
AT_LEAST_S = 300.0  # as long as Prometheus itself holds on to a sample


class PrometheusTrials:
    """Implements `Source`."""

    name = "prometheus"

    def __init__(self, series: PrometheusSeries) -> None:
        self._series = series

    @property
    def components(self) -> frozenset[str]:
        declared = self._series.source.components
        return frozenset(name for name, held in declared.items() if held.tables)

    def trials(self) -> list[Trial]:
        found: list[Trial] = []
        for server in self._series.source.servers:
            reached = self._reached(server)
            found.append(reached)
            if reached.state == "ok":
                found += self._queries(server)
        return found

    def _reached(self, server: PrometheusServer) -> Trial:
        what = f"server {server.name}"
        try:
            version = self._series.servers[server.name].version()
        except UnavailableError as error:
            mend = "start it, or mend its address; its components can't be measured until then"
            return self._trial(what, "broken", str(error), mend=mend)
        return self._trial(what, "ok", f"Prometheus {version}" if version else "it answers")

    def _queries(self, server: PrometheusServer) -> Iterator[Trial]:
        source = self._series.source
        for name, component in source.components.items():
            if source.server_of(name) != server:
                continue
            tables = [(table, component.measures(table)) for table in component.tables]
            for table, measures in (*tables, (INFRASTRUCTURE, component.infrastructure)):
                for column, measure in measures.items():
                    yield self._query(name, table, column, measure)

    def _query(self, component: str, table: str, column: str, measure: PromMeasure) -> Trial:
        series, source = self._series, self._series.source
        what, place = f"{component} {column}", series.place(component, table, column)
        step, now = source.components[component].step(measure), datetime.now(UTC)
        api = series.servers[source.server_of(component).name]
        try:
            one_of(api.query(written(measure, step), now.timestamp()))
            times, values = series.points(component, table, column, measure, now - BACK, now)
        except UnavailableError as error:
            return self._trial(what, "broken", str(error), place=place)
        if not len(times):
            seen = "no point in the last hour"
            mend = "try the query in Prometheus itself: does its metric exist, with these labels?"
            return self._trial(what, "degraded", seen, mend=mend, place=place, points=0)
        newest = datetime.fromtimestamp(float(times[-1]), UTC)
        age_s = (now - newest).total_seconds()
        is_old = age_s > max(OLD_STEPS * step, AT_LEAST_S)
        trial = self._trial(
            what,
            "degraded" if is_old else "ok",
            f"{len(times)} points in the last hour, newest {values[-1]:.4g}, {age_s:.0f} s old",
            mend="nothing comes any more; is its target still scraped?" if is_old else "",
            place=place if is_old else "",
            points=len(times),
        )
        return trial.model_copy(update={"newest_at": newest, "newest": float(values[-1])})

    def _trial(
        self,
        what: str,
        state: str,
        seen: str,
        *,
        mend: str = "",
        place: str = "",
        points: int | None = None,
    ) -> Trial:
        return Trial.model_validate(
            {
                "source": self.name,
                "what": what,
                "state": state,
                "seen": seen,
                "mend": mend,
                "place": place,
                "points": points,
            }
        )
