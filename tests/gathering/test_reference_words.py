"""A reference taken from rows knows their words, their outputs and how features move together."""

from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reference import reference_from
from tests.gathering.scored_log import MODEL, NOW, log


def taken(rows):
    warehouse = WarehouseInMemory({"churn": rows})
    profile = reference_from(warehouse, MODEL, NOW - timedelta(hours=1), NOW, None, at=NOW)
    warehouse.save_reference(profile)
    return warehouse, profile


def test_a_reference_from_rows_holds_numbers_and_words_apart():
    ids = np.array([f"order {n}" for n in range(1200)], dtype=object)
    rows = log(
        features=lambda f: f | {"country": np.full(1200, np.nan), "order": np.full(1200, np.nan)},
        categories=lambda words: words | {"order": ids},
    )
    warehouse, profile = taken(rows)
    assert list(profile.features) == ["usage", "calls", "age", "fee"]
    assert list(profile.categories) == ["country"]
    assert profile.together.names == ("usage", "calls", "age", "fee")
    assert set(profile.outputs) == {"prediction", "label"}
    assert measure(warehouse, MODEL, NOW).findings == []


def test_a_reference_with_few_labels_keeps_no_share_of_labels():
    rows = log()
    late = np.where(np.arange(1200) % 3 == 0, rows.label, np.nan)
    _, profile = taken(log(label=late))
    assert set(profile.outputs) == {"prediction"}


def test_a_model_of_words_alone_has_a_reference_and_a_drift_score():
    warehouse, profile = taken(log(features=lambda features: {}))
    assert (list(profile.features), profile.together) == ([], None)
    found = measure(warehouse, MODEL, NOW)
    assert found.readings["drift_score"] == pytest.approx(0, abs=1e-9)
    assert "anomaly_rate" not in found.readings


def test_rows_without_any_feature_are_refused_with_an_example():
    with pytest.raises(NotEnoughDataError, match='"country": "DE"'):
        taken(log(features=lambda features: {}, categories=lambda words: {}))
