"""Measures an agent, or a text model, on its single requests and on a sample of what it said."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.detection import call_triggers, triggers
from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.performance import Baseline, Estimate, Unmeasured
from agentops_graph.detection.sessions import sessions_of, stalls
from agentops_graph.detection.text_quality import (
    Sample,
    chosen,
    dangers_seen,
    quality,
    sample_of,
    scores_of,
    settled,
)
from agentops_graph.detection.text_scorers import SCORERS
from agentops_graph.domain.outputs import Calls
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.series import HISTORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.component import Component
    from agentops_graph.gathering.model_measures import Sheet
    from agentops_graph.ports import Warehouse


def measure_calls(
    warehouse: Warehouse, window: Window, sheet: Sheet, version: str | None
) -> frozenset[str]:
    """Quality, latency, errors, cost, sessions and refusals; names the readings that single
    requests gave. Empty when none are logged."""
    calls = calls_of(warehouse, window)
    now = rows_of(calls, _since(calls, window.start.timestamp(), version))
    now = rows_of(now, settled(now))
    if not len(now):
        return frozenset()
    sheet.readings["requests"] = float(len(now))
    told = _signals(window, calls, now, sheet)
    if window.component.speaks:
        _quality(warehouse, window, calls, now, sheet)
    return frozenset(told)


def calls_of(warehouse: Warehouse, window: Window) -> Calls:
    """The window's requests and those of the day before; none where the table lacks or is empty."""
    try:
        return warehouse.calls(window.component.name, window.start - HISTORY, window.end)
    except NotEnoughDataError:
        return NO_CALLS


def _signals(window: Window, calls: Calls, now: Calls, sheet: Sheet) -> set[str]:
    if len(now) < call_triggers.FEWEST_CALLS:
        needed = call_triggers.FEWEST_CALLS
        sheet.notes.append(f"requests: not enough data: {len(now)} of {needed}")
        return set()
    before = set(sheet.readings)
    sheet.readings.update(call_triggers.percentiles(now.latency_ms))
    sheet.readings["error_rate"] = float(now.failed.mean())
    means = {"cost_per_request": now.cost, "tokens_per_request": now.tokens, "retries": now.retries}
    for name, values in means.items():
        if np.isfinite(values).any():
            sheet.readings[name] = float(np.nanmean(values))
    is_model = window.component.kind == "model"
    slow = triggers.latency(window, now.latency_ms, None) if is_model else None
    for finding in (
        slow if is_model else call_triggers.latency(window, now),
        call_triggers.errors(window, now),
        call_triggers.cost(window, now),
    ):
        _keep(sheet, finding)
    _rarer(window, calls, now, sheet)
    return set(sheet.readings) - before


def _rarer(window: Window, calls: Calls, now: Calls, sheet: Sheet) -> None:
    """What only some agents log: sessions, and refusals that someone reviewed."""
    sessions = sessions_of(calls, window.start.timestamp())
    if sessions:
        sheet.readings["session_minutes"] = max(each.minutes for each in sessions)
        sheet.readings["idle_turns"] = float(max(each.idle for each in sessions))
        _keep(sheet, stalls(window, sessions))
    reviewed = now.false_positive[np.isfinite(now.false_positive)]
    if len(reviewed):
        sheet.readings["policy_false_positive_rate"] = float(np.mean(reviewed > 0))
        _keep(sheet, call_triggers.wrong_refusals(window, now))


def _quality(warehouse: Warehouse, window: Window, calls: Calls, now: Calls, sheet: Sheet) -> None:
    """The primary metric over the sampled outputs against its baseline; the others are shown."""
    component, name = window.component, window.component.metric.name
    of_version = rows_of(now, [r for r, v in enumerate(now.version) if v == now.version[-1]])
    sample = sampled(warehouse, component, of_version, window.start, window.end)
    for metric in (component.metric, *component.other_metrics):
        if metric.name in SCORERS:
            found = _scored(metric.name, sample, component, sheet)
            if metric.name == name and found is not None:
                _against_baseline(warehouse, window, calls, now, sample, found, sheet)


def _scored(name: str, sample: Sample, component: Component, sheet: Sheet) -> Estimate | None:
    found = quality(name, sample, scores_of(name, sample.exchanges), component.sampling.least)
    if isinstance(found, Unmeasured):
        sheet.notes.append(f"{name}: {found.why}")
        return None
    sheet.readings[name] = found.value
    sheet.readings["scored_outputs"] = float(found.rows)
    return found


def _against_baseline(
    warehouse: Warehouse,
    window: Window,
    calls: Calls,
    now: Calls,
    sample: Sample,
    found: Estimate,
    sheet: Sheet,
) -> None:
    name = window.component.metric.name
    baseline = output_baseline(warehouse, window, calls, now.version[-1])
    if baseline is None:
        sheet.notes.append(f"{name}: no baseline to compare with")
        return
    sheet.readings[f"baseline_{name}"] = baseline.value
    onset = onset_of(sample.times, 1 - scores_of(name, sample.exchanges))
    dropped = triggers.metric_drop(
        window,
        found,
        baseline.value,
        None if onset is None else onset.at,
        baseline_error=baseline.error,
        figures=dangers_seen(sample) if name == "safety" else None,
    )
    _keep(sheet, dropped)


def output_baseline(
    warehouse: Warehouse, window: Window, calls: Calls, version: str
) -> Baseline | None:
    """The metric recorded with the version while it was healthy, else that of a sample of the day
    before, whatever version answered; None when neither is known."""
    component, metric = window.component, window.component.metric
    recorded = _recorded(warehouse, component, version)
    if recorded is not None:
        return recorded
    day = rows_of(calls, np.flatnonzero(calls.timestamps < window.start.timestamp()).tolist())
    sample = sampled(warehouse, component, day, window.start - HISTORY, window.start)
    scores = scores_of(metric.name, sample.exchanges)
    found = quality(metric.name, sample, scores, component.sampling.least)
    return None if isinstance(found, Unmeasured) else Baseline(found.value, found.error)


def _recorded(warehouse: Warehouse, component: Component, version: str) -> Baseline | None:
    try:
        reference = warehouse.reference(component.name, version)
    except NotEnoughDataError:
        return None
    if reference is None:
        return None
    value = component.metric.among(reference.metrics)
    error = component.metric.among(reference.metric_errors) or 0.0
    return None if value is None else Baseline(value, error)


def sampled(
    warehouse: Warehouse, component: Component, calls: Calls, since: datetime, until: datetime
) -> Sample:
    """The chosen of those requests that did not fail, with their texts."""
    rows = [row for row in settled(calls) if not calls.failed[row]]
    how = component.sampling
    ids = set(chosen([calls.ids[row] for row in rows], how.share, how.cap))
    texts = warehouse.exchanges(component.name, since, until, sorted(ids)) if ids else {}
    return sample_of(calls, [row for row in rows if calls.ids[row] in ids], texts)


def _since(calls: Calls, start: float, version: str | None) -> list[int]:
    late = np.flatnonzero(calls.timestamps >= start).tolist()
    return [row for row in late if version is None or calls.version[row] == version]


def rows_of(calls: Calls, rows: Sequence[int]) -> Calls:
    """Those rows of the frame, in the order given."""
    if len(rows) == len(calls):
        return calls
    parts: dict[str, Any] = {}
    for each in fields(calls):
        column = getattr(calls, each.name)
        is_list = isinstance(column, list)
        parts[each.name] = [column[row] for row in rows] if is_list else column[list(rows)]
    return Calls(**parts)


_NONE = np.empty(0)
NO_CALLS = Calls([], _NONE, [], [], [], [], _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)
