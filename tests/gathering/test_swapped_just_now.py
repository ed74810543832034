"""Two columns that changed places minutes ago are told from the few rows since."""

from datetime import timedelta

import pytest

from agentops_graph.domain.alert import Finding, claim_from
from agentops_graph.gathering.drift_evidence import ENOUGH, ENOUGH_OF_A_PAIR
from tests.gathering.fraud_world import NOW, broken, rescaled, swapped
from tests.gathering.test_gather import asked, desk

PER_HOUR = 300


def drift_of(world, fault, minutes):
    """The signals of drift, so many minutes after the fault."""
    onset = NOW - timedelta(minutes=minutes)
    world.reference()
    world.log(per_hour=PER_HOUR, onset=onset, fault=fault)
    finding = Finding(
        component="fraud-detector",
        alert_type="model_drift",
        severity="critical",
        metric="drift_score",
        value=0.5,
        threshold=0.3,
        window_start=NOW - timedelta(hours=1),
        window_end=NOW,
        onset_at=onset,
        summary="Model drift detected.",
    )
    evidence = asked(desk(world), claim_from([finding]))
    return next(e for e in evidence if e.kind == "feature_drift").signals


@pytest.mark.parametrize("minutes", [5, 8, 11])
def test_a_swap_of_minutes_ago_is_seen_in_the_rows_since(world, minutes):
    assert ENOUGH_OF_A_PAIR < PER_HOUR * minutes / 60 < ENOUGH
    assert drift_of(world, swapped, minutes)["features_swapped"] == 1.0


@pytest.mark.parametrize("minutes", [5, 11])
def test_another_break_of_minutes_ago_is_no_swap(world, minutes):
    assert drift_of(world, broken, minutes).get("features_swapped", 0.0) <= 0


def test_one_column_that_moved_alone_did_not_change_places(world):
    assert drift_of(world, rescaled, 11)["features_swapped"] == -1.0


def test_a_handful_of_rows_says_nothing_of_a_swap(world):
    assert "features_swapped" not in drift_of(world, swapped, 1)


def test_with_rows_enough_another_break_rules_a_swap_out(world):
    assert drift_of(world, broken, 30)["features_swapped"] == -1.0
