"""Measures agents: their requests where they are logged, else their metric series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import agent_triggers, feed_triggers
from agentops_graph.detection.rise import suspected
from agentops_graph.domain.frames import Series
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.call_measures import measure_calls
from agentops_graph.gathering.series import SEASON, before_and_now, column, joined, onset_in

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.gathering.model_measures import Sheet
    from agentops_graph.ports import Warehouse

MEMORY_RISE = 1.1  # over the level at the day's start; less is no reason to read a fortnight


def measure_agent(
    warehouse: Warehouse, window: Window, sheet: Sheet, version: str | None = None
) -> None:
    """An agent's limits, leaks and rises, its spend, and the quality of what it says.

    What single requests tell is judged on them (`AGENT_OUTPUTS`), the rest on `AGENT_METRICS`.
    Raises NotEnoughDataError when the warehouse has neither.
    """
    told = measure_calls(warehouse, window, sheet, version)
    try:
        now, earlier = before_and_now(warehouse, "agent_metrics", window)
    except NotEnoughDataError:
        if not told:
            raise
        return
    if not len(now):
        if not told:
            sheet.notes.append("no agent metrics in the window")
        return
    _limits(window, now, earlier, sheet, told)
    if "error_rate" not in told:
        requests = np.nan_to_num(now.columns["requests"])
        failed = now.columns["error_rate"] * requests
        _keep_new(sheet, agent_triggers.outage_now(window, now.timestamps, failed, requests))
    total = float(np.nansum(now.columns["total_cost"]))
    sheet.readings["total_cost"] = total
    _keep(sheet, _spend(warehouse, window, total, earlier))
    _rises(warehouse, window, joined(earlier, now), sheet)


def _limits(
    window: Window, now: Series, earlier: Series, sheet: Sheet, told: frozenset[str]
) -> None:
    for limit in agent_triggers.AGENT_LIMITS:
        value = agent_triggers.agent_reading(limit, now)
        if value is None or limit.column in told:
            continue
        sheet.readings[limit.column] = value
        baseline = agent_triggers.agent_reading(limit, earlier) if len(earlier) else None
        onset = onset_in(earlier, now, column(limit.column))
        found = agent_triggers.agent_limit(window, limit, now, baseline=baseline, onset=onset)
        _keep(sheet, found)
    known = {
        name: float(np.nanmedian(values))
        for name, values in now.columns.items()
        if name == "tokens_per_request" and np.isfinite(values).any()
    }
    sheet.readings.update({name: v for name, v in known.items() if name not in sheet.readings})


def _rises(warehouse: Warehouse, window: Window, day: Series, sheet: Sheet) -> None:
    """Rises under the limits; the fortnight is read only when the last day makes one likely."""
    start = window.start.timestamp()
    over = {finding.metric for finding in sheet.findings}
    watched = [
        limit
        for limit in agent_triggers.AGENT_LIMITS
        if limit.column in agent_triggers.SEASONAL and limit.column not in over
    ]
    likely = [
        limit for limit in watched if suspected(day.timestamps, day.columns[limit.column], start)
    ]
    tokens = suspected(day.timestamps, day.columns["tokens_per_request"], start)
    memory = "memory_mb" not in over and _grew(day)
    if not (likely or tokens or memory):
        return
    name = window.component.name
    season = warehouse.series("agent_metrics", name, window.start - SEASON, window.end)
    for limit in likely:
        _keep(sheet, agent_triggers.agent_rise(window, limit, season))
    if tokens:
        _keep(sheet, agent_triggers.token_rise(window, season))
    if memory:
        _keep(sheet, agent_triggers.leaking(window, season))


def _grew(day: Series) -> bool:
    memory = day.columns["memory_mb"]
    memory = memory[np.isfinite(memory)]
    few = max(1, len(memory) // 10)
    return len(memory) > few and bool(
        np.median(memory[-few:]) > MEMORY_RISE * np.min(memory[-6 * few :])
    )


def _spend(warehouse: Warehouse, window: Window, total: float, earlier: Series) -> Finding | None:
    """Dear against the day before, and against this time of day in the fortnight before."""
    usual = feed_triggers.usual_totals(earlier, "total_cost", window)
    found = agent_triggers.spend(window, total, usual)
    if found is None:
        return None
    name = window.component.name
    season = warehouse.series("agent_metrics", name, window.start - SEASON, window.start)
    usual = feed_triggers.usual_totals(season, "total_cost", window)
    return agent_triggers.spend(window, total, usual)


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)


def _keep_new(sheet: Sheet, finding: Finding | None) -> None:
    """A finding of a metric that has none yet."""
    if finding is not None and finding.metric not in {f.metric for f in sheet.findings}:
        sheet.findings.append(finding)
