"""The warehouse, with the measures and requests that other systems keep in its place."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.domain.frames import Predictions, Series
from agentops_graph.domain.sources.measures import COLUMNS, TABLE_OF_KIND, replaced
from agentops_graph.errors import NotEnoughDataError, PortError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from agentops_graph.domain.contract import BatchReport, KeptBatch
    from agentops_graph.domain.frames import Change, Floats, SeriesTable
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.outputs import Calls, Exchange
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.domain.tally import Tally
    from agentops_graph.ports import Warehouse
    from agentops_graph.warehouse_ports import CallSource, SeriesSource


class JoinedWarehouse:
    """Implements `Warehouse`. What no source is declared for is read from `base` as ever.

    A column that a source gives is the source's from its first point on; before that, or where the
    source has no point at all, the warehouse's own rows stand. Rows of the two are never mixed into
    one: each has the columns that its system knows, and NaN for the others. Requests of an agent
    that a source keeps are read there alone. A source that is down raises UnavailableError, for its
    components only; a table that the warehouse lacks does not hinder them.
    """

    def __init__(
        self,
        base: Warehouse,
        series: Sequence[SeriesSource] = (),
        calls: Sequence[CallSource] = (),
    ) -> None:
        self._base, self._sources, self._callers = base, tuple(series), tuple(calls)

    # What sources may give

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        givers = [source for source in self._sources if source.columns(table, subject)]
        if not givers:
            try:
                return self._base.series(table, subject, since, until)
            except NotEnoughDataError:
                if not self._is_elsewhere(subject):
                    raise
                return _filled(_NO_SERIES, table)
        parts = [_read(source, table, subject, since, until) for source in givers]
        columns = frozenset[str]().union(*(s.columns(table, subject) for s in givers))
        given = _side_by_side(parts)
        own = self._own(table, subject, since, until)
        return _filled(_stacked(own, given, replaced(table, columns)), table)

    def calls(self, agent: str, since: datetime, until: datetime) -> Calls:
        keeper = self._keeper(agent)
        if keeper is None:
            return self._base.calls(agent, since, until)
        with _named(keeper, agent):
            return keeper.calls(agent, since, until)

    def exchanges(
        self, agent: str, since: datetime, until: datetime, ids: Sequence[str]
    ) -> dict[str, Exchange]:
        keeper = self._keeper(agent)
        if keeper is None:
            return self._base.exchanges(agent, since, until, ids)
        with _named(keeper, agent):
            return keeper.exchanges(agent, since, until, ids)

    def _keeper(self, agent: str) -> CallSource | None:
        return next((source for source in self._callers if source.knows(agent)), None)

    def _own(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        try:
            return self._base.series(table, subject, since, until)
        except NotEnoughDataError:
            return _NO_SERIES

    def _is_elsewhere(self, subject: str) -> bool:
        """Whether any source measures it, so that the warehouse may well hold nothing of it."""
        tables = TABLE_OF_KIND.values()
        given = any(s.columns(table, subject) for s in self._sources for table in tables)
        return given or any(source.knows(subject) for source in self._callers)

    # What only the warehouse has

    def predictions(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None = None,
        labelled: bool = False,
    ) -> Predictions:
        try:
            return self._base.predictions(model, since, until, version=version, labelled=labelled)
        except NotEnoughDataError:
            if not self._is_elsewhere(model):
                raise
            return _NO_ROWS

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
        try:
            return self._base.tally(
                model, since, until, version=version, reference=reference, metric=metric
            )
        except NotEnoughDataError:
            if not self._is_elsewhere(model):
                raise
            return None

    def latest(self, model: str) -> tuple[datetime, str] | None:
        try:
            return self._base.latest(model)
        except NotEnoughDataError:
            if not self._is_elsewhere(model):
                raise
            return None

    def reference(
        self, model: str, version: str | None, *, any_version: bool = False
    ) -> ReferenceProfile | None:
        return self._base.reference(model, version, any_version=any_version)

    def changes(self, subjects: Sequence[str], since: datetime, until: datetime) -> list[Change]:
        return self._base.changes(subjects, since, until)

    def record_batch(self, kept: KeptBatch) -> bool:
        return self._base.record_batch(kept)

    def batch_reports(self, pipeline: str, since: datetime, until: datetime) -> list[BatchReport]:
        return self._base.batch_reports(pipeline, since, until)

    def known_batches(self, pipeline: str) -> set[str]:
        return self._base.known_batches(pipeline)

    def batches_since(self, pipeline: str) -> datetime | None:
        return self._base.batches_since(pipeline)


_NONE = np.empty(0)
_NO_SERIES = Series(_NONE, {})
_NO_ROWS = Predictions([], _NONE, {}, _NONE, _NONE, _NONE, _NONE, [])


@contextmanager
def _named(source: SeriesSource | CallSource, subject: str) -> Iterator[None]:
    """Whoever fails inside is told by its name, so that what it blinds is one story."""
    try:
        yield
    except PortError as error:
        error.source = error.source or source.asked_for(subject)
        raise


def _read(
    source: SeriesSource, table: SeriesTable, subject: str, since: datetime, until: datetime
) -> Series:
    with _named(source, subject):
        return source.series(table, subject, since, until)


def _side_by_side(parts: Sequence[Series]) -> Series:
    """Several sources' columns over all their times."""
    if len(parts) == 1:
        return parts[0]
    times = np.unique(np.concatenate([part.timestamps for part in parts]))
    columns: dict[str, Floats] = {}
    for part in parts:
        where = np.searchsorted(times, part.timestamps)
        for name, values in part.columns.items():
            columns[name] = np.full(len(times), np.nan)
            columns[name][where] = values
    return Series(times, columns)


def _stacked(own: Series, given: Series, taken: frozenset[str]) -> Series:
    """The rows of both in order of time; from the first given one on, those of `own` lose the
    columns that are `taken`, and go where nothing else is left of them."""
    if not len(given) or not len(own):
        return given if len(given) else own
    late = own.timestamps >= given.timestamps[0]
    kept = {
        name: np.where(late, np.nan, values) if name in taken else values
        for name, values in own.columns.items()
    }
    empty = np.all([np.isnan(values) for values in kept.values()], axis=0)
    stays = ~(late & empty)
    times = np.concatenate([own.timestamps[stays], given.timestamps])
    order = np.argsort(times, kind="stable")
    columns: dict[str, Floats] = {}
    for name in {**kept, **given.columns}:
        first = kept[name][stays] if name in kept else np.full(int(stays.sum()), np.nan)
        second = given.columns.get(name, np.full(len(given), np.nan))
        columns[name] = np.concatenate([first, second])[order]
    return Series(times[order], columns)


def _filled(series: Series, table: SeriesTable) -> Series:
    """With every column that the table has; one that nobody gave is NaN."""
    absent = {name: np.full(len(series), np.nan) for name in COLUMNS[table]}
    return Series(series.timestamps, absent | series.columns)
