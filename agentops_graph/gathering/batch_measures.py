"""What the contracts of a pipeline's batches add to its findings: which column, and what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.contract import BatchReport, Breach
    from agentops_graph.ports import Warehouse

NAMED = 3  # breaches in one line
LONGEST = 1500  # characters of an alert's line


def named(warehouse: Warehouse, window: Window, finding: Finding | None) -> Finding | None:
    """The finding with the worst breaches of the window's batches in its line, and the share of
    the rows that each column's breach took as `violations_COLUMN`."""
    if finding is None:
        return None
    worst = _worst(_reports(warehouse, window))
    if not worst:
        return finding
    rows = max(finding.rows, 1)
    figures = {
        f"violations_{breach.column}": min(1.0, count / rows)
        for breach, count in worst
        if breach.column is not None
    }
    said = "; ".join(breach.summary for breach, _ in worst)
    summary = f"{finding.summary}: {said}"
    more = {"summary": summary[:LONGEST], "figures": finding.figures | figures}
    return finding.model_copy(update=more)


def unreadable(warehouse: Warehouse, window: Window) -> Finding | None:
    """Batches of the window that nobody could read; they have no rows to count."""
    reports = _reports(warehouse, window)
    broken = [report for report in reports if report.status == "unreadable"]
    if not broken:
        return None
    share = len(broken) / len(reports)
    limit = window.component.thresholds.quality_violations
    summary = f"{len(broken)} of {len(reports)} batches: {broken[-1].breaches[0].summary}"
    return window.finding(
        "data_quality", "warning", "unreadable_batches", share, limit, summary[:LONGEST]
    )


def _reports(warehouse: Warehouse, window: Window) -> list[BatchReport]:
    if window.component.contract is None:
        return []
    return warehouse.batch_reports(window.component.name, window.start, window.end)


def _worst(reports: list[BatchReport]) -> list[tuple[Breach, int]]:
    """The breaches that cost most rows, each column and kind once, told as the last batch did."""
    rows: dict[tuple[str, str | None], int] = {}
    told: dict[tuple[str, str | None], Breach] = {}
    for report in reports:
        for breach in report.breaches:
            if breach.counted and breach.kind != "unreadable_batch":
                key = (breach.kind, breach.column)
                rows[key] = rows.get(key, 0) + breach.rows
                told[key] = breach
    ordered = sorted(rows, key=lambda key: -rows[key])
    return [(told[key], rows[key]) for key in ordered[:NAMED]]
