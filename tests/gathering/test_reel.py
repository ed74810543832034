"""A reel gives what the warehouse would have given, and reads each row once."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.domain.frames import Predictions, Series
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reel import Reel
from agentops_graph.gathering.rows import joined, sliced
from tests.desk import MODEL, NOON, profile, traffic

HOUR = timedelta(hours=1)


class Counted(WarehouseInMemory):
    """Counts the rows that were read."""

    rows_read = 0

    def predictions(self, *args, **more):
        found = super().predictions(*args, **more)
        self.rows_read += len(found)
        return found


def history(hours=48):
    start = NOON - hours * HOUR
    return traffic(start, hours * 60, version="1", broken=False, rows_a_minute=10)


def test_each_row_is_read_once_and_given_as_the_warehouse_would():
    rows = history()
    warehouse = Counted({MODEL: rows})
    reel = Reel(warehouse, MODEL, 3 * HOUR)
    for number in range(4, 49):
        reel.now = NOON - (48 - number) * HOUR
        given = reel.predictions(MODEL, reel.now - HOUR, reel.now)
        plain = WarehouseInMemory({MODEL: rows}).predictions(MODEL, reel.now - HOUR, reel.now)
        assert given.ids == plain.ids
        assert all(np.array_equal(given.features[n], plain.features[n]) for n in plain.features)
    assert warehouse.rows_read <= len(rows)


def test_the_segments_of_the_rows_are_kept():
    rows = history()
    named = replace(rows, segment=[f"country={i % 3}" for i in range(len(rows))])
    reel = Reel(WarehouseInMemory({MODEL: named}), MODEL, 3 * HOUR)
    for number in range(40, 49):
        reel.now = NOON - (48 - number) * HOUR
        given = reel.predictions(MODEL, reel.now - HOUR, reel.now, version="1", labelled=True)
        assert given.segment == named.segment[(number - 1) * 600 : number * 600]


def test_what_lies_further_back_than_is_held_is_read_for_this_once():
    reel = Reel(Counted({MODEL: history()}), MODEL, HOUR)
    reel.now = NOON
    reel.predictions(MODEL, NOON - HOUR, NOON)
    assert len(reel.predictions(MODEL, NOON - 40 * HOUR, NOON)) == 40 * 600
    assert len(reel.predictions(MODEL, NOON - HOUR, NOON)) == 600


def test_the_newest_prediction_is_the_newest_by_then():
    older = traffic(NOON - 8 * HOUR, 240, version="1", broken=False, rows_a_minute=5)
    newer = traffic(NOON - 4 * HOUR, 240, version="2", broken=False, rows_a_minute=5, seed=3)
    warehouse = WarehouseInMemory(
        {MODEL: joined([older, newer])},
        references=[profile("1", older, 0.93), profile("2", newer, 0.93)],
    )
    reel = Reel(warehouse, MODEL, 3 * HOUR)
    for at, version in ((NOON - 5 * HOUR, "1"), (NOON, "2")):
        reel.now = at
        reel.predictions(MODEL, at - HOUR, at)
        assert reel.latest(MODEL)[1] == version
        assert reel.reference(MODEL, None).model_version == version


@pytest.mark.parametrize("at", [NOON - 30 * HOUR, NOON])
def test_a_measurement_on_a_reel_is_the_one_on_the_warehouse(at, world_component):
    healthy = history()
    broken = traffic(NOON - HOUR, 60, version="1", broken=True, seed=2, rows_a_minute=10)
    rows = joined([sliced(healthy, 0, len(healthy) - 600), broken])
    warehouse = WarehouseInMemory({MODEL: rows}, references=[profile("1", healthy, 0.93)])
    reel = Reel(warehouse, MODEL, 4 * HOUR)
    reel.now = at
    past = WarehouseInMemory(
        {MODEL: sliced(rows, 0, int(np.searchsorted(rows.timestamps, at.timestamp())))},
        references=[profile("1", healthy, 0.93)],
    )
    assert measure(reel, world_component, at) == measure(past, world_component, at)


@pytest.fixture
def world_component():
    from agentops_graph.domain.component import Component

    return Component(name=MODEL)


def test_columns_that_a_part_lacks_are_missing_in_its_rows():
    first = Series(np.array([1.0]), {"a": np.array([5.0])})
    second = Series(np.array([2.0]), {"b": np.array([6.0])})
    both = joined([first, second])
    assert np.array_equal(both.columns["a"], [5.0, np.nan], equal_nan=True)
    assert np.array_equal(both.columns["b"], [np.nan, 6.0], equal_nan=True)


def test_rows_cut_and_joined_again_are_the_rows_they_were():
    rows = history(4)
    again = joined([sliced(rows, 0, 100), sliced(rows, 100, len(rows))])
    assert isinstance(again, Predictions)
    assert again.ids == rows.ids
    assert again.version == rows.version
    assert np.array_equal(again.features["V14"], rows.features["V14"])
