"""Evidence of the runs of a pipeline, or of what feeds a component, before the onset."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.domain.record import Scalar
from agentops_graph.gathering.case import SLACK, Case, Gatherer, Observed, typed_read

if TYPE_CHECKING:
    from agentops_graph.domain.contract import BatchReport
    from agentops_graph.domain.frames import Series

DUE = 3.0  # times the usual distance between runs; a run that late is missing
FEWEST = 3  # runs that tell how far apart they are


def pipeline_runs(case: Case) -> Observed:
    """When each feed ran before the onset and since, what is missing, and which files broke
    their contract."""
    own = case.component.kind == "pipeline"
    names = (case.component.name,) if own else case.feeds
    start = case.onset - case.look_back
    query = typed_read("runs", start, case.now, pipelines=",".join(names))
    values: dict[str, Scalar] = {}
    told, found = [], False
    for name in names:
        runs = case.ports.warehouse.series("data_quality", name, start, case.now)
        reports = case.ports.warehouse.batch_reports(name, start, case.now)
        broken = [report for report in reports if report.status != "ok"]
        figures = _figures(case, runs) | ({"violated_files": len(broken)} if reports else {})
        values |= {f"{name}.{key}": value for key, value in figures.items()}
        told.append(f"{case.way_from(name)}: {_told(case, runs, broken)}")
        found = found or bool(len(runs)) or bool(reports)
    said = "; ".join(told) or "no feeds are configured"
    return Observed("DATA_QUALITY", query, said, values, found=found)


RUNS = Gatherer("pipeline_runs", "DATA_QUALITY", pipeline_runs, looks_before=True)


def _figures(case: Case, runs: Series) -> dict[str, Scalar]:
    onset = case.onset.timestamp()
    before = runs.timestamps[runs.timestamps <= onset + SLACK.total_seconds()]
    figures: dict[str, Scalar] = {
        "runs_before": len(before),
        "runs_since": len(runs) - len(before),
    }
    if len(before):
        figures["minutes_before_onset"] = round(float(onset - before[-1]) / 60, 1)
    late = _latest_gap(case, runs)
    return figures | ({"usual_minutes": late[0], "longest_gap_minutes": late[1]} if late else {})


def _latest_gap(case: Case, runs: Series) -> tuple[float, float] | None:
    """The usual distance and the longest one, up to now, in minutes."""
    if len(runs) < FEWEST:
        return None
    apart = np.diff(np.append(runs.timestamps, case.now.timestamp())) / 60
    return round(float(np.median(apart[:-1])), 1), round(float(apart.max()), 1)


def _told(case: Case, runs: Series, broken: list[BatchReport]) -> str:
    figures = _figures(case, runs)
    if not len(runs):
        return "no run recorded"
    said = f"{figures['runs_before']} runs before the onset, {figures['runs_since']} since"
    gap = _latest_gap(case, runs)
    if gap is not None and gap[1] > DUE * max(gap[0], 1e-9):
        said += f", a gap of {gap[1]:.0f} min where {gap[0]:.0f} is usual"
    for report in broken[-2:]:
        arrived = f" at {_clock(report.arrived_at)}" if report.arrived_at else ""
        said += f", file {report.batch}{arrived} {report.status}"
    return said


def _clock(at: datetime) -> str:
    return f"{at:%H:%M}"
