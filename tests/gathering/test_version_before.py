"""A deployed version without a profile of its own is held to the figure of the one before."""

from datetime import timedelta

import pytest

from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.version_before import version_before
from tests.gathering.fraud_world import MODEL, NOW


def test_a_version_without_a_baseline_is_held_to_the_one_before(world):
    profile = world.reference(version="2")
    world.log(hours=1, version="3", onset=NOW - timedelta(hours=2))
    measured = measure(world.warehouse, world.component, NOW)
    assert "accuracy_drop" in {finding.alert_type for finding in measured.findings}
    assert measured.readings["baseline_f1"] == pytest.approx(profile.metrics["f1"])
    # Another version may have been trained on other data.
    assert "drift_score" not in measured.readings


def test_an_equal_version_is_silent(world):
    world.reference(version="2")
    world.log(hours=1, version="3")
    assert measure(world.warehouse, world.component, NOW).findings == []


def test_without_any_reference_there_is_no_baseline(world):
    world.log(hours=1, version="3")
    assert version_before(world.warehouse, MODEL) is None
