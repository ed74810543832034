"""The warehouse in Postgres or Snowflake, counted where it lies."""

from agentops_graph.adapters.sql_warehouse.opened import open_warehouse
from agentops_graph.adapters.sql_warehouse.warehouse import SqlWarehouse

__all__ = ["SqlWarehouse", "open_warehouse"]
