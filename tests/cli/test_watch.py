"""A first configuration from one's own rows, checked, and what the monitor makes of it."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.yaml_components import read_components
from agentops_graph.adapters.yaml_sources import read_sources
from agentops_graph.cli.blind_view import tell_blind
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.first_sources import commented, sources_text
from agentops_graph.domain.sight import Sight
from agentops_graph.domain.sources.declared import Sources
from agentops_graph.domain.sources.examples import EXAMPLES
from tests.cli.conftest import Desk
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

NOW = datetime.now(UTC)
HARD = "odd: name # \n- x\x1b[31m \x85 \U0001f600"


def logged(name, count=300, **columns):
    """Predictions of the last hours; a column may be a function of the row's number."""
    rows = []
    for number in range(count):
        row = {
            "timestamp": NOW - timedelta(minutes=number),
            "prediction_id": f"{name}-{number}",
            "model_name": name,
            "model_version": "3",
            "features": {"amount": 1.0 * (number % 7)},
            "prediction": number % 2,
        }
        made = {k: v(number) if callable(v) else v for k, v in columns.items()}
        rows.append(row | made)
    return rows


MODELS = {
    "churn": ({"actual_label": lambda n: n % 2}, "binary", "f1", "labels are 0 and 1"),
    "topics": (
        {"prediction": lambda n: ("sports", "politics", "arts")[n % 3]},
        "multiclass",
        "f1",
        "3 names (arts, politics, sports)",
    ),
    "grades": ({"prediction": lambda n: n % 5}, "multiclass", "f1", "5 whole numbers"),
    "prices": ({"prediction": lambda n: 100 + 1.5 * n}, "regression", "mae", "many values"),
    "counts": ({"prediction": lambda n: n * 3}, "regression", "mae", "many values"),
    "search": (
        {"prediction_id": lambda n: f"q{n // 5}:d{n}", "actual_label": lambda n: n % 4},
        "ranking",
        "ndcg",
        "ids read query:item",
    ),
    "writer": (
        {"prediction": lambda n: f"answer {n} that nobody gave before"},
        "text",
        "relevance",
        "hardly repeat",
    ),
}


def fill(home):
    warehouse = SqliteWarehouse(home / "warehouse.db")
    for name, (columns, *_) in MODELS.items():
        warehouse.write("PREDICTION_LOGS", logged(name, **columns))
    batches = [
        {"timestamp": NOW - timedelta(hours=n), "pipeline_name": "orders", "record_count": 500}
        for n in range(48)
    ]
    warehouse.write("DATA_QUALITY", batches)
    agents = [
        {"timestamp": NOW - timedelta(minutes=n), "agent_name": "bot", "error_rate": 0.01}
        for n in range(50)
    ]
    warehouse.write("AGENT_METRICS", agents)
    said = {"timestamp": NOW, "request_id": "r-1", "agent_name": "helper", "response": "yes"}
    warehouse.write("AGENT_OUTPUTS", [said])
    figures = {"timestamp": NOW, "model_name": "only-figures", "f1": 0.9}
    warehouse.write("MODEL_METRICS", [figures])
    profile = profile_of("churn", "3", {"amount": np.arange(300.0)}, {}, NOW)
    warehouse.save_reference(profile)
    return warehouse


def test_what_the_warehouse_holds_is_proposed_with_a_reason_for_each_guess(desk):
    fill(desk.home)
    made = desk.read("watch", "init")
    text = (desk.home / "components.yaml").read_text()
    components = desk.workshop.components
    assert set(components) == {*MODELS, "orders", "bot", "helper", "only-figures"}
    for name, (_, task, metric, reason) in MODELS.items():
        assert (components[name].metric.task, components[name].metric.name) == (task, metric)
        entry = text.split(f"name: {name}\n")[1].split("- name:")[0]
        assert reason in entry
    assert components["only-figures"].metric.name == "f1"
    assert {components[n].kind for n in ("bot", "helper")} == {"agent"}
    assert components["orders"].kind == "pipeline"
    assert made["found"]["orders"]["rows_per_hour"] == pytest.approx(500, rel=0.05)
    assert "a reference profile of version 3 is there" in text.split("name: churn\n")[1]
    assert "agentops reference prices --from " in text


def test_the_proposed_reference_command_is_one_that_works(desk):
    fill(desk.home)
    desk.run("watch", "init")
    text = (desk.home / "components.yaml").read_text()
    (line,) = [row for row in text.splitlines() if "agentops reference prices" in row]
    result = desk.run(*line.split("agentops ")[1].split())
    assert result.exit_code == 0, result.output


