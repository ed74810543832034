"""Rows go into the warehouse once, each checked; what can't go in is kept with its reason."""

import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.adapters.row_files import FileRows, body_rows, lines, open_rows
from agentops_graph.adapters.sqlite_warehouse import SqliteIntake, SqliteWarehouse
from agentops_graph.bootstrap.ingest import intake
from agentops_graph.domain.rows import Reading
from agentops_graph.errors import ConflictError, InputError, UnavailableError

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Home:
    """A warehouse, and rows to be taken into it."""

    def __init__(self, folder):
        self.path = folder / "warehouse.db"
        self.file = folder / "rows.csv"
        self.intake = SqliteIntake(self.path)
        self.warehouse = SqliteWarehouse(self.path)

    def take(self, rows, kind="predictions", *, reading=None, **more):
        body = "\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows)
        source = body_rows(body.encode(), "rows.jsonl")
        return self.intake.take(source, kind, reading or Reading(), at=NOW, **more)

    def csv(self, text, kind="predictions", *, reading=None, **more):
        self.file.write_text(text, encoding="utf-8")
        with open_rows(self.file, None, io.BytesIO()) as source:
            return self.intake.take(source, kind, reading or Reading(), at=NOW, **more)

    def read(self, query):
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()

    def predictions(self):
        return self.warehouse.predictions("fraud", NOON, NOON + timedelta(hours=1))


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def row(number=1, **more):
    return {
        "timestamp": (NOON + timedelta(seconds=number)).isoformat(),
        "prediction_id": f"p{number}",
        "model_name": "fraud",
        "features": {"V1": number * 1.0},
        "prediction": 1,
    } | more


def test_good_rows_can_be_measured_at_once(home):
    taken = home.take([row(2), row(1, confidence=0.5, latency_ms=12, model_version=3)])
    assert (taken.read, taken.loaded, taken.refused) == (2, 2, 0)
    read = home.predictions()
    assert read.ids == ["p1", "p2"]
    assert read.features["V1"].tolist() == [1.0, 2.0]
    assert read.version == ["3", ""]
    assert read.latency_ms[0] == 12


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"timestamp": "yesterday"}, "timestamp is no ISO-8601 time (seen: yesterday)"),
        ({"timestamp": 1772366400}, "timestamp is no ISO-8601 time (seen: 1772366400)"),
        ({"timestamp": "1772366400"}, "timestamp is no ISO-8601 time (seen: 1772366400)"),
        ({"timestamp": None}, "timestamp is missing"),
        ({"timestamp": "2126-03-01T00:00:00Z"}, "timestamp lies more than a day ahead"),
        ({"timestamp": "0001-01-01T00:00:00Z"}, "timestamp can't be stored"),
        ({"timestamp": "2026-03-01T12:00:00"}, "timestamp the times before it have an offset"),
        ({"prediction_id": " "}, "prediction_id is missing"),
        ({"prediction_id": "x" * 201}, "prediction_id is longer than 200 characters"),
        ({"prediction_id": ["x"]}, "prediction_id is no name"),
        ({"model_name": "a\0b"}, "model_name must not hold a NUL character"),
        ({"features": "[1]"}, "features is no JSON object"),
        ({"features": '{"V1": 1'}, "features is no JSON object"),
        ({"features": ""}, "features is missing; a row without any has {}"),
        ({"latency_ms": "fast"}, "latency_ms is no number (seen: fast)"),
        ({"latency_ms": "1_000"}, "latency_ms is no number"),
        ({"latency_ms": float("inf")}, "latency_ms is not finite"),
        ({"latency_ms": 10**400}, "latency_ms is not finite"),
        ({"confidence": 1e80}, "confidence is larger than any measurement"),
        ({"prediction": "-inf"}, "prediction is not finite"),
        ({"prediction": [1]}, "prediction is no number"),
        ({"tiemstamp": "x"}, "has the unknown column 'tiemstamp' (nearest: timestamp)"),
    ],
)
def test_a_bad_row_is_put_aside_with_its_reason_and_its_neighbours_go_in(home, change, reason):
    taken = home.take([row(1), row(2) | change, row(3)])
    assert (taken.read, taken.loaded, taken.refused) == (3, 2, 1)
    (kept,) = home.intake.quarantined()
    assert kept.reason.startswith(reason)
    assert (kept.line, kept.source, kept.kind) == (2, "rows.jsonl", "predictions")
    assert json.loads(kept.raw)["model_name"] is not None
    assert home.predictions().ids == ["p1", "p3"]


