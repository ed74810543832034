"""What this hour always looks like is no drift; a fault in it, and one that lasts, still is."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.domain.component import Component
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reference import reference_from

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
COMPONENT = Component(name="heating")
DAYS, PER_HOUR = 4, 250


def level(hours):
    return 12 + 6 * np.cos((hours % 24 - 15) * np.pi / 12)


class World:
    """Four days of a temperature, the first two of them the reference."""

    def __init__(self, path, change):
        self.warehouse = SqliteWarehouse(path)
        self.warehouse.create_tables()
        rng = np.random.default_rng(0)
        count = DAYS * 24 * PER_HOUR
        hours = np.sort(rng.uniform(0, DAYS * 24, count))
        values = change(hours, level(hours) + rng.normal(0, 3, count))
        with sqlite3.connect(path) as connection:
            connection.executemany(
                "INSERT INTO PREDICTION_LOGS (timestamp, prediction_id, model_name, model_version,"
                " features, prediction) VALUES (?, ?, 'heating', '1', ?, 1.0)",
                [
                    (time_text(FIRST + timedelta(hours=h)), str(n), json.dumps({"outside": v}))
                    for n, (h, v) in enumerate(zip(hours.tolist(), values.tolist(), strict=True))
                ],
            )
        connection.close()
        at = FIRST + timedelta(days=2)
        profile = reference_from(self.warehouse, COMPONENT, FIRST, at, None, at=at)
        self.warehouse.save_reference(profile)

    def seen(self, hour):
        return measure(self.warehouse, COMPONENT, FIRST + timedelta(hours=hour))


def drifted(measured):
    return "model_drift" in {finding.alert_type for finding in measured.findings}


@pytest.fixture
def world(tmp_path):
    return lambda change=lambda hours, values: values: World(tmp_path / "w.db", change)


def test_every_hour_of_a_usual_day_is_silent_and_says_why(world):
    healthy = world()
    looks = [healthy.seen(48 + hour) for hour in range(1, 25)]
    assert not any(drifted(look) for look in looks)
    # Were no hour far from the reference, this would show nothing.
    assert max(look.readings["drift_score"] for look in looks) > 0.3
    assert any("at this time" in note for look in looks for note in look.notes)


def test_another_unit_is_told_at_every_hour(world):
    fahrenheit = world(lambda hours, v: np.where(hours >= 72, v * 1.8 + 32, v))
    assert all(drifted(fahrenheit.seen(hour)) for hour in (74, 80, 86, 92))


def test_a_fault_that_has_lasted_for_days_is_no_season(world):
    lasting = world(lambda hours, v: np.where(hours >= 49, v + 25, v))
    assert drifted(lasting.seen(96))


def test_day_where_night_should_be_is_told(world):
    frozen = world(lambda hours, v: np.where(hours >= 75, v - level(hours) + level(15), v))
    assert drifted(frozen.seen(76))