def test_a_model_with_few_rows_an_hour_gets_a_window_that_holds_enough(desk):
    rows = [r | {"timestamp": NOW - timedelta(minutes=3 * n)} for n, r in enumerate(logged("few"))]
    desk.workshop.ports.warehouse.write("PREDICTION_LOGS", rows)
    result = desk.run("watch", "init")
    assert result.exit_code == 0
    assert "Found: 1 model." in result.stdout
    text = (desk.home / "components.yaml").read_text()
    assert "# 20.1 rows an hour; 200 (drift_min_rows) take 13 h" in text
    (few,) = read_components(desk.home / "components.yaml").values()
    assert few.thresholds.drift_window_s == 13 * 3600


def test_what_people_edited_stays_and_the_new_files_are_written_beside_it(desk):
    fill(desk.home)
    own = "components:\n  - name: ours\n"
    (desk.home / "components.yaml").write_text(own)
    (desk.home / "sources.yaml").write_text("lineage: {mlflow: true}\n")
    told = desk.run("watch", "init")
    assert told.exit_code == 0, told.output
    assert "components.yaml is yours and stays" in told.stdout
    assert (desk.home / "components.yaml").read_text() == own
    assert "churn" in read_components(desk.home / "components.yaml.new")
    assert (desk.home / "sources.yaml").read_text() == "lineage: {mlflow: true}\n"
    assert desk.run("watch", "init", "--force").exit_code == 0
    assert "churn" in desk.workshop.components


def test_the_file_that_init_made_and_nobody_filled_in_is_replaced(desk):
    desk.run("init")
    fill(desk.home)
    assert desk.read("watch", "init")["components"] == str(desk.home / "components.yaml")
    assert "churn" in desk.workshop.components


def test_its_own_draft_of_an_empty_folder_is_replaced_once_there_are_rows(desk):
    desk.run("watch", "init")
    fill(desk.home)
    made = desk.read("watch", "init")
    assert made["components"] == str(desk.home / "components.yaml")
    assert made["sources"] == str(desk.home / "sources.yaml")
    assert "churn" in desk.workshop.components
    assert not [*desk.home.glob("*.new"), *desk.home.glob("*.old")]


def test_an_equal_draft_is_not_written_beside_the_one_that_is_there(desk):
    fill(desk.home)
    first = desk.read("watch", "init")
    assert desk.read("watch", "init") == first
    assert not list(desk.home.glob("*.new"))


def test_comments_that_somebody_wrote_are_kept_when_a_draft_takes_their_place(desk):
    (desk.home / "sources.yaml").write_text("# ours\n# logs: []\n")
    desk.read("watch", "init")
    assert (desk.home / "sources.yaml.old").read_text() == "# ours\n# logs: []\n"
    assert "# prometheus:" in (desk.home / "sources.yaml").read_text()


def test_where_nothing_is_watched_an_unknown_name_leads_to_the_first_files(desk):
    told = desk.run("silence", "churn", "--hours", "1", "--reason", "a test")
    assert "known: none; `agentops watch init` finds yours" in told.stderr


@pytest.mark.parametrize("way", ["file", "environment"])
def test_a_warehouse_that_init_does_not_read_is_refused_unless_a_file_is_named(
    desk, tmp_path, monkeypatch, way
):
    if way == "file":
        declared = "warehouse: {kind: postgres, database: ml, user: reader}\n"
        (desk.home / "sources.yaml").write_text(declared)
    else:
        monkeypatch.setenv("AGENTOPS_WAREHOUSE_URL", "postgresql://reader@127.0.0.1:1/ml")
    told = desk.run("watch", "init")
    assert told.exit_code == 2
    assert "reads the embedded SQLite warehouse only" in told.stderr
    assert not (desk.home / "components.yaml").exists()
    other = tmp_path / "other"
    other.mkdir()
    fill(other)
    named = desk.run("watch", "init", "--from", str(other / "warehouse.db"))
    assert named.exit_code == 0, named.output
    assert "churn" in (desk.home / "components.yaml").read_text()