def test_what_is_missing_is_no_fault_where_it_may_be(home):
    odd = {"confidence": "", "actual_label": None, "latency_ms": "NaN", "prediction": ""}
    assert home.take([row(1, **odd), row(2, features={})]).loaded == 2
    found = home.read(
        "SELECT confidence, actual_label, latency_ms, prediction FROM PREDICTION_LOGS"
    )
    assert found[0] == (None, None, None, None)


def test_classes_and_numbers_are_stored_as_such(home):
    values = [
        ("1", 1.0),
        (" cat ", "cat"),
        (True, 1.0),
        (0.5, 0.5),
        ("1_0", "1_0"),
        ("none", "none"),
    ]
    home.take([row(n, prediction=given) for n, (given, _) in enumerate(values)])
    assert [p for (p,) in home.read("SELECT prediction FROM PREDICTION_LOGS")] == [
        stored for _, stored in values
    ]


def test_long_integers_are_stored_as_far_as_a_number_reaches(home):
    home.take([row(1, prediction=10**30, latency_ms=10**20), row(2, latency_ms="x")])
    assert home.read("SELECT prediction, latency_ms FROM PREDICTION_LOGS") == [(1e30, 1e20)]


def test_a_day_is_a_time_and_nan_is_no_name(home, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    nan = float("nan")
    columns = {
        "timestamp": pa.array([NOON.date()], pa.date32()),
        "model_name": ["fraud"],
        "model_version": [nan],
        "segment": [nan],
        "f1": [0.9],
    }
    parquet.write_table(pa.table(columns), tmp_path / "m.parquet")
    with open_rows(tmp_path / "m.parquet", None, io.BytesIO()) as source:
        assert home.intake.take(source, "metrics", Reading(), at=NOW).loaded == 1
    found = home.read("SELECT timestamp, model_version, segment, f1 FROM MODEL_METRICS")
    assert found == [("2026-03-01T00:00:00.000000+00:00", None, None, 0.9)]


def test_numbers_in_features_that_are_not_finite_are_null(home):
    home.take([row(1, features='{"V1": NaN, "V2": Infinity, "V3": 1}')])
    assert home.read("SELECT features FROM PREDICTION_LOGS") == [('{"V1":null,"V2":null,"V3":1}',)]


def test_times_of_every_offset_are_stored_in_one_form(home):
    times = ["2026-03-01T14:00:00+02:00", "2026-03-01 12:00:00Z", "2026-03-01T12:00:00.5+00:00"]
    home.take([row(n, timestamp=at) for n, at in enumerate(times)])
    assert [at for (at,) in home.read("SELECT timestamp FROM PREDICTION_LOGS")] == [
        "2026-03-01T12:00:00.000000+00:00",
        "2026-03-01T12:00:00.000000+00:00",
        "2026-03-01T12:00:00.500000+00:00",
    ]


def test_times_without_an_offset_are_utc_and_then_one_with_is_refused(home):
    rows = [row(1, timestamp="2026-03-01 12:00"), row(2)]
    taken = home.take(rows)
    assert (taken.loaded, taken.refused) == (1, 1)
    assert "have no offset from UTC and this has one" in taken.shown[0].reason


def test_the_same_content_is_taken_once(home):
    first = home.take([row(1), row(2, latency_ms="x")])
    again = home.take([row(1), row(2, latency_ms="x")])
    assert again.is_known
    assert again.model_copy(update={"is_known": False}) == first
    assert len(home.predictions()) == home.intake.condition().rows == 1


def test_content_without_a_key_of_its_own_is_taken_once_and_again_when_asked(home):
    rows = [{"timestamp": NOON.isoformat(), "pipeline_name": "feed", "record_count": 3}]
    assert [home.take(rows, "quality").is_known for _ in range(2)] == [False, True]
    assert home.take(rows, "quality", again=True).loaded == 1
    assert home.read("SELECT count(*) FROM DATA_QUALITY") == [(2,)]


def test_the_same_rows_read_another_way_are_other_rows(home):
    rows = [{"timestamp": NOON.isoformat(), "f1": 0.9}]
    for name in ("fraud", "churn"):
        home.take(rows, "metrics", reading=Reading(fixed={"model_name": name}))
    assert home.read("SELECT model_name, f1 FROM MODEL_METRICS") == [("fraud", 0.9), ("churn", 0.9)]


def test_overlapping_files_count_each_prediction_once(home):
    home.take([row(1), row(2)])
    taken = home.take([row(2), row(3), row(3), row(3, model_name="churn")])
    assert (taken.loaded, taken.repeated, taken.refused) == (2, 2, 0)
    assert home.predictions().ids == ["p1", "p2", "p3"]


def test_a_prediction_that_says_something_else_than_before_is_put_aside(home):
    home.take([row(1)])
    taken = home.take([row(1, prediction=0, features={"V1": 7}), row(2)])
    assert (taken.loaded, taken.refused) == (1, 1)
    said = "prediction_id was loaded before with another features, prediction (seen: p1)"
    assert taken.shown[0].reason == said
    assert home.predictions().prediction.tolist() == [1.0, 1.0]


def test_a_later_export_brings_the_labels_that_were_missing(home):
    home.take([row(1), row(2, actual_label=1)])
    taken = home.take([row(1, actual_label=0), row(2)])
    assert (taken.loaded, taken.repeated) == (0, 2)
    assert home.predictions().label.tolist() == [0.0, 1.0]


def test_labels_find_their_predictions(home):
    home.take([row(1), row(2), row(2, model_name="churn"), row(3, actual_label=1)])
    labels = [
        {"prediction_id": "p1", "actual_label": 1},
        {"prediction_id": "p2", "actual_label": 0},
        {"prediction_id": "p2", "actual_label": 0, "model_name": "fraud"},
        {"prediction_id": "p3", "actual_label": 1},
        {"prediction_id": "p9", "actual_label": 1},
        {"prediction_id": "p1", "actual_label": ""},
    ]
    taken = home.take(labels, "labels")
    assert (taken.loaded, taken.repeated, taken.refused) == (2, 1, 3)
    assert {refusal.line: refusal.reason for refusal in taken.shown} == {
        2: "several models have that prediction_id; add model_name (seen: p2)",
        5: "no prediction of that prediction_id is loaded (seen: p9)",
        6: "actual_label is missing",
    }
    assert home.predictions().label.tolist() == [1.0, 0.0, 1.0]


def test_only_rows_of_given_components_go_in_and_get_labels(home):
    home.take([row(1), row(1, model_name="churn")])
    only = frozenset({"churn"})
    taken = home.take([row(2), row(3, model_name="churn")], only=only, owner="south")
    assert taken.shown[0].reason == "model_name is no component (seen: fraud)"
    home.take([{"prediction_id": "p1", "actual_label": 1}], "labels", only=only, owner="south")
    found = home.read("SELECT model_name, actual_label FROM PREDICTION_LOGS ORDER BY rowid")
    assert found == [("fraud", None), ("churn", 1.0), ("churn", None)]


def test_a_key_stands_for_one_batch(home):
    assert not home.take([row(1)], key="k").is_known
    assert home.take([row(1)], key="k").is_known
    with pytest.raises(ConflictError, match="came with other rows before"):
        home.take([row(2)], key="k")
    assert not home.take([row(2)], key="k", owner="south").is_known


HEAD = "timestamp,prediction_id,model_name,features,prediction"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace("timestamp", "tiemstamp"), "unknown column 'tiemstamp' (nearest: timestamp)"),
        (f"{HEAD},extra", "has the unknown column 'extra'; PREDICTION_LOGS has timestamp,"),
        (HEAD.replace("model_name,", ""), "lacks the column 'model_name'; PREDICTION_LOGS needs"),
        (f"{HEAD},Prediction", "two of its columns are 'prediction'"),
    ],
)
def test_wrong_columns_refuse_the_file_and_nothing_is_written(home, text, said):
    with pytest.raises(InputError) as refused:
        home.csv(f"{text}\n{','.join('x' for _ in text.split(','))}\n")
    assert said in str(refused.value)
    assert home.intake.condition().loads == home.intake.condition().rows == 0


