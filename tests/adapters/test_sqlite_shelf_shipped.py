"""The runbooks and reports that ship: the story of the drift, and the floors of the evals."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.alert import Finding, claim_from
from agentops_graph.domain.diagnosis import Brief
from agentops_graph.domain.evidence import Evidence

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
DRIFT = {
    "few_features_drifted": 1.0,
    "drift_abrupt": 1.0,
    "feature_scaled": 1.0,
    "accuracy_dropped": 1.0,
    "change:schema_change": 1.0,
    "new_version_before_onset": -1.0,
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    path = tmp_path_factory.mktemp("home") / "knowledge.db"
    one = SqliteShelf(path, [ROOT / "runbooks"], LexicalEmbedding())
    yield one
    one.close()


def drift_brief(shelf):
    finding = Finding(
        component="fraud-detector",
        alert_type="model_drift",
        severity="critical",
        metric="drift_score",
        value=0.47,
        threshold=0.3,
        window_start=NOW,
        window_end=NOW,
        onset_at=NOW,
        features={"V14": 0.8, "V17": 0.6},
        summary="Model drift detected. Aggregate PSI: 0.47",
    )
    evidence = Evidence(
        evidence_id="ev-1",
        incident_id="inc-1",
        kind="feature_drift",
        source="PREDICTION_LOGS",
        query="predictions()",
        summary="V14 and V17 drifted",
        signals=DRIFT,
        measured_at=NOW,
    )
    asked = {"query": f"model drift {finding.summary}", "alert_type": "model_drift", "limit": 3}
    return Brief(
        diagnosis_id="inc-1/D0",
        incident_id="inc-1",
        alert=claim_from([finding]).with_id("alert_2026-02-28_001"),
        evidence=(evidence,),
        causes=tuple(shelf.causes("model_drift")),
        pages=tuple(shelf.search(kind="runbook", **asked)),
        precedents=tuple(shelf.search(kind="incident", **asked)),
        asked_at=NOW,
    )


def test_everything_that_ships_is_taken(shelf):
    assert shelf.refused() == []
    assert shelf.condition()["incidents"] == 15


def test_the_drift_of_the_demo_is_named_with_section_and_precedent(shelf):
    diagnosis = EvidenceWeights().diagnose(drift_brief(shelf))
    assert diagnosis.cause == "upstream_schema_change"
    assert 0.7 <= diagnosis.confidence <= 0.95
    assert diagnosis.runbook_reference.startswith("model_drift.md#section-3-2")
    assert diagnosis.similar_incidents[0] == "INC-2026-0115"
    assert all(shelf.page(reference).text for reference in diagnosis.citations)


def test_every_cause_points_at_a_section_that_can_be_opened(shelf):
    for alert_type in ("model_drift", "latency", "data_quality", "cost_spike", "provider_outage"):
        causes = shelf.causes(alert_type)
        assert causes
        assert all(shelf.page(cause.reference) for cause in causes)


def test_retrieval_stays_above_its_floor(shelf):
    measure = runpy.run_path(str(ROOT / "evals" / "retrieval" / "measure.py"))
    figures = measure["figures"](measure["ranks"](shelf))
    # Measured 0.50, 0.62, 0.88 and 0.61; a query is worth 0.03.
    assert figures["hit@1"] >= 0.43
    assert figures["hit@3"] >= 0.59
    assert figures["hit@10"] >= 0.8
    assert figures["mrr"] >= 0.57
