"""Metrics of runs as rows of a model's metric series; implements `SeriesSource`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.adapters.mlflow_registry.reading import (
    experiment_id,
    pages,
    reader,
    tagged,
    unavailable,
)
from agentops_graph.adapters.mlflow_registry.store import MlflowStore
from agentops_graph.domain.frames import Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mlflow.entities import Run

    from agentops_graph.domain.frames import SeriesTable
    from agentops_graph.domain.sources.mlflow import MlflowRuns

PAGE = 500
MOST_RUNS = 5000  # of one read; the newest count
MOST_HISTORIES = 50  # runs whose every value is read: each costs a call for each metric
LONGEST_RUN = timedelta(days=30)  # an unfinished run that began earlier is not looked into
LARGEST = 1e75
Row = tuple[float, str, float]  # seconds, column, value


class MlflowRunMetrics:
    """A row per finished run, at the time it ended; with `history`, one per logged value."""

    def __init__(self, store: MlflowStore, runs: Mapping[str, MlflowRuns]) -> None:
        self._store, self._runs = store, runs

    def columns(self, table: SeriesTable, subject: str) -> frozenset[str]:
        declared = self._runs.get(subject)
        known = declared is not None and table == "model_metrics"
        return frozenset(declared.metrics) if declared and known else frozenset()

    def asked_for(self, subject: str) -> str:
        return "mlflow"

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        declared = self._runs[subject]
        read = self._logged if declared.history else self._last
        start, end = since.timestamp(), until.timestamp()
        rows = [row for row in read(subject, since, until) if start <= row[0] < end]
        return _series([row for row in rows if abs(row[2]) <= LARGEST], list(declared.metrics))

    def _last(self, subject: str, since: datetime, until: datetime) -> Iterator[Row]:
        """The last value of each metric of the runs that ended in that time."""
        ended = (
            f"attributes.end_time >= {_millis(since)} AND attributes.end_time < {_millis(until)}"
        )
        for run in self._found(subject, ended, "attributes.end_time DESC", MOST_RUNS):
            for column, key in self._runs[subject].metrics.items():
                if key in run.data.metrics:
                    yield run.info.end_time / 1000, column, float(run.data.metrics[key])

    def _logged(self, subject: str, since: datetime, until: datetime) -> Iterator[Row]:
        """Every value of the runs that may have been under way in that time."""
        client = reader(self._store)
        began = (
            f"attributes.start_time >= {_millis(since - LONGEST_RUN)} "
            f"AND attributes.start_time < {_millis(until)}"
        )
        for run in self._found(subject, began, "attributes.start_time DESC", MOST_HISTORIES):
            if run.info.end_time and run.info.end_time < _millis(since):
                continue
            for column, key in self._runs[subject].metrics.items():
                if key in run.data.metrics:
                    with unavailable(f"{key} of run {run.info.run_id}"):
                        logged = client.get_metric_history(run.info.run_id, key)
                    yield from ((one.timestamp / 1000, column, float(one.value)) for one in logged)

    def _found(self, subject: str, when: str, order: str, most: int) -> Iterator[Run]:
        declared, client = self._runs[subject], reader(self._store)
        place = experiment_id(self._store, declared.experiment)
        return pages(
            f"runs of {subject}",
            most,
            lambda token: client.search_runs(
                [place],
                filter_string=when + tagged(declared.tags),
                max_results=PAGE,
                order_by=[order],
                page_token=token,
            ),
        )


def _series(rows: Sequence[Row], columns: Sequence[str]) -> Series:
    """One row per moment; of two values of a column at one moment the one read last counts."""
    times = np.unique(np.array([at for at, _, _ in rows], dtype=np.float64))
    found = {name: np.full(len(times), np.nan) for name in columns}
    for at, name, value in rows:
        found[name][np.searchsorted(times, at)] = value
    return Series(times, found)


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
