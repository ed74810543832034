"""Measures a model on its prediction log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from agentops_graph.detection import triggers
from agentops_graph.detection.call_triggers import percentiles
from agentops_graph.detection.changepoint import Onset, onset_of
from agentops_graph.detection.loaded_twice import repeated
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.drift_measures import measure_drift
from agentops_graph.gathering.logged_latency import measure_logged_latency
from agentops_graph.gathering.performance_measures import performance
from agentops_graph.gathering.rows import picked
from agentops_graph.gathering.segment_measures import segment_drifts
from agentops_graph.gathering.stakes import weigh

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.domain.segment import SegmentReading
    from agentops_graph.domain.tally import Tally
    from agentops_graph.ports import Warehouse

COVERED_S = 600.0  # rows this shortly before the window show that all of it was recorded


class Sheet(Protocol):
    """Where findings, notes and readings are written down."""

    @property
    def findings(self) -> list[Finding]: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def readings(self) -> dict[str, float]: ...
    @property
    def segments(self) -> list[SegmentReading]: ...


@dataclass(frozen=True)
class ModelCase:
    """One model, its window, the rows in it and the reference they are held against."""

    warehouse: Warehouse
    window: Window
    everything: Predictions  # in the window
    rows: Predictions  # those of the measured version
    reference: ReferenceProfile | None
    tally: Tally | None = None  # of all of the version's rows, where `rows` are a sample of them

    @property
    def count(self) -> int:
        """The version's rows in the window, read or not."""
        return self.rows.rows if self.tally is None else self.tally.rows


def measure_model(
    warehouse: Warehouse,
    window: Window,
    sheet: Sheet,
    version: str | None,
    *,
    whole: bool,
    repaired: Callable[[], datetime | None] = lambda: None,
) -> None:
    """Drift, anomalies, primary metric, latency and, over a `whole` window, volume."""
    name = window.component.name
    everything = warehouse.predictions(name, window.start, window.end)
    if whole and version is None:
        _volume(warehouse, window, everything, sheet)
    if version is None:
        newest = warehouse.latest(name)
        version = newest[1] if newest else None
    rows = _of_version(warehouse, window, everything, version)
    reference = _reference(warehouse, name, version, sheet)
    tally = _tally(warehouse, window, rows, version, reference)
    case = ModelCase(warehouse, window, everything, rows, reference, tally)
    sheet.readings["rows"] = float(case.count)
    if rows.is_sample:
        sheet.readings["sampled_share"] = len(rows) / max(case.count, 1)
    if len(rows):
        failed = np.isnan(rows.prediction).mean() if tally is None else tally.failed / tally.rows
        sheet.readings["error_rate"] = float(failed)
        sheet.readings["duplicate_share"], twice = repeated(window, rows)
        _keep(sheet, twice)
    measure_drift(case, sheet)
    segment_drifts(case, sheet)
    scored = window.component.speaks and window.component.metric.name in sheet.readings
    if not scored:  # on its outputs
        weigh(case, performance(case, sheet, looks_back=whole, repaired=repaired), sheet)
    _latency(case, sheet)


def _of_version(
    warehouse: Warehouse, window: Window, everything: Predictions, version: str | None
) -> Predictions:
    mask = np.array([v == version for v in everything.version], dtype=bool)
    if everything.is_sample and not mask.all():  # it has too few of this one
        name = window.component.name
        return warehouse.predictions(name, window.start, window.end, version=version)
    return picked(everything, mask)


def _tally(
    warehouse: Warehouse,
    window: Window,
    rows: Predictions,
    version: str | None,
    reference: ReferenceProfile | None,
) -> Tally | None:
    if not rows.is_sample:
        return None
    component = window.component
    return warehouse.tally(
        component.name,
        window.start,
        window.end,
        version=version,
        reference=reference,
        metric=component.metric,
    )


def _reference(
    warehouse: Warehouse, name: str, version: str | None, sheet: Sheet
) -> ReferenceProfile | None:
    try:
        reference = warehouse.reference(name, version)
    except NotEnoughDataError:
        reference = None
    if reference is None:
        of = f"{name} version {version}" if version else name
        sheet.notes.append(
            f"no reference profile of {of}: drift not judged; take one from rows of a good time "
            f"with `agentops reference {name} --from DATE --until DATE`"
        )
    return reference


def _latency(case: ModelCase, sheet: Sheet) -> None:
    latency = case.rows.latency_ms
    known = latency[np.isfinite(latency)]
    if not len(known):
        if not len(case.everything):  # of a version without rows nothing is borrowed
            measure_logged_latency(case.warehouse, case.window, sheet)
        return
    onset = _moment(onset_of(case.rows.timestamps, np.log1p(np.maximum(latency, 0))))
    whole = None if case.tally is None else case.tally.latency
    if whole is not None:
        sheet.readings.update(whole.percentiles)
        sheet.readings["latency_mean"] = whole.mean
        p99 = whole.percentiles["latency_p99"]
        _keep(sheet, triggers.slow(case.window, p99, whole.p99_floor, whole.rows, onset))
        return
    sheet.readings.update(percentiles(known))
    sheet.readings["latency_mean"] = float(known.mean())
    _keep(sheet, triggers.latency(case.window, latency, onset))


def _volume(warehouse: Warehouse, window: Window, rows: Predictions, sheet: Sheet) -> None:
    """Judged over the part of the window in which the model was recorded at all."""
    per_hour, name = window.component.expected_rows_per_hour, window.component.name
    if per_hour is None:
        return
    hours = window.hours
    earlier = warehouse.predictions(name, window.start - timedelta(seconds=COVERED_S), window.start)
    if not len(earlier):
        if not len(rows) and warehouse.latest(name) is None:
            return
        if len(rows):
            hours = (window.end.timestamp() - float(rows.timestamps[0])) / 3600
    usual = (per_hour * hours, per_hour * hours)
    sheet.readings["volume_ratio"] = triggers.volume_ratio(rows.rows, usual)
    _keep(sheet, triggers.volume(window, rows.rows, usual))


def _moment(onset: Onset | None) -> float | None:
    return None if onset is None else onset.at


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)
