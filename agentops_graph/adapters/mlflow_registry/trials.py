"""Tries out what is declared of MLflow: the store, and each experiment over the last day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.adapters.mlflow_registry.reading import reader, unavailable
from agentops_graph.adapters.mlflow_registry.store import MlflowStore
from agentops_graph.domain.redaction import redacted
from agentops_graph.domain.sources.trial import Trial
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentops_graph.adapters.mlflow_registry.runs import MlflowRunMetrics
    from agentops_graph.adapters.mlflow_registry.traces import MlflowTraceLog
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.sources.mlflow import MlflowSource

BACK = timedelta(days=1)


class MlflowTrials:
    """Implements `Source`."""

    name = "mlflow"

    def __init__(
        self,
        store: MlflowStore,
        source: MlflowSource,
        runs: MlflowRunMetrics,
        traces: MlflowTraceLog,
        place: Callable[..., str],
    ) -> None:
        self._store, self._source, self._place = store, source, place
        self._runs, self._traces = runs, traces

    @property
    def components(self) -> frozenset[str]:
        return frozenset(self._source.runs) | frozenset(self._source.traces)

    def trials(self) -> list[Trial]:
        store = redacted(self._store.uri)
        try:
            client = reader(self._store)
            with unavailable("the store"):
                client.search_experiments(max_results=1)
        except UnavailableError as error:
            mend = "start it, or mend its address; its components can't be measured until then"
            seen = str(error)
            return [Trial(source=self.name, what="store", state="broken", seen=seen, mend=mend)]
        reached = Trial(source=self.name, what="store", state="ok", seen=f"{store} answers")
        return [reached, *self._of_runs(), *self._of_traces()]

    def _of_runs(self) -> Iterator[Trial]:
        now = datetime.now(UTC)
        for name, declared in self._source.runs.items():
            place = self._place("mlflow", "runs", name)
            try:
                found = self._runs.series("model_metrics", name, now - BACK, now)
            except UnavailableError as error:
                yield self._broken(f"{name} runs", error, place)
                continue
            for column, key in declared.metrics.items():
                values = found.columns[column]
                known = np.isfinite(values)
                yield self._counted(
                    f"{name} {column}",
                    found.timestamps[known],
                    values[known],
                    f"values of {key}",
                    self._place("mlflow", "runs", name, "metrics", column),
                )

    def _of_traces(self) -> Iterator[Trial]:
        now = datetime.now(UTC)
        for name in self._source.traces:
            place = self._place("mlflow", "traces", name)
            try:
                calls = self._traces.calls(name, now - BACK, now)
            except UnavailableError as error:
                yield self._broken(f"{name} traces", error, place)
                continue
            yield self._counted(
                f"{name} traces", calls.timestamps, calls.latency_ms, "traces", place, " ms"
            )

    def _broken(self, what: str, error: UnavailableError, place: str) -> Trial:
        return Trial(source=self.name, what=what, state="broken", seen=str(error), place=place)

    def _counted(
        self, what: str, times: Floats, values: Floats, unit: str, place: str, suffix: str = ""
    ) -> Trial:
        if not len(times):
            return Trial(
                source=self.name,
                what=what,
                state="degraded",
                seen=f"no {unit} in the last day",
                mend="are experiment, tags and names written as MLflow shows them?",
                place=place,
                points=0,
            )
        newest, at = float(values[-1]), datetime.fromtimestamp(float(times[-1]), UTC)
        known = np.isfinite(newest)
        shown = f"{newest:.4g}{suffix}" if known else "unknown"
        return Trial(
            source=self.name,
            what=what,
            state="ok",
            seen=f"{len(times)} {unit} in the last day, newest {shown}",
            points=len(times),
            newest_at=at,
            newest=newest if known else None,
        )
