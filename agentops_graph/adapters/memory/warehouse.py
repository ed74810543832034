"""A warehouse over rows it was given, for tests and measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from agentops_graph.domain.frames import Change, PastIncident, Predictions, Series, SeriesTable
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.record import seconds_between
from agentops_graph.errors import NotEnoughDataError


class WarehouseInMemory:
    """Implements `Warehouse` and `History`; a series that was not given is a table without rows.

    `predictions` are by model, `series` by (table, subject); both in time order.
    """

    def __init__(
        self,
        predictions: Mapping[str, Predictions],
        series: Mapping[tuple[SeriesTable, str], Series] | None = None,
        changes: Sequence[Change] = (),
        references: Sequence[ReferenceProfile] = (),
    ) -> None:
        self._predictions = dict(predictions)
        self._series = dict(series or {})
        self._changes = list(changes)
        self._references = {(r.model_name, r.model_version): r for r in references}
        self.history: list[tuple[Incident, Resolution, str]] = []

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

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        held = self._series.get((table, subject))
        if held is None:
            return Series(np.empty(0), {})
        first, last = _span(held.timestamps, since, until)
        columns = {name: values[first:last] for name, values in held.columns.items()}
        return Series(held.timestamps[first:last], columns)

    def changes(self, subjects: Sequence[str], since: datetime, until: datetime) -> list[Change]:
        return [c for c in self._changes if c.subject in subjects and since <= c.at < until]

    def reference(self, model: str, version: str | None) -> ReferenceProfile | None:
        if version is None:
            newest = self.latest(model)
            version = newest[1] if newest else ""
        return self._references.get((model, version))

    def latest(self, model: str) -> tuple[datetime, str] | None:
        rows = self._predictions.get(model)
        if rows is None or not len(rows):
            return None
        return datetime.fromtimestamp(float(rows.timestamps[-1]), UTC), rows.version[-1]

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

    def _of(self, model: str) -> Predictions:
        if not self._predictions:
            raise NotEnoughDataError("there are no predictions of any model")
        return self._predictions.get(model, _NO_ROWS)


_NONE = np.empty(0)
_NO_ROWS = Predictions([], _NONE, {}, _NONE, _NONE, _NONE, _NONE, [])


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
        segment=None if rows.segment is None else list(compress(rows.segment, mask)),
    )