def test_columns_of_others_are_renamed_set_gathered_and_left_out(home):
    reading = Reading(
        renamed={"ts": "timestamp", "Id": "prediction_id", "score": "confidence"},
        fixed={"model_name": "fraud"},
        features=("amount", "V*"),
        left_out=("row",),
    )
    text = (
        "row,ts,Id,amount,V1,V2,country,Prediction,score\n"
        "1,2026-03-01T12:00:01Z,a,12.5,,x,DE,1,0.5\n"
        "2,2026-03-01T12:00:02Z,b,1_0,2,inf,,0,0.5\n"
    )
    with pytest.raises(InputError, match="unknown column 'country'"):
        home.csv(text, reading=reading)
    wider = reading.model_copy(update={"features": (*reading.features, "country")})
    assert home.csv(text, reading=wider).loaded == 2
    found = [json.loads(held) for (held,) in home.read("SELECT features FROM PREDICTION_LOGS")]
    assert found[0] == {"amount": 12.5, "V1": None, "V2": "x", "country": "DE"}
    assert found[1] == {"amount": "1_0", "V1": 2.0, "V2": None, "country": None}


def test_metrics_may_have_columns_of_the_teams_own(home):
    rows = [{"timestamp": NOON.isoformat(), "model_name": "price", "mae": 3.5}]
    with pytest.raises(InputError, match="unknown column 'mae'"):
        home.take(rows, "metrics")
    assert home.take(rows, "metrics", reading=Reading(own=("mae",))).loaded == 1
    later = [rows[0] | {"mae": 4.5}]
    assert home.take(later, "metrics").loaded == 1
    read = home.warehouse.series("model_metrics", "price", NOON, NOON + timedelta(hours=1))
    assert read.columns["mae"].tolist() == [3.5, 4.5]
    with pytest.raises(InputError, match="only metrics"):
        home.take([row(1)], reading=Reading(own=("mae",)))


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("quality", {"pipeline_name": "a", "record_count": "12", "null_rate": 0.1, "status": "ok"}),
        ("agents", {"agent_name": "a", "requests": 3, "error_rate": "0.5"}),
        ("outputs", {"agent_name": "a", "request_id": "r", "response": "x" * 9999, "progress": 1}),
        ("changes", {"kind": "deploy", "subject": "a", "summary": "", "link": "http://x"}),
    ],
)
def test_every_kind_has_its_table(home, kind, given):
    good = {"timestamp": NOON.isoformat(), **given}
    whole = {"quality": "record_count", "agents": "requests", "outputs": "tokens"}.get(kind)
    bad = [good | {whole: 1.5}] if whole else [good | {"kind": ""}]
    taken = home.take([good, *bad], kind)
    assert (taken.loaded, taken.refused) == (1, 1)
    assert ("is no whole number" if whole else "kind is missing") in taken.shown[0].reason


