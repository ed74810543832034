"""Which columns a source may give to which table, and which of them belong together."""

from agentops_graph.domain.frames import SeriesTable

# What the product itself knows; a team's own metric may be one more column of model_metrics.
COLUMNS: dict[SeriesTable, tuple[str, ...]] = {
    "model_metrics": ("f1", "precision", "recall", "auc", "drift_score", "latency_p99"),
    "data_quality": ("null_rate", "schema_violations", "record_count"),
    "agent_metrics": (
        "latency_p95",
        "error_rate",
        "cost_per_request",
        "requests",
        "tokens_per_request",
        "memory_mb",
        "session_minutes",
        "policy_false_positive_rate",
        "total_cost",
    ),
}
TABLE_OF_KIND: dict[str, SeriesTable] = {
    "model": "model_metrics",
    "pipeline": "data_quality",
    "agent": "agent_metrics",
}
# Its columns weigh each other within a row; a batch of which each system knows a part says nothing.
WHOLE: tuple[SeriesTable, ...] = ("data_quality",)
NOT_OWN = ("timestamp", "model_name", "model_version", "segment")


def replaced(table: SeriesTable, given: frozenset[str]) -> frozenset[str]:
    """The columns that are no longer read from the warehouse when a source gives these."""
    return given.union(COLUMNS[table]) if table in WHOLE else given


def refuse_unknown(table: SeriesTable, columns: frozenset[str]) -> None:
    """ValueError for a column that the table has not; any is one of model_metrics."""
    known = COLUMNS[table]
    unknown = sorted(columns - set(known)) if table != "model_metrics" else []
    unknown += sorted(columns & set(NOT_OWN))
    if unknown:
        raise ValueError(f"{table} has no column {unknown[0]}; it has {', '.join(known)}")
    if table == "data_quality" and columns and "record_count" not in columns:
        raise ValueError("data_quality needs record_count, by which the other columns are weighed")
