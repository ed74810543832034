"""A component's history wound past a moving present: each row is read once, in bounded pieces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from agentops_graph.domain.frames import Change, Predictions, Series, SeriesTable
from agentops_graph.gathering.rows import joined, picked, sliced

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.domain.contract import BatchReport, KeptBatch
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.outputs import Calls, Exchange
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.domain.tally import Tally
    from agentops_graph.ports import Warehouse

PIECE_ROWS = 100_000  # predictions read at a time; wide rows take some 100 MB
FIRST_PIECE = timedelta(hours=1)
LONGEST_PIECE = timedelta(days=7)
SERIES_BACK = timedelta(days=15)  # a season of 14 days, before a window
Rows = TypeVar("Rows", Predictions, Series)


class Tape(Generic[Rows]):
    """The rows of one table around the present; those that fell behind are let go."""

    def __init__(self, read: Callable[[datetime, datetime], Rows], back: timedelta) -> None:
        self._read: Callable[[datetime, datetime], Rows] = read
        self._back = back
        self._rows: Rows | None = None
        self._from = self._to = datetime.min.replace(tzinfo=UTC)
        self._piece = FIRST_PIECE

    def between(self, since: datetime, until: datetime) -> Rows:
        """The rows from `since` to before `until`. What lies further back than is held is read for
        this once."""
        if self._rows is None:
            self._begin(since)
        if since < self._from:
            return self._read(since, until)
        if until > self._to:
            self._wind(since, until)
        assert self._rows is not None
        span = np.searchsorted(self._rows.timestamps, [since.timestamp(), until.timestamp()])
        return sliced(self._rows, int(span[0]), int(span[1]))

    def _begin(self, since: datetime) -> None:
        self._from = self._to = since - self._back
        self._rows = self._read(self._from, self._to)

    def _wind(self, since: datetime, until: datetime) -> None:
        assert self._rows is not None
        start, end = self._to, max(until, self._to + self._piece)
        fresh = self._read(start, end)
        hours = (end - start).total_seconds() / 3600
        per_hour = max(len(fresh) / hours, 1.0)
        self._piece = min(LONGEST_PIECE, max(FIRST_PIECE, timedelta(hours=PIECE_ROWS / per_hour)))
        self._from = max(self._from, since - self._back)
        behind = int(np.searchsorted(self._rows.timestamps, self._from.timestamp()))
        self._rows = joined([sliced(self._rows, behind, len(self._rows)), fresh])
        self._to = end


class Reel:
    """Implements `Warehouse` for one component as it would have been read at `now`.

    Reference profiles are today's: those of an older time were not kept apart.
    """

    def __init__(self, warehouse: Warehouse, component: str, back: timedelta) -> None:
        self.now = datetime.min.replace(tzinfo=UTC)
        self._warehouse, self._component = warehouse, component
        self._predictions = Tape(
            lambda since, until: warehouse.predictions(component, since, until), back
        )
        self._series: dict[SeriesTable, Tape[Series]] = {}
        self._references: dict[str | None, ReferenceProfile | None] = {}
        self._newest: tuple[datetime, str] | None = None

    def predictions(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None = None,
        labelled: bool = False,
    ) -> Predictions:
        if model != self._component:
            return self._warehouse.predictions(
                model, since, until, version=version, labelled=labelled
            )
        rows = self._predictions.between(since, until)
        if until == self.now and len(rows):
            at = datetime.fromtimestamp(float(rows.timestamps[-1]), UTC)
            self._newest = at, rows.version[-1]
        if version is not None:
            rows = picked(rows, np.array([v == version for v in rows.version], dtype=bool))
        return picked(rows, np.isfinite(rows.label)) if labelled else rows

    def tally(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None,
        reference: ReferenceProfile | None,
        metric: Metric,
    ) -> Tally | None:
        """None: what is wound past is read once, and in rows."""
        return None

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        if subject != self._component:
            return self._warehouse.series(table, subject, since, until)
        tape = self._series.get(table)
        if tape is None:
            tape = self._series[table] = Tape(
                lambda first, last: self._warehouse.series(table, subject, first, last),
                SERIES_BACK,
            )
        return tape.between(since, until)

    def changes(self, subjects: Sequence[str], since: datetime, until: datetime) -> list[Change]:
        return self._warehouse.changes(subjects, since, until)

    def calls(self, agent: str, since: datetime, until: datetime) -> Calls:
        return self._warehouse.calls(agent, since, until)

    def exchanges(
        self, agent: str, since: datetime, until: datetime, ids: Sequence[str]
    ) -> dict[str, Exchange]:
        return self._warehouse.exchanges(agent, since, until, ids)

    def record_batch(self, kept: KeptBatch) -> bool:
        raise TypeError(f"a replay keeps nothing, and {kept.batch_id} would be")

    def batch_reports(self, pipeline: str, since: datetime, until: datetime) -> list[BatchReport]:
        return self._warehouse.batch_reports(pipeline, since, until)

    def known_batches(self, pipeline: str) -> set[str]:
        return self._warehouse.known_batches(pipeline)

    def batches_since(self, pipeline: str) -> datetime | None:
        return self._warehouse.batches_since(pipeline)

    def reference(
        self, model: str, version: str | None, *, any_version: bool = False
    ) -> ReferenceProfile | None:
        if any_version:
            return self._warehouse.reference(model, version, any_version=True)
        if version is None:
            newest = self.latest(model)
            version = newest[1] if newest else None
        if version not in self._references:
            self._references[version] = self._warehouse.reference(model, version)
        return self._references[version]

    def latest(self, model: str) -> tuple[datetime, str] | None:
        """The newest prediction that was seen by now; before the first, one older than the reel."""
        if self._newest is not None or model != self._component:
            return self._newest
        found = self._warehouse.latest(model)
        return found if found is not None and found[0] < self.now else None