def test_a_table_that_another_tool_made_takes_rows_too(home):
    with closing(sqlite3.connect(home.path)) as connection:
        connection.execute(f"CREATE TABLE PREDICTION_LOGS ({HEAD})")
        connection.execute(
            "INSERT INTO PREDICTION_LOGS VALUES ('2026-03-01 12:00:01', 'p1', 'fraud', "
            "'{\"V1\": 1}', '1')"
        )
        connection.commit()
    taken = home.take([row(1), row(2, latency_ms=5)])
    assert (taken.loaded, taken.repeated, taken.refused) == (1, 1, 0)
    assert home.predictions().ids == ["p1", "p2"]


def test_a_load_that_broke_off_goes_on_behind_its_last_chunk(home, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK", 400)
    text = "\n".join([HEAD, *(f"2026-03-01T12:00:{n:02}Z,p{n},fraud,{{}},1" for n in range(40))])
    text += "\nbroken\n"

    class Killed(BaseException):
        pass

    def stop(taken, _):
        if taken.read > 20:
            raise Killed

    with pytest.raises(Killed):
        home.csv(text, on_chunk=stop)
    assert home.intake.condition().unfinished == ("rows.csv",)
    before = len(home.predictions())
    assert 20 < before < 40
    monkeypatch.setattr(lines, "BLOCK", 333)  # another version may cut its chunks elsewhere
    taken = home.csv(text)
    assert taken.resumed_at == before
    assert (taken.read, taken.loaded, taken.repeated, taken.refused) == (41, 40, 0, 1)
    assert len(home.predictions()) == 40
    assert home.intake.condition().unfinished == ()


def test_the_offset_of_times_is_remembered_over_a_break(home, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK", 60)
    text = f"{HEAD}\n2026-03-01T12:00:00Z,p1,fraud,{{}},1\n2026-03-01T12:00:01,p2,fraud,{{}},1\n"

    def stop(taken, _):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        home.csv(text, on_chunk=stop)
    assert home.csv(text).refused == 1


def test_of_two_that_load_the_same_at_once_one_gives_up(home, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK", 100)
    text = "\n".join([HEAD, *(f"2026-03-01T12:00:{n:02}Z,p{n},fraud,{{}},1" for n in range(20))])
    others = []

    def meanwhile(taken, _):
        if not others:
            with home.file.open("rb") as file:
                source = FileRows(file, "rows.csv", None)
                others.append(home.intake.take(source, "predictions", Reading(), at=NOW))

    with pytest.raises(ConflictError, match="another process loads the rows"):
        home.csv(text, on_chunk=meanwhile)
    assert others[0].loaded + others[0].resumed_at >= 20
    assert len(home.predictions()) == 20


def test_a_check_writes_nothing_and_says_the_same(home):
    rows = [row(1), row(2, latency_ms="x"), "{"]
    body = "\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows).encode()
    checked = home.intake.check(body_rows(body, "rows.jsonl"), "predictions", Reading(), at=NOW)
    assert not home.path.exists()
    assert checked == home.take(rows)


def test_secrets_stay_out_of_reasons(home):
    taken = home.take([row(1), row(2, latency_ms="password=hunter2hunter2")])
    assert "hunter2" not in taken.shown[0].reason


def test_rows_leave_the_quarantine_by_their_numbers(home):
    home.take([row(1), row(2, latency_ms="x"), row(3, latency_ms="y")])
    first, second = home.intake.quarantined()
    home.intake.remove([first.number])
    assert list(home.intake.quarantined(kind="predictions")) == [second]
    assert list(home.intake.quarantined(kind="quality")) == []
    assert list(home.intake.quarantined(limit=0)) == []


def test_a_file_that_is_no_warehouse_is_said_to_be_down(home):
    home.path.write_bytes(b"this is no database, whatever its name says" * 50)
    with pytest.raises(UnavailableError, match="did not answer"):
        home.take([row(1)])


def test_rows_are_taken_into_the_embedded_warehouse_only(home):
    assert intake(home.warehouse).condition().loads == 0
    with pytest.raises(InputError, match="load them there, with its own tools"):
        intake(WarehouseInMemory({}))
