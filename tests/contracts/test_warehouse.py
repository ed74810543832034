"""Contract of `Warehouse` and `History`: rows in time order, `since` inside and `until` not."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.joined_warehouse import JoinedWarehouse
from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.frames import Change, PastIncident, Predictions
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.profile import FeatureProfile, ReferenceProfile
from agentops_graph.errors import NotEnoughDataError
from tests.contracts.desk import AT, after
from tests.contracts.warehouse_kinds import SQL, made_in

MODEL = "fraud-detector"
NAN = float("nan")


@dataclass(frozen=True)
class Row:
    at_s: float
    version: str
    v14: float
    prediction: float
    label: float
    country: str | None = "DE"


ROWS = [
    Row(0, "1", 0.5, 0.0, 1.0),
    Row(10, "1", 0.7, NAN, NAN, None),
    Row(20, "2", 2.5, 1.0, 0.0, "FR"),
    Row(30, "2", 2.7, 1.0, NAN),
]


def in_memory():
    frame = Predictions(
        ids=[f"p{n}" for n in range(len(ROWS))],
        timestamps=np.array([after(row.at_s).timestamp() for row in ROWS]),
        features={
            "V14": np.array([row.v14 for row in ROWS]),
            "country": np.full(len(ROWS), NAN),
        },
        prediction=np.array([row.prediction for row in ROWS]),
        confidence=np.full(len(ROWS), 0.9),
        label=np.array([row.label for row in ROWS]),
        latency_ms=np.full(len(ROWS), 20.0),
        version=[row.version for row in ROWS],
        categories={"country": np.array([row.country for row in ROWS], dtype=object)},
        segment=["country=DE", "", "country=FR", ""],
    )
    return WarehouseInMemory({MODEL: frame})


def number(value):
    return None if np.isnan(value) else value


def logged():
    return [
        {
            "timestamp": after(row.at_s),
            "prediction_id": f"p{n}",
            "model_name": MODEL,
            "model_version": row.version,
            "features": {"V14": row.v14, "country": row.country},
            "prediction": number(row.prediction),
            "confidence": 0.9,
            "actual_label": number(row.label),
            "latency_ms": 20.0,
            "segment": ["country=DE", None, "country=FR", ""][n],
        }
        for n, row in enumerate(ROWS)
    ]


def in_sqlite(folder):
    warehouse = SqliteWarehouse(folder / "warehouse.db")
    warehouse.write("PREDICTION_LOGS", logged())
    return warehouse


class JoinedWithHistory(JoinedWarehouse):
    """Reads through the joined warehouse, writes as the history does."""

    def __init__(self, base):
        super().__init__(base)
        self.save_reference = base.save_reference
        self.record_change = base.record_change
        self.record_incident = base.record_incident
        self.past_incidents = base.past_incidents


@pytest.fixture(params=["memory", "sqlite", "joined", *SQL])
def warehouse(request, tmp_path):
    if request.param in SQL:
        with made_in(request.param, request) as made:
            made.write("PREDICTION_LOGS", logged())
            yield made
    elif request.param == "joined":
        yield JoinedWithHistory(in_sqlite(tmp_path))
    else:
        yield in_memory() if request.param == "memory" else in_sqlite(tmp_path)


def test_a_window_holds_its_first_moment_and_not_its_last(warehouse):
    rows = warehouse.predictions(MODEL, after(10), after(30))
    assert rows.ids == ["p1", "p2"]
    assert rows.timestamps.tolist() == [after(10).timestamp(), after(20).timestamp()]
    assert rows.features["V14"].tolist() == [0.7, 2.5]
    assert rows.version == ["1", "2"]
    assert rows.latency_ms.tolist() == [20.0, 20.0]


def test_text_is_a_category_and_no_number(warehouse):
    rows = warehouse.predictions(MODEL, after(10), after(30))
    assert list(rows.categories) == ["country"]
    assert rows.categories["country"].tolist() == [None, "FR"]
    assert np.isnan(rows.features["country"]).all()
    second = warehouse.predictions(MODEL, AT, after(99), version="2")
    assert second.categories["country"].tolist() == ["FR", "DE"]
    labelled = warehouse.predictions(MODEL, AT, after(99), labelled=True)
    assert labelled.categories["country"].tolist() == ["DE", "FR"]


def test_rows_keep_the_segment_that_was_logged_with_them(warehouse):
    assert warehouse.predictions(MODEL, AT, after(99)).segment == [
        "country=DE",
        "",
        "country=FR",
        "",
    ]
    of_version = warehouse.predictions(MODEL, AT, after(99), version="2")
    assert of_version.segment == ["country=FR", ""]


def test_a_failed_prediction_and_a_missing_label_are_nan(warehouse):
    rows = warehouse.predictions(MODEL, after(10), after(20))
    assert np.isnan(rows.prediction).tolist() == [True]
    assert np.isnan(rows.label).tolist() == [True]


def test_rows_are_chosen_by_version_and_by_label(warehouse):
    of_version = warehouse.predictions(MODEL, AT, after(99), version="2")
    labelled = warehouse.predictions(MODEL, AT, after(99), labelled=True)
    both = warehouse.predictions(MODEL, AT, after(99), version="1", labelled=True)
    assert (of_version.ids, labelled.ids, both.ids) == (["p2", "p3"], ["p0", "p2"], ["p0"])


def test_a_model_without_rows_has_an_empty_frame(warehouse):
    rows = warehouse.predictions("churn", AT, after(99))
    assert len(rows) == len(rows.timestamps) == 0
    assert warehouse.latest("churn") is None


def test_the_newest_prediction_gives_time_and_version(warehouse):
    assert warehouse.latest(MODEL) == (after(30), "2")


def test_a_reference_is_found_by_version_or_by_who_predicted_last(warehouse):
    feature = FeatureProfile(edges=(0.0,), shares=(0.5, 0.5), quantiles=(-1.0, 1.0))
    profiles = {
        v: ReferenceProfile(
            model_name=MODEL,
            model_version=v,
            rows=1000,
            features={"V14": feature},
            metrics={"f1": 0.93},
            recorded_at=after(int(v)),
        )
        for v in ("1", "2")
    }
    for profile in profiles.values():
        warehouse.save_reference(profile)
    assert warehouse.reference(MODEL, "1") == profiles["1"]
    assert warehouse.reference(MODEL, None) == profiles["2"]
    assert warehouse.reference(MODEL, "9") is None
    assert warehouse.reference(MODEL, "9", any_version=True) == profiles["2"]
    assert warehouse.reference("churn", None, any_version=True) is None


def test_changes_are_those_of_the_subjects_in_the_window(warehouse):
    changes = [
        Change(after(5), "schema_change", "transactions", "V14 in cents", "https://example.test/1"),
        Change(after(6), "deploy", MODEL, "version 2"),
        Change(after(50), "deploy", MODEL, "version 3"),
    ]
    for change in changes:
        warehouse.record_change(change)
    assert warehouse.changes([MODEL, "transactions"], AT, after(50)) == changes[:2]
    assert warehouse.changes([MODEL], AT, after(99)) == changes[1:]


@pytest.fixture(params=["memory", "sqlite", *SQL])
def empty(request, tmp_path):
    if request.param in SQL:
        with made_in(request.param, request) as made:
            yield made
    elif request.param == "memory":
        yield WarehouseInMemory({})
    else:
        made = SqliteWarehouse(tmp_path / "w")
        made.create_tables()
        yield made


def test_a_warehouse_without_any_prediction_says_so(empty):
    with pytest.raises(NotEnoughDataError):
        empty.predictions(MODEL, AT, after(99))


def test_incidents_that_closed_are_found_by_when_they_began(warehouse):
    for number, minutes in ((1, 42), (2, None)):
        began = after(600 * number)
        incident = Incident(
            incident_id=f"INC-{number}",
            component=MODEL,
            alert_type="model_drift",
            severity="critical",
            status="resolved",
            title="t",
            opened_at=began,
            ended_at=None if minutes is None else began + timedelta(minutes=minutes),
        )
        resolution = Resolution(alert_id="a", resolution_status="resolved")
        warehouse.record_incident(incident, resolution, "schema_change")
    found = warehouse.past_incidents(after(600), after(1200))
    assert found == [PastIncident(after(600), "INC-1", "model_drift", 42.0)]
    assert [p.incident_id for p in warehouse.past_incidents(AT, after(9000))] == ["INC-1", "INC-2"]
    assert warehouse.past_incidents(after(1201), after(9000)) == []
