"""The world that gathering is tested in."""

from pathlib import Path

import pytest
from fraud_world import MODEL, NOW, World

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse


@pytest.fixture
def world(tmp_path: Path) -> World:
    warehouse = SqliteWarehouse(tmp_path / "warehouse.db")
    warehouse.create_tables()
    return World(warehouse, MODEL, NOW)
