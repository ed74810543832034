"""The embedded warehouse: metrics, predictions and data batches in one SQLite file."""

from agentops_graph.adapters.sqlite_warehouse.intake import SqliteIntake
from agentops_graph.adapters.sqlite_warehouse.tables import TABLES, create_tables
from agentops_graph.adapters.sqlite_warehouse.warehouse import SqliteWarehouse

__all__ = ["TABLES", "SqliteIntake", "SqliteWarehouse", "create_tables"]