def test_names_from_the_rows_can_neither_break_the_file_nor_reach_the_terminal(desk):
    warehouse = SqliteWarehouse(desk.home / "warehouse.db")
    warehouse.write("PREDICTION_LOGS", logged(HARD, segment="a\n  - name: forged\n\x1b[2J"))
    warehouse.write("PREDICTION_LOGS", logged("yes") + logged("007"))
    told = desk.run("watch", "init")
    assert told.exit_code == 0, told.output
    assert set(desk.workshop.components) == {HARD, "yes", "007"}
    assert "\x1b" not in (desk.home / "components.yaml").read_text() + told.output


def test_an_empty_folder_gets_a_file_to_fill_in(desk):
    told = desk.run("watch", "init")
    assert told.exit_code == 0
    assert "nothing yet" in told.stdout
    assert read_components(desk.home / "components.yaml") == {}
    assert read_sources(desk.home / "sources.yaml") == Sources()


def test_another_warehouse_is_read_and_left_as_it_is(desk, tmp_path):
    fill(tmp_path)
    before = (tmp_path / "warehouse.db").read_bytes()
    desk.read("watch", "init", "--from", str(tmp_path / "warehouse.db"))
    assert "churn" in desk.workshop.components
    assert (tmp_path / "warehouse.db").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [(None, 6, "there is no warehouse at"), (b"nonsense" * 999, 7, "not a database")],
)
def test_a_warehouse_that_can_not_be_read_is_said_and_nothing_is_written(
    desk, tmp_path, content, code, told
):
    other = tmp_path / "other.db"
    if content is not None:
        other.write_bytes(content)
    result = desk.run("watch", "init", "--from", str(other))
    assert result.exit_code == code
    assert told in result.stderr
    assert not (desk.home / "components.yaml").exists()


def test_a_table_without_the_products_indexes_is_read_too(desk):
    connection = sqlite3.connect(desk.home / "warehouse.db")
    connection.execute("CREATE TABLE PREDICTION_LOGS (timestamp, model_name, prediction)")
    rows = [(f"2026-03-01 12:{n:02}:00", "plain", str(n % 2)) for n in range(50)]
    connection.executemany("INSERT INTO PREDICTION_LOGS VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    desk.read("watch", "init")
    assert desk.workshop.components["plain"].metric.task == "binary"


def test_check_shows_what_is_watched_and_how_often(desk):
    (desk.home / "components.yaml").write_text(
        "components:\n  - {name: churn, every_s: 900}\n  - {name: feed, kind: pipeline}\n"
    )
    told = desk.read("watch", "check")
    first, second = told["components"]
    assert (first["name"], first["every_s"], first["blind_after_s"]) == ("churn", 900, 1800)
    assert (second["every_s"], second["blind_after_s"], second["task"]) == (60, 300, None)
    assert "15 min" in desk.run("watch", "check").stdout


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "components.yaml",
            "components:\n  - name: a\n    expected_row_per_hour: 5\n",
            "components.yaml:3: expected_row_per_hour: unknown; did you mean "
            "expected_rows_per_hour?",
        ),
        (
            "components.yaml",
            "components:\n  - name: a\n    every_s: 0\n",
            "yaml:3: every_s",
        ),
        ("sources.yaml", "nowhere: 5\n", "sources.yaml:1: nowhere: unknown"),
    ],
)
def test_check_refuses_a_mistake_with_file_and_line(desk, file, text, told):
    (desk.home / file).write_text(text)
    result = desk.run("watch", "check")
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "mlflow:\n  runs:\n    nobody: {experiment: e, metrics: {f1: f1}}\n",
            "yaml:3: components.yaml has no component nobody",
        ),
        (
            "warehouse:\n  kind: postgres\n  database: ml\n  user: a\n  password_env: NOT_SET\n",
            "sources.yaml:5: the environment variable NOT_SET",
        ),
        (
            "logs:\n  - name: x\n    kind: files\n    path: x.log\n    components: [churm]\n",
            "sources.yaml:5: churm is no component and no feed; did you mean churn?",
        ),
        (
            "alertmanager:\n  components:\n    api: ordres\n",
            "sources.yaml:3: ordres is no component and no feed; did you mean orders?",
        ),
        (
            "rest:\n  - name: x\n    url: http://api.example/x\n    components: [churn]\n"
            "    values: {a: a}\n",
            "sources.yaml:3: must begin with https://",
        ),
    ],
)
def test_check_refuses_what_no_reader_could_be_made_of(desk, text, told):
    (desk.home / "components.yaml").write_text("components:\n  - {name: churn, feeds: [orders]}\n")
    (desk.home / "sources.yaml").write_text(text)
    result = desk.run("watch", "check")
    assert result.exit_code == 2
    assert told in result.stderr


