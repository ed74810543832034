"""Which columns each kind of row has, and how each of them is checked."""

from collections.abc import Callable, Sequence
from typing import Any

from agentops_graph.adapters.sqlite_warehouse import checks
from agentops_graph.adapters.sqlite_warehouse.arranged import Arranged, Layout
from agentops_graph.adapters.sqlite_warehouse.tables import KIND_OF
from agentops_graph.adapters.sqlite_warehouse.times import Times
from agentops_graph.adapters.sqlite_warehouse.values import Checked
from agentops_graph.domain.row_kinds import RowKind
from agentops_graph.warehouse.tables import NEEDED, TABLES

TABLE: dict[RowKind, str] = {
    "labels": "PREDICTION_LOGS",
    **{kind: table for table, kind in KIND_OF.items()},
}
LABEL_COLUMNS = ("prediction_id", "actual_label", "model_name")
# Whose rows they are: what a tenant's token is held to.
SUBJECT: dict[RowKind, str] = {
    "predictions": "model_name",
    "labels": "model_name",
    "metrics": "model_name",
    "quality": "pipeline_name",
    "agents": "agent_name",
    "outputs": "agent_name",
    "changes": "subject",
}
CLASSES = ("prediction", "actual_label")
SHORT = ("model_version", "version", "session_id", "provider", "status")
Check = Callable[[str, Sequence[Any]], Checked]


def layout_of(kind: RowKind, own: Sequence[str] = ()) -> Layout:
    """`own` are numeric columns beside the product's, of metrics only."""
    table = TABLE[kind]
    if kind == "labels":
        needed = ("prediction_id", "actual_label")
        return Layout(table, LABEL_COLUMNS, needed, ("actual_label",))
    known = (*TABLES[table], *own)
    return Layout(table, known, NEEDED[table], tuple(n for n in known if _is_numeric(kind, n)))


def _is_numeric(kind: RowKind, name: str) -> bool:
    numeric = (checks.classes, checks.wholes, checks.figures)
    return name != "timestamp" and _check_of(kind, name) in numeric


def checked(kind: RowKind, arranged: Arranged, times: Times) -> dict[str, list[Any]]:
    """What is stored of each column; what is wrong with a row is added to its faults."""
    stored: dict[str, list[Any]] = {}
    for name, values in arranged.columns.items():
        if name == "timestamp":
            stored[name], faults = times.check(values)
        else:
            stored[name], faults = _check_of(kind, name)(name, values)
        for place, fault in faults.items():
            arranged.faults.setdefault(place, fault)
    return stored


def _check_of(kind: RowKind, name: str) -> Check:
    table = TABLE[kind]
    if name == "features":
        return checks.features
    if name in CLASSES:
        return checks.needed_classes if kind == "labels" else checks.classes
    if (name in NEEDED[table] and kind != "labels") or name == "prediction_id":
        return checks.names
    if name in SHORT or name == SUBJECT[kind]:
        return checks.labels
    form = TABLES[table].get(name, float)
    return {int: checks.wholes, float: checks.figures}.get(form, checks.texts)
