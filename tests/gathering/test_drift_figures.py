"""A drift alert and its evidence name KS and Jensen-Shannon beside the index that decided."""

from datetime import timedelta

import pytest

from agentops_graph.detection.drift import drift_of
from agentops_graph.domain.profile import FeatureProfile
from agentops_graph.gathering.measure import measure
from tests.gathering.fraud_world import NOW
from tests.gathering.test_gather import asked, desk

ONSET = NOW - timedelta(minutes=50)


def window_of(world):
    return world.warehouse.predictions("fraud-detector", NOW - timedelta(hours=1), NOW)


def test_the_alert_carries_three_measures_of_its_worst_features(world):
    profile = world.reference()
    world.log(onset=ONSET)
    (claim,) = measure(world.warehouse, world.component, NOW).grouped()
    rows = window_of(world)
    for name in ("V14", "V17"):
        found = drift_of(profile.features[name], rows.features[name])
        assert claim.metrics[f"psi_{name}"] == pytest.approx(found.psi, abs=1e-9)
        assert claim.metrics[f"ks_{name}"] == found.ks > 0.1
        assert claim.metrics[f"js_{name}"] == found.js > 0.1
    third = list(claim.findings[0].features)[2]
    assert claim.metrics[f"js_{third}"] < 0.1
    assert len([name for name in claim.metrics if name.startswith("ks_")]) == 3


def test_the_evidence_says_how_far_each_moved_feature_is(world):
    world.reference()
    world.log(onset=ONSET)
    (claim,) = measure(world.warehouse, world.component, NOW).grouped()
    drift = next(e for e in asked(desk(world), claim) if e.kind == "feature_drift")
    values = drift.values
    said = f"V14 (PSI {values['psi_V14']:.2f}, KS {values['ks_V14']:.2f}, JS {values['js_V14']:.2f}"
    assert said in drift.summary
    assert values["wasserstein_V14"] > 0.5


def test_the_evidence_says_of_which_rows_its_index_is_and_of_which_the_alerts(world):
    world.reference()
    world.log(onset=ONSET)
    (claim,) = measure(world.warehouse, world.component, NOW).grouped()
    drift = next(e for e in asked(desk(world), claim) if e.kind == "feature_drift")
    rows, score = drift.values["rows"], drift.values["drift_score"]
    assert f"PSI {score:.2f} over {rows} rows since the onset" in drift.summary
    assert drift.summary.endswith("(an alert is of the last 1 h)")


def test_a_reference_stored_without_cells_raises_the_same_alert(world):
    newer = world.reference()
    world.log(onset=ONSET)
    (today,) = measure(world.warehouse, world.component, NOW).grouped()
    older = {
        name: FeatureProfile.model_validate_json(profile.model_dump_json(exclude={"cells"}))
        for name, profile in newer.features.items()
    }
    world.warehouse.save_reference(newer.model_copy(update={"features": older}))
    (claim,) = measure(world.warehouse, world.component, NOW).grouped()
    assert claim.summary == today.summary
    assert claim.metrics["js_V14"] == pytest.approx(today.metrics["js_V14"], abs=1e-9)
    assert claim.metrics["ks_V14"] == pytest.approx(today.metrics["ks_V14"], abs=0.015)
    drift = next(e for e in asked(desk(world), claim) if e.kind == "feature_drift")
    assert "wasserstein_V14" not in drift.values
