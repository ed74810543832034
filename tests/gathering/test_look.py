"""A look at a version during its health window."""

from datetime import timedelta

import pytest

from agentops_graph.gathering.look import look
from tests.gathering.fraud_world import NOW

SINCE = NOW - timedelta(minutes=15)


def test_a_look_counts_only_the_watched_version(world):
    world.reference(version="3")
    world.log()
    world.log(hours=0.25, version="3", seed=7)
    seen = look(world.warehouse, world.component, "3", SINCE, NOW)
    assert seen.rows == 300
    assert seen.metrics["error_rate"] == 0
    assert seen.metrics["drift_score"] < 0.3
    assert seen.metrics["f1"] > 0.8
    assert 15 < seen.metrics["latency_mean"] < 30


def test_failed_predictions_are_the_error_rate(world):
    world.log(hours=0.1, version="3")
    world.log(hours=0.1, version="3", seed=2, prediction=None)
    seen = look(world.warehouse, world.component, "3", SINCE, NOW)
    assert seen.metrics["error_rate"] == pytest.approx(0.5)


def test_few_rows_give_neither_metric_nor_drift(world):
    world.log(hours=0.1)
    seen = look(world.warehouse, world.component, "2", SINCE, NOW)
    assert seen.rows == 120
    assert {"f1", "drift_score"}.isdisjoint(seen.metrics)


def test_no_rows_give_an_empty_look(world):
    world.log(version="2")
    seen = look(world.warehouse, world.component, "9", SINCE, NOW)
    assert (seen.rows, seen.metrics) == (0, {})
