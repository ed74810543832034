"""A warehouse over rows it was given, for tests and measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from agentops_graph.domain.contract import BatchReport, KeptBatch
from agentops_graph.domain.frames import Change, PastIncident, Predictions, Series, SeriesTable
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.metric import Metric
from agentops_graph.domain.outputs import Calls, Exchange
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.record import seconds_between
from agentops_graph.domain.tally import Tally
from agentops_graph.errors import NotEnoughDataError


class WarehouseInMemory:
    """Implements `Warehouse` and `History`; a series that was not given is a table without rows.

    `predictions` are by model, `series` by (table, subject); both in time order. `calls` are by
    agent, `exchanges` by agent and request.
    """

    def __init__(
        self,
        predictions: Mapping[str, Predictions],
        series: Mapping[tuple[SeriesTable, str], Series] | None = None,
        changes: Sequence[Change] = (),
        references: Sequence[ReferenceProfile] = (),
        calls: Mapping[str, Calls] | None = None,
        exchanges: Mapping[str, Mapping[str, Exchange]] | None = None,
    ) -> None:
        self._calls = dict(calls or {})
        self._exchanges = dict(exchanges or {})
        self._predictions = dict(predictions)
        self._series = dict(series or {})
        self._changes = list(changes)
        self._references = {(r.model_name, r.model_version): r for r in references}
        self.history: list[tuple[Incident, Resolution, str]] = []
        self._batches: dict[tuple[str, str], KeptBatch] = {}

    def give(self, model: str, rows: Predictions) -> None:
        """Replaces the rows of a model."""
        self._predictions[model] = rows

    def predictions(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None = None,
        labelled: bool = False,
    ) -> Predictions:
        rows = self._of(model)
        first, last = _span(rows.timestamps, since, until)
        rows = _sliced(rows, slice(first, last))
        if version is not None:
            rows = _masked(rows, np.array([v == version for v in rows.version], dtype=bool))
        return _masked(rows, np.isfinite(rows.label)) if labelled else rows

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
        return None

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        held = self._series.get((table, subject))
        if held is None:
            return Series(np.empty(0), {})
        first, last = _span(held.timestamps, since, until)
        columns = {name: values[first:last] for name, values in held.columns.items()}
        return Series(held.timestamps[first:last], columns)

    def changes(self, subjects: Sequence[str], since: datetime, until: datetime) -> list[Change]:
        return [c for c in self._changes if c.subject in subjects and since <= c.at < until]

    def reference(
        self, model: str, version: str | None, *, any_version: bool = False
    ) -> ReferenceProfile | None:
        if any_version:
            known = [r for r in self._references.values() if r.model_name == model]
            return max(known, key=lambda r: r.recorded_at, default=None)
        if version is None:
            newest = self.latest(model)
            version = newest[1] if newest else ""
        return self._references.get((model, version))

    def latest(self, model: str) -> tuple[datetime, str] | None:
        rows = self._predictions.get(model)
        if rows is None or not len(rows):
            return None
        return datetime.fromtimestamp(float(rows.timestamps[-1]), UTC), rows.version[-1]

    def calls(self, agent: str, since: datetime, until: datetime) -> Calls:
        if not self._calls:
            raise NotEnoughDataError("there are no outputs of any agent")
        held = self._calls.get(agent, NO_CALLS)
        first, last = _span(held.timestamps, since, until)
        parts = {f.name: getattr(held, f.name)[first:last] for f in fields(held)}
        return Calls(**parts)

    def exchanges(
        self, agent: str, since: datetime, until: datetime, ids: Sequence[str]
    ) -> dict[str, Exchange]:
        held, inside = self._exchanges.get(agent, {}), set(self.calls(agent, since, until).ids)
        return {name: held[name] for name in ids if name in held and name in inside}

    def record_incident(self, incident: Incident, resolution: Resolution, root_cause: str) -> None:
        self.history.append((incident, resolution, root_cause))

    def past_incidents(self, since: datetime, until: datetime) -> list[PastIncident]:
        found = [
            PastIncident(
                incident.opened_at,
                incident.incident_id,
                incident.alert_type,
                (seconds_between(incident.opened_at, incident.ended_at) or 0.0) / 60,
            )
            for incident, _, _ in self.history
            if since <= incident.opened_at < until
        ]
        return sorted(found, key=lambda past: past.at)

    def save_reference(self, profile: ReferenceProfile) -> None:
        self._references[(profile.model_name, profile.model_version)] = profile

    def record_change(self, change: Change) -> None:
        self._changes.append(change)

    def record_batch(self, kept: KeptBatch) -> bool:
        key = (kept.pipeline, kept.batch_id)
        if key in self._batches:
            return False
        self._batches[key] = kept
        self._add_row(kept)
        return True

    def batch_reports(self, pipeline: str, since: datetime, until: datetime) -> list[BatchReport]:
        kept = [k for k in self._batches.values() if k.pipeline == pipeline]
        return [k.report for k in sorted(kept, key=lambda k: k.at) if since <= k.at < until]

    def known_batches(self, pipeline: str) -> set[str]:
        return {k.stamp for k in self._batches.values() if k.pipeline == pipeline}

    def batches_since(self, pipeline: str) -> datetime | None:
        kept = [k.checked_at for k in self._batches.values() if k.pipeline == pipeline]
        return min(kept, default=None)

    def _add_row(self, kept: KeptBatch) -> None:
        key: tuple[SeriesTable, str] = ("data_quality", kept.pipeline)
        held = self._series.get(key) or Series(_NONE, dict.fromkeys(QUALITY, _NONE))
        report = kept.report
        row = (report.null_rate, float(report.violations), float(report.rows))
        times = np.append(held.timestamps, kept.at.timestamp())
        order = np.argsort(times, kind="stable")
        columns = {
            name: np.append(held.columns[name], value)[order]
            for name, value in zip(QUALITY, row, strict=True)
        }
        self._series[key] = Series(times[order], columns)

    def _of(self, model: str) -> Predictions:
        if not self._predictions:
            raise NotEnoughDataError("there are no predictions of any model")
        return self._predictions.get(model, _NO_ROWS)


QUALITY = ("null_rate", "schema_violations", "record_count")
_NONE = np.empty(0)
_NO_ROWS = Predictions([], _NONE, {}, _NONE, _NONE, _NONE, _NONE, [])

NO_CALLS = Calls([], _NONE, [], [], [], [], _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


def _span(timestamps: NDArray[np.float64], since: datetime, until: datetime) -> tuple[int, int]:
    first, last = np.searchsorted(timestamps, [since.timestamp(), until.timestamp()])
    return int(first), int(last)


def _sliced(rows: Predictions, span: slice) -> Predictions:
    return replace(
        rows,
        ids=rows.ids[span],
        timestamps=rows.timestamps[span],
        features={name: values[span] for name, values in rows.features.items()},
        prediction=rows.prediction[span],
        confidence=rows.confidence[span],
        label=rows.label[span],
        latency_ms=rows.latency_ms[span],
        version=rows.version[span],
        categories={name: values[span] for name, values in rows.categories.items()},
        segment=None if rows.segment is None else rows.segment[span],
    )


def _masked(rows: Predictions, mask: NDArray[np.bool_]) -> Predictions:
    return replace(
        rows,
        ids=list(compress(rows.ids, mask)),
        timestamps=rows.timestamps[mask],
        features={name: values[mask] for name, values in rows.features.items()},
        prediction=rows.prediction[mask],
        confidence=rows.confidence[mask],
        label=rows.label[mask],
        latency_ms=rows.latency_ms[mask],
        version=list(compress(rows.version, mask)),
        categories={name: values[mask] for name, values in rows.categories.items()},
        segment=None if rows.segment is None else list(compress(rows.segment, mask)),
    )
