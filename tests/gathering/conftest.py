"""The world that gathering is tested in."""

from pathlib import Path

import pytest

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from tests.gathering.fraud_world import MODEL, NOW, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    warehouse = SqliteWarehouse(tmp_path / "warehouse.db")
    warehouse.create_tables()
    return World(warehouse, MODEL, NOW)