def test_check_refuses_an_mlflow_store_elsewhere_that_lineage_would_be_read_from(desk, monkeypatch):
    (desk.home / "sources.yaml").write_text("lineage: {mlflow: true}\n")
    monkeypatch.setenv("AGENTOPS_MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    result = desk.run("watch", "check")
    assert result.exit_code == 2
    assert "mlflow.example" in result.stderr


def test_status_shows_who_can_not_be_seen_with_the_last_known_values(desk):
    desk.watch_agent(error_rate=0.01)
    assert desk.run("monitor", "--once").exit_code == 0
    assert desk.read("watch", "status")["support-bot"]["blind"] is None
    shutil.move(desk.home / "warehouse.db", desk.home / "aside.db")
    result = desk.run("monitor", "--once")
    assert result.exit_code == 6
    told = desk.read("watch", "status")["support-bot"]
    assert told["blind"]["last_known"]["error_rate"] == pytest.approx(0.01)
    assert told["blind"]["source"] == "warehouse"
    shown = desk.run("watch", "status").stdout
    assert "can't be seen" in shown
    assert "error_rate 0.01" in shown
    doctor = desk.read("doctor")
    (check,) = [c for c in doctor["checks"] if c["name"] == "sight"]
    assert check["state"] == "degraded"
    assert "support-bot" in check["seen"]


def test_status_says_that_nobody_looks_when_the_monitor_has_ended(desk):
    desk.watch_agent(error_rate=0.01)

    def due(minutes_ago):
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        rounds = desk.workshop.ports.rounds
        (turn,) = rounds.take({"support-bot": 60.0}, seconds=60, at=at)
        sight = turn.sight.model_copy(update={"due_at": at, "seen_at": at})
        rounds.settle([turn.model_copy(update={"sight": sight})])
        return desk.run("watch", "status").stdout, desk.read("watch", "status")["support-bot"]

    told, standing = due(10)
    assert "1 of 1 are long due for a look: no monitor runs; start it: agentops monitor" in told
    assert "long due, since" in told
    assert standing["late"]
    told, standing = due(0)
    assert "no monitor runs" not in told
    assert not standing["late"]


def test_what_stays_blind_is_told_in_full_once_and_then_shortly(capsys):
    since = NOW - timedelta(minutes=9)
    sight = Sight(component="a", blind_since=since, source="warehouse", fault="down", why="gone")
    sight = sight.model_copy(update={"seen_at": since, "readings": {"f1": 0.9}})
    told = {}

    def said(blind, seen=()):
        tell_blind(blind, seen, NOW, told)
        return capsys.readouterr().out

    assert "f1 0.9" in said({"a": sight})
    assert said({}) == ""  # a look at others
    assert said({"a": sight}) == f"a is still blind, since {since:%H:%M} UTC\n"
    assert "f1 0.9" in said({"a": sight.model_copy(update={"fault": "slow"})})
    assert said({}, {"a": {}}) == "a is seen again\n"
    assert "f1 0.9" in said({"a": sight})


def test_every_section_of_the_sources_file_is_off_and_its_example_a_valid_one():
    text = sources_text()
    assert all(line.startswith("#") or not line for line in text.splitlines())
    for name in set(Sources.model_fields) & set(EXAMPLES):
        assert commented(EXAMPLES[name]) in text


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_can_be_taken_into_use(name, tmp_path):
    file = tmp_path / "sources.yaml"
    file.write_text(EXAMPLES[name])
    if name in Sources.model_fields:
        assert getattr(read_sources(file), name)


@QUIET
def test_the_model_registry_names_what_has_no_rows(mlflow_store, monkeypatch):  # noqa: F811
    monkeypatch.delenv("AGENTOPS_MLFLOW_TRACKING_URI", raising=False)
    client = mlflow_store.client()
    for name in ("churn", "sleeping"):
        client.create_registered_model(name)
    client.create_model_version("churn", source=mlflow_store.home.as_uri())
    client.set_registered_model_alias("churn", "production", "1")
    desk = Desk(mlflow_store.home)
    fill(desk.home)
    desk.read("watch", "init")
    text = (desk.home / "components.yaml").read_text()
    assert "version 1 is production" in text.split("name: churn\n")[1].split("- name")[0]
    assert "#  - name: sleeping" in text
    assert "sleeping" not in desk.workshop.components
