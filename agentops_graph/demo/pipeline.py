"""The demo's data pipeline: runs a window again and measures what it delivered."""

from __future__ import annotations

from datetime import UTC, datetime

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.demo.world import MODEL
from agentops_graph.domain.action import RerunPipeline
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.jobs.order import WorkOrder, WorkResult


def rerun(order: WorkOrder) -> WorkResult:
    """Checks every row of the window anew and writes the batch's quality under today's time.

    Rows are identified by their id, so that nothing is counted or written twice. Raises
    NotEnoughDataError when the window is empty.
    """
    import numpy as np

    action = order.action
    if not isinstance(action, RerunPipeline):
        raise InputError(f"the pipeline was given {action.action}")
    order.report(0.1, f"reading {action.pipeline} again")
    rows = order.warehouse.predictions(MODEL, action.window_from, action.window_until)
    unique = len(set(rows.ids))
    if unique == 0:
        raise NotEnoughDataError(
            f"{action.pipeline} delivered nothing between {action.window_from} and "
            f"{action.window_until}; choose a window with rows"
        )
    order.report(0.6, f"checking {unique} rows")
    table = np.column_stack(list(rows.features.values()))
    nulls = float(np.isnan(table).mean())
    violations = int((rows.features["Amount"] < 0).sum())
    batch = {
        "timestamp": datetime.now(UTC),
        "pipeline_name": action.pipeline,
        "null_rate": nulls,
        "schema_violations": violations,
        "record_count": unique,
        "status": "ok" if violations == 0 else "violations",
    }
    SqliteWarehouse(order.home / "warehouse.db").write("DATA_QUALITY", [batch])
    order.report(0.95, "quality measured")
    return WorkResult(
        summary=f"{action.pipeline}: {unique} rows checked, {violations} violations",
        details={"rows": unique, "null_rate": nulls, "schema_violations": violations},
    )
