"""Where rows from outside are taken in."""

from agentops_graph.errors import InputError
from agentops_graph.ports import Intake, Warehouse


def intake(warehouse: Warehouse) -> Intake:
    """InputError when the warehouse is another system's, which has loaders of its own."""
    from agentops_graph.adapters.sqlite_warehouse import SqliteIntake, SqliteWarehouse

    if not isinstance(warehouse, SqliteWarehouse):
        raise InputError(
            "rows are taken into the embedded warehouse only, and this data folder reads another "
            "one; load them there, with its own tools",
            field="ingest",
        )
    return SqliteIntake(warehouse.path)
