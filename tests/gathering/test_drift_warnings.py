"""What the monitor says beside the drift score, and that it keeps quiet about healthy rows."""

from dataclasses import replace

import numpy as np
import pytest

from agentops_graph.domain.component import Component, Thresholds
from tests.gathering.scored_log import MODEL, log, measured, reference


def said(measurement):
    return [(f.severity, f.metric, f.summary) for f in measurement.findings]


@pytest.mark.parametrize("seed", range(6))
def test_a_healthy_hour_says_nothing(seed):
    found = measured(log(seed))
    assert said(found) == []
    assert found.readings["drift_score"] < 0.1
    assert found.readings["drifted_features"] == 0
    assert found.readings["prediction_drift"] < 0.02
    assert found.readings["label_drift"] < 0.02
    assert found.readings["correlation_shift"] < 0.2


def test_a_renamed_category_is_critical_and_named():
    def renamed(words):
        return {"country": np.where(words["country"] == "DE", "Germany", words["country"])}

    found = measured(log(categories=renamed))
    (claim,) = found.grouped()
    assert claim.severity == "critical"
    assert claim.summary.startswith("Model drift detected. Aggregate PSI: ")
    assert claim.metrics["psi_country"] > 1
    assert claim.metrics["unseen_country"] == pytest.approx(0.5, abs=0.05)
    assert next(iter(claim.findings[0].features)) == "country"
    told = [summary for _, metric, summary in said(found) if metric == "unseen_share"]
    assert told == ["Unknown categories: country: 'DE' is now 'Germany'"]


def test_a_new_category_warns_without_paging():
    def more(words):
        new = np.random.default_rng(0).random(1200) < 0.1
        return {"country": np.where(new, "CH", words["country"])}

    found = measured(log(categories=more))
    assert [(s, m) for s, m, _ in said(found)] == [("warning", "unseen_share")]
    assert "country: 'CH' in 9% of the rows" in found.findings[0].summary


def test_the_onset_of_a_rename_is_found():
    def late(words):
        return {"country": np.r_[words["country"][:800], [f"{w}." for w in words["country"][800:]]]}

    finding = measured(log(categories=late)).findings[0]
    started = (finding.onset_at - finding.window_start).total_seconds()
    assert started == pytest.approx(2400, abs=30)


def test_predictions_of_another_mix_warn():
    rows = log()
    calls = (np.random.default_rng(1).random(1200) < 0.55) * 1.0
    found = measured(replace(rows, prediction=calls, label=np.full(1200, np.nan)))
    assert [(s, m) for s, m, _ in said(found)] == [("warning", "prediction_drift")]
    assert said(found)[0][2].startswith("Predictions drifted: PSI 0.")


def test_failed_predictions_are_no_drift_of_predictions():
    rows = log()
    failed = np.where(np.arange(1200) % 3 == 0, np.nan, rows.prediction)
    found = measured(replace(rows, prediction=failed))
    assert found.readings["prediction_drift"] < 0.02
    assert found.readings["error_rate"] == pytest.approx(1 / 3, abs=1e-3)


def test_labels_of_another_mix_warn():
    more = (np.random.default_rng(1).random(1200) < 0.55) * 1.0
    found = measured(log(label=more, prediction=more))
    assert {"label_drift", "prediction_drift"} == {m for _, m, _ in said(found)}


def test_the_first_labels_of_one_class_are_no_drift_of_labels():
    rows = log()
    churned_first = np.where(rows.label == 1, 1.0, np.nan)
    found = measured(replace(rows, label=churned_first))
    assert "label_drift" not in found.readings
    assert "label_drift" not in {m for _, m, _ in said(found)}


def test_a_rise_of_missing_values_warns_and_names_the_feature():
    def holes(features):
        gone = np.random.default_rng(1).random(1200) < 0.12
        return features | {"age": np.where(gone, np.nan, features["age"])}

    found = measured(log(features=holes))
    assert [(s, m) for s, m, _ in said(found)] == [("warning", "missing_shift")]
    assert found.findings[0].summary in {
        f"More missing values: age 0% -> {n}%" for n in (11, 12, 13)
    }


def test_a_lost_correlation_warns_when_no_feature_moved():
    def shuffled(features):
        order = np.random.default_rng(1).permutation(1200)
        return features | {"calls": features["calls"][order]}

    found = measured(log(features=shuffled))
    assert [(s, m) for s, m, _ in said(found)] == [("warning", "correlation_shift")]
    assert "usage and calls no longer move together" in found.findings[0].summary
    assert found.readings["drift_score"] < 0.1


def test_a_warning_that_is_open_does_not_hide_a_later_drift():
    def more(words):
        new = np.random.default_rng(0).random(1200) < 0.1
        return {"country": np.where(new, "CH", words["country"])}

    def moved(features):
        return {name: values * 2 + 3 for name, values in features.items()}

    (before,) = measured(log(categories=more)).grouped()
    (after,) = measured(log(categories=more, features=moved)).grouped()
    assert (before.severity, before.alert_type) == ("warning", "data_quality")
    assert (after.severity, after.alert_type) == ("critical", "model_drift")
    assert after.metrics["unseen_share"] == before.metrics["unseen_share"]


def test_every_line_can_be_set():
    limits = Thresholds(
        aggregate_psi=9, missing_shift=0.5, unseen_share=0.5, output_psi=9, correlation_shift=0.99
    )
    lax = Component(name=MODEL.name, thresholds=limits)
    rows = log(
        features=lambda f: (
            f | {"calls": f["calls"][::-1], "age": np.where(f["usage"] > 1, np.nan, f["age"])}
        ),
        categories=lambda w: {"country": np.where(np.arange(1200) % 10 == 0, "CH", w["country"])},
        prediction=np.ones(1200),
        label=np.full(1200, np.nan),
    )
    told = {metric for _, metric, _ in said(measured(rows))}
    assert {"prediction_drift", "missing_shift", "unseen_share", "correlation_shift"} <= told
    assert said(measured(rows, component=lax)) == []


def test_a_profile_of_an_older_version_is_judged_as_before():
    bare = {"categories": {}, "outputs": {}, "together": None}
    older = reference().model_copy(update=bare)
    found = measured(log(categories=lambda words: {}), older)
    assert said(found) == []
    assert "prediction_drift" not in found.readings
    assert "psi_country" not in found.readings
