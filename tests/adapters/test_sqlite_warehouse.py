"""The embedded warehouse keeps what is written and says what is missing."""

import json
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from agentops_graph.adapters import sqlite_warehouse
from agentops_graph.adapters.sqlite_warehouse import TABLES, SqliteWarehouse
from agentops_graph.domain.frames import Change
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.profile import FeatureProfile, ReferenceProfile
from agentops_graph.errors import AgentOpsError, InputError, NotEnoughDataError, UnavailableError

NOON = datetime(2026, 2, 28, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def warehouse(tmp_path):
    made = SqliteWarehouse(tmp_path / "home" / "warehouse.db")
    made.create_tables()
    return made


def row(number, **more):
    return {
        "timestamp": NOON + timedelta(seconds=number),
        "prediction_id": f"p{number}",
        "model_name": "fraud",
        "model_version": "2",
        "features": {"V1": number * 1.0, "V2": None},
        "prediction": 1,
        "confidence": 0.9,
        "actual_label": 0,
        "latency_ms": 12.5,
    } | more


def test_predictions_come_back_as_written_in_order_of_time(warehouse):
    assert warehouse.write("PREDICTION_LOGS", [row(5), row(1), row(3600)]) == 3
    read = warehouse.predictions("fraud", NOON, LATER)
    assert read.ids == ["p1", "p5"]
    assert read.timestamps.tolist() == [row(n)["timestamp"].timestamp() for n in (1, 5)]
    assert read.features["V1"].tolist() == [1.0, 5.0]
    assert np.isnan(read.features["V2"]).all()
    assert read.version == ["2", "2"]
    assert read.latency_ms.tolist() == [12.5, 12.5]


def test_microseconds_survive_the_way_to_seconds_and_back(warehouse):
    at = NOON + timedelta(microseconds=123457)
    warehouse.write("PREDICTION_LOGS", [row(0, timestamp=at)])
    seconds = warehouse.predictions("fraud", NOON, LATER).timestamps[0]
    assert datetime.fromtimestamp(seconds, UTC) == at
    assert seconds == at.timestamp()


def test_versions_and_labels_can_be_asked_for(warehouse):
    rows = [row(1), row(2, model_version="3"), row(3, actual_label=None), row(4, actual_label="")]
    warehouse.write("PREDICTION_LOGS", rows)
    assert warehouse.predictions("fraud", NOON, LATER, version="3").ids == ["p2"]
    assert warehouse.predictions("fraud", NOON, LATER, labelled=True).ids == ["p1", "p2"]
    assert warehouse.latest("fraud") == (NOON + timedelta(seconds=4), "2")
    assert warehouse.latest("other") is None


@pytest.mark.parametrize("broken", ['{"V1": 1', "[1, 2]", "", None, "7", '}, {"V1": 9'])
def test_a_row_with_broken_features_is_missing_and_not_a_crash(warehouse, broken):
    warehouse.write("PREDICTION_LOGS", [row(1), row(2, features=broken), row(3)])
    read = warehouse.predictions("fraud", NOON, LATER)
    assert len(read) == 3
    assert read.features["V1"][[0, 2]].tolist() == [1.0, 3.0]
    assert np.isnan(read.features["V1"][1])


def test_features_may_differ_from_row_to_row(warehouse):
    odd = json.dumps({"V9": "text", "V1": True, "V3": [1]})
    warehouse.write("PREDICTION_LOGS", [row(1), row(2, features=odd)])
    features = warehouse.predictions("fraud", NOON, LATER).features
    assert features["V1"].tolist() == [1.0, 1.0]
    assert np.isnan(features["V9"]).all()


def test_class_names_become_numbers_that_stay_the_same(warehouse):
    warehouse.write(
        "PREDICTION_LOGS",
        [
            row(1, prediction="cat", actual_label="dog"),
            row(2, prediction="dog", actual_label="dog"),
        ],
    )
    read = warehouse.predictions("fraud", NOON, LATER)
    assert read.prediction[1] == read.label[1] == read.label[0] != read.prediction[0]


def test_a_subject_without_rows_gives_empty_frames(warehouse):
    warehouse.write("PREDICTION_LOGS", [row(1)])
    warehouse.write("DATA_QUALITY", [{"timestamp": NOON, "pipeline_name": "a", "record_count": 3}])
    empty = warehouse.predictions("other", NOON, LATER)
    assert len(empty) == len(warehouse.series("data_quality", "b", NOON, LATER)) == 0
    assert "schema_violations" in warehouse.series("data_quality", "b", NOON, LATER).columns
    assert warehouse.series("data_quality", "a", NOON, LATER).columns["record_count"] == [3]
    assert warehouse.changes(["fraud"], NOON, LATER) == []
    assert warehouse.reference("fraud", None) is None


def test_a_missing_or_empty_table_names_columns_and_command(warehouse, tmp_path):
    with pytest.raises(NotEnoughDataError, match="agentops ingest predictions") as told:
        warehouse.predictions("fraud", NOON, LATER)
    assert all(column in str(told.value) for column in TABLES["PREDICTION_LOGS"])
    bare = SqliteWarehouse(tmp_path / "bare.db")
    sqlite3.connect(bare.path).execute("CREATE TABLE other (a)").connection.close()
    with pytest.raises(NotEnoughDataError, match="MODEL_METRICS is missing"):
        bare.series("model_metrics", "fraud", NOON, LATER)


def test_a_table_without_our_columns_names_them(tmp_path):
    warehouse = SqliteWarehouse(tmp_path / "w.db")
    made = sqlite3.connect(warehouse.path)
    made.execute("CREATE TABLE MODEL_METRICS (timestamp TEXT, f1 REAL)")
    made.execute("INSERT INTO MODEL_METRICS VALUES ('2026-02-28T12:00:00Z', 0.9)")
    made.commit()
    made.close()
    with pytest.raises(NotEnoughDataError, match="lacks the column model_name;"):
        warehouse.series("model_metrics", "fraud", NOON, LATER)


CSV = "timestamp,pipeline_name,null_rate,schema_violations,record_count,status\n"


@pytest.mark.parametrize(
    "time", ["2026-02-28 12:30:00", "2026-02-28T12:30:00Z", "2026-02-28T14:30:00+02:00"]
)
@pytest.mark.parametrize("prepared", [True, False])
def test_a_csv_loads_with_sqlite_utils_too(tmp_path, time, prepared):
    warehouse = SqliteWarehouse(tmp_path / "w.db")
    if prepared:
        warehouse.create_tables()
    file = tmp_path / "DATA_QUALITY.csv"
    file.write_text(f"{CSV}{time},feed,0.01,3,200,ok\n2026-02-28 18:00:00,feed,0.01,3,200,ok\n")
    command = ["insert", warehouse.path, "DATA_QUALITY", file, "--csv"]
    subprocess.run([sys.executable, "-m", "sqlite_utils", *command], check=True)
    read = warehouse.series("data_quality", "feed", NOON, LATER)
    assert read.timestamps.tolist() == [(NOON + timedelta(minutes=30)).timestamp()]
    assert read.columns["schema_violations"].tolist() == [3]


def test_a_time_that_is_none_is_refused(warehouse):
    with pytest.raises(UnavailableError, match="not an ISO-8601 time"):
        warehouse.write("DATA_QUALITY", [{"timestamp": "yesterday", "pipeline_name": "a"}])


def test_times_of_any_zone_are_one_time(warehouse):
    zone = timezone(timedelta(hours=5))
    warehouse.write("PREDICTION_LOGS", [row(0, timestamp=(NOON.astimezone(zone)))])
    warehouse.write("PREDICTION_LOGS", [row(1, timestamp="2026-02-28T13:00:01+01:00")])
    assert len(warehouse.predictions("fraud", NOON, NOON + timedelta(seconds=2))) == 2


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    file = tmp_path / "w.db"
    file.write_text("not a database at all, but long enough to be read as one " * 30)
    with pytest.raises(UnavailableError, match="check that the file is a SQLite database"):
        SqliteWarehouse(file).latest("fraud")


def test_an_unknown_table_is_refused(warehouse):
    with pytest.raises(InputError, match="one of MODEL_METRICS"):
        warehouse.write("USERS", [{"a": 1}])


def test_changes_come_in_order_for_the_subjects_asked(warehouse):
    for minute, subject in [(9, "feed"), (3, "fraud"), (5, "other")]:
        at = NOON + timedelta(minutes=minute)
        warehouse.record_change(Change(at, "deploy", subject, "text", "https://example.org/1"))
    found = warehouse.changes(["fraud", "feed"], NOON, LATER)
    assert [change.subject for change in found] == ["fraud", "feed"]
    assert found[0] == Change(
        NOON + timedelta(minutes=3), "deploy", "fraud", "text", "https://example.org/1"
    )


def profile(version, f1):
    feature = FeatureProfile(edges=(0.0,), shares=(0.5, 0.5), quantiles=(0.0, 1.0))
    return ReferenceProfile(
        model_name="fraud",
        model_version=version,
        rows=10,
        features={"V1": feature},
        metrics={"f1": f1},
        recorded_at=NOON,
    )


def test_the_reference_is_that_of_the_version_which_predicted_last(warehouse):
    for version in ("2", "3"):
        warehouse.save_reference(profile(version, 0.9))
    warehouse.save_reference(profile("2", 0.8))
    warehouse.write("PREDICTION_LOGS", [row(1, model_version="3"), row(2)])
    assert warehouse.reference("fraud", None) == profile("2", 0.8)
    assert warehouse.reference("fraud", "3") == profile("3", 0.9)
    assert warehouse.reference("fraud", "4") is None


def test_an_incident_is_history_once(warehouse):
    incident = Incident(
        incident_id="inc-1",
        component="fraud",
        alert_type="model_drift",
        severity="critical",
        status="resolved",
        title="t",
        opened_at=NOON,
        ended_at=NOON + timedelta(minutes=42),
    )
    resolution = Resolution(alert_id="a", resolution_status="resolved", summary="retrained")
    for _ in range(2):
        warehouse.record_incident(incident, resolution, "upstream_schema_change")
    found = sqlite3.connect(warehouse.path).execute("SELECT * FROM INCIDENTS")
    assert found.fetchall() == [
        (
            "inc-1",
            "2026-02-28T12:00:00.000000+00:00",
            "model_drift",
            "critical",
            "upstream_schema_change",
            "retrained",
            42.0,
        )
    ]
    found.connection.close()


def test_threads_may_write_and_read_at_once(warehouse):
    warehouse.write("PREDICTION_LOGS", [row(0)])
    errors = []

    def work(number):
        try:
            for i in range(5):
                at = NOON + timedelta(seconds=number)
                warehouse.write("PREDICTION_LOGS", [row(number * 10 + i, timestamp=at)])
                warehouse.predictions("fraud", NOON, LATER)
        except AgentOpsError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(warehouse.predictions("fraud", NOON, LATER)) == 21


def test_a_failed_write_leaves_nothing(warehouse):
    rows = [row(1), row(2, timestamp="never")]
    with pytest.raises(UnavailableError):
        warehouse.write("PREDICTION_LOGS", rows)
    assert warehouse.latest("fraud") is None


def test_rows_read_in_many_parts_are_one_frame(warehouse, monkeypatch):
    rows = [row(n, features={"V1": n, **({"V2": -n} if n == 2 else {})}) for n in range(5)]
    rows[3] |= {"features": {"V1": "2.5"}, "actual_label": None, "model_version": None}
    rows[4] |= {"features": '{"V1": ["nested"]}'}
    warehouse.write("PREDICTION_LOGS", rows)
    whole = warehouse.predictions("fraud", NOON, LATER)
    monkeypatch.setattr(sqlite_warehouse.warehouse, "CHUNK_ROWS", 1)
    parts = warehouse.predictions("fraud", NOON, LATER)
    assert parts.ids == [f"p{n}" for n in range(5)]
    assert parts.version == ["2", "2", "2", "", "2"]
    nan = float("nan")
    np.testing.assert_array_equal(parts.features["V1"], [0, 1, 2, 2.5, nan])
    np.testing.assert_array_equal(parts.features["V2"], [nan, nan, -2, nan, nan])
    np.testing.assert_array_equal(parts.label, [0, 0, 0, nan, 0])
    np.testing.assert_equal(vars(parts), vars(whole))
    assert {column.dtype for column in parts.features.values()} == {np.dtype(np.float64)}


def test_text_read_in_many_parts_is_one_column_of_words(warehouse, monkeypatch):
    values = ["DE", 7, None, "7.50", "n/a", "\ud800", 0.5, "FR"]
    rows = [row(n, features={"V1": n, "zone": value}) for n, value in enumerate(values)]
    warehouse.write("PREDICTION_LOGS", [*rows, row(9, features={"V1": 9})])
    whole = warehouse.predictions("fraud", NOON, LATER)
    words = ["DE", "7", None, "7.50", None, "?", "0.5", "FR", None]
    assert whole.categories["zone"].tolist() == words
    np.testing.assert_array_equal(whole.features["zone"][[1, 3, 6]], [7, 7.5, 0.5])
    monkeypatch.setattr(sqlite_warehouse.warehouse, "CHUNK_ROWS", 1)
    parts = warehouse.predictions("fraud", NOON, LATER).categories["zone"].tolist()
    # A part that saw a number alone can't know how it was spelled.
    assert parts == ["7.5" if word == "7.50" else word for word in words]


def test_numbers_with_a_few_odd_texts_stay_numbers_and_keep_the_texts(warehouse):
    rows = [row(n, features={"V1": "odd" if n == 2 else n}) for n in range(4)]
    warehouse.write("PREDICTION_LOGS", rows)
    read = warehouse.predictions("fraud", NOON, LATER)
    np.testing.assert_array_equal(read.features["V1"], [0, 1, float("nan"), 3])
    assert read.categories["V1"].tolist() == ["0", "1", "odd", "3"]


def test_exports_that_spell_nothing_as_text_make_no_category(warehouse):
    rows = [row(n, features={"V1": text}) for n, text in enumerate(["nan", "", "NULL", "3"])]
    warehouse.write("PREDICTION_LOGS", rows)
    assert warehouse.predictions("fraud", NOON, LATER).categories == {}


def test_reading_takes_little_more_room_than_what_is_read(warehouse):
    features = {f"V{number}": number + 0.5 for number in range(20)}
    warehouse.write("PREDICTION_LOGS", (row(n / 10, features=features) for n in range(10_000)))
    warehouse.predictions("fraud", NOON, LATER, version="none")
    tracemalloc.start()
    try:
        read = warehouse.predictions("fraud", NOON, LATER)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(read) == 10_000
    assert peak < 4 * kept  # 2 times; 6 times with all rows as text at once


def test_reading_does_without_the_library_that_writes(warehouse):
    warehouse.write("PREDICTION_LOGS", [row(1)])
    code = (
        "import sys\n"
        "from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse\n"
        "assert SqliteWarehouse(sys.argv[1]).latest('fraud')\n"
        "print([name for name in ('sqlite_utils', 'pandas') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, str(warehouse.path)]
    read = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert read.stdout.strip() == "[]"
