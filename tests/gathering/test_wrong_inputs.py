"""Rows that are not as they should be have a clear outcome, and never stop a look."""

from dataclasses import replace

import numpy as np
import pytest

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.detection.profile import profile_of
from agentops_graph.gathering.measure import measure
from tests.gathering.scored_log import MODEL, NOW, log, measured, reference


def metrics(measurement):
    return {finding.metric for finding in measurement.findings}


def with_age(values):
    return log(features=lambda features: features | {"age": values(features["age"])})


def test_an_empty_window_is_not_enough_data():
    warehouse = WarehouseInMemory({"churn": log(rows=0)}, references=[reference()])
    found = measure(warehouse, MODEL, NOW)
    assert found.findings == []
    assert found.readings == {"rows": 0, "baseline_f1": 0.92}
    assert any("drift not judged" in note for note in found.notes)  # no version predicted
    at_night = measure(warehouse, MODEL, NOW, version="1")
    assert at_night.readings == {"rows": 0, "baseline_f1": 0.92}
    assert "not enough data: 0 of 200 rows" in at_night.notes


def test_one_row_is_not_enough_data():
    found = measured(log(rows=1))
    assert found.findings == []
    assert "not enough data: 1 of 200 rows" in found.notes
    assert "drift_score" not in found.readings


def test_a_column_that_became_constant_has_drifted():
    found = measured(with_age(lambda age: np.full(len(age), 40.0)))
    assert metrics(found) == {"drift_score"}
    assert next(iter(found.findings[0].features)) == "age"


def test_a_column_that_always_was_constant_is_quiet_until_it_moves():
    flat = reference(log(seed=99, rows=6000, features=lambda f: f | {"age": np.full(6000, 40.0)}))
    assert measured(with_age(lambda age: np.full(len(age), 40.0)), flat).findings == []
    moved = measured(with_age(lambda age: np.full(len(age), 41.0)), flat)
    assert metrics(moved) == {"drift_score", "anomaly_rate"}


def test_a_column_without_any_value_has_drifted_and_is_named():
    found = measured(with_age(lambda age: np.full(len(age), np.nan)))
    assert metrics(found) == {"drift_score", "missing_shift"}
    assert "More missing values: age 0% -> 100%" in [f.summary for f in found.findings]


def test_infinity_counts_as_missing():
    spoilt = with_age(lambda age: np.where(np.arange(len(age)) % 2, np.inf, age))
    found = measured(spoilt)
    assert "More missing values: age 0% -> 50%" in [f.summary for f in found.findings]
    assert all(np.isfinite(value) for value in found.readings.values())


def test_text_in_a_column_of_numbers_is_missing_there(tmp_path):
    rows = log()
    warehouse = SqliteWarehouse(tmp_path / "warehouse.db")
    warehouse.save_reference(reference())
    ages = [f"{age:.1f}" if n % 2 else "forty" for n, age in enumerate(rows.features["age"])]
    warehouse.write("PREDICTION_LOGS", as_logged(rows, age=ages))
    found = measure(warehouse, MODEL, NOW)
    assert metrics(found) == {"drift_score", "missing_shift"}
    assert "More missing values: age 0% -> 50%" in [f.summary for f in found.findings]
    assert found.readings["psi_country"] < 0.1


def as_logged(rows, **replaced):
    columns = {
        **{name: values.tolist() for name, values in rows.features.items()},
        **{name: values.tolist() for name, values in rows.categories.items()},
        **replaced,
    }
    for number, at in enumerate(rows.timestamps):
        yield {
            "timestamp": np.datetime_as_string(np.datetime64(round(at * 1e6), "us")) + "+00:00",
            "prediction_id": rows.ids[number],
            "model_name": "churn",
            "model_version": "1",
            "features": {name: values[number] for name, values in columns.items()},
            "prediction": rows.prediction[number],
            "confidence": 0.9,
            "actual_label": rows.label[number],
            "latency_ms": rows.latency_ms[number],
        }


@pytest.mark.parametrize("name", ["größe", "年齢", "имя файла", "a b\tc", "👍", "x" * 300])
def test_names_in_any_script_are_told_as_they_are(name):
    def called(features):
        return {name: features["age"], "fee": features["fee"]}

    profile = reference(log(seed=99, rows=6000, features=called))
    assert measured(log(features=called), profile).findings == []
    gone = log(features=lambda f: called(f) | {name: np.full(1200, np.nan)})
    (claim,) = measured(gone, profile).grouped()
    assert claim.metrics[f"psi_{name}"] > 5
    shown = name[:40].replace("\t", "?")  # fit for a terminal
    assert any(shown in finding.summary for finding in claim.findings)


def test_ten_thousand_columns_are_measured_and_the_one_that_moved_is_named():
    rng = np.random.default_rng(0)
    names = [f"c{n}" for n in range(10_000)]
    few = {name: rng.normal(size=400) for name in names[:50]}
    columns = {name: few[names[n % 50]] for n, name in enumerate(names)}
    profile = profile_of("churn", "1", few, {}, NOW)
    wide = {name: profile.features[names[n % 50]] for n, name in enumerate(names)}
    profile = profile.model_copy(update={"features": wide})
    rows = replace(log(rows=400), features=columns | {"c777": columns["c777"] + 3}, categories={})
    found = measured(rows, profile)
    assert found.readings["drifted_features"] == 1
    assert next(name for name in found.readings if name.startswith("psi_")) == "psi_c777"
    assert found.readings["psi_c778"] == pytest.approx(0, abs=1e-3)
