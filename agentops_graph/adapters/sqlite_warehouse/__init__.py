"""The embedded warehouse: metrics, predictions and data batches in one SQLite file."""

from agentops_graph.adapters.sqlite_warehouse.intake import SqliteIntake
from agentops_graph.adapters.sqlite_warehouse.tables import create_tables
from agentops_graph.adapters.sqlite_warehouse.warehouse import SqliteWarehouse
from agentops_graph.warehouse.tables import TABLES

__all__ = ["TABLES", "SqliteIntake", "SqliteWarehouse", "create_tables"]
