"""Where lineage is read: real dbt manifests, OpenLineage files, topology files, an MLflow store."""

import json
import time

import pandas as pd
import pytest

from agentops_graph.adapters.dbt_lineage import DbtLineage
from agentops_graph.adapters.mlflow_registry import MlflowLineage
from agentops_graph.adapters.openlineage_files import OpenLineageFiles
from agentops_graph.adapters.yaml_lineage import YamlLineage
from agentops_graph.domain.component import Component
from agentops_graph.domain.lineage.drawing import drawn, watched
from agentops_graph.errors import InputError, UnavailableError
from tests.dbt_project import SCHEMA, manifest, node, shop, source, write_shop
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures


def names_of(fragment):
    return {one.name for one in fragment.nodes}


def pairs_of(fragment):
    return {(edge.source, edge.target) for edge in fragment.edges}


@pytest.mark.parametrize("version", [10, 11, 12])
@pytest.mark.parametrize("maps", [True, False])
def test_dbt_manifest_gives_tables_and_what_uses_them_but_no_tests(tmp_path, version, maps):
    path = write_shop(tmp_path / "manifest.json", version=version, maps=maps)
    read = DbtLineage(path, "target/manifest.json").read()
    assert pairs_of(read) == {
        ("source.shop.raw.orders", "model.shop.stg_orders"),
        ("model.shop.stg_orders", "model.shop.customer_features"),
        ("model.shop.customer_features", "exposure.shop.fraud_detector"),
    }
    kinds = {one.name: one.kind for one in read.nodes}
    assert kinds["exposure.shop.fraud_detector"] == "model"
    assert "test.shop.not_null_orders_id" not in kinds


def test_disabled_dbt_models_are_no_way_to_anywhere(tmp_path):
    off = node("old_orders", "source.shop.raw.orders")
    kept = node("report", off[0])
    document = manifest(nodes=[kept], sources=[source("raw", "orders")], disabled=[off])
    document["child_map"]["source.shop.raw.orders"] = [off[0]]
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    read = DbtLineage(tmp_path / "manifest.json", "m").read()
    assert pairs_of(read) == set()
    assert off[0] not in names_of(read)


def test_the_latest_version_of_a_dbt_model_goes_by_the_models_name(tmp_path):
    versions = [
        (
            f"model.shop.orders.v{n}",
            node("orders", version=n, latest_version=2, relation=f'"prod"."dm"."orders_v{n}"')[1],
        )
        for n in (1, 2)
    ]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(nodes=versions)))
    components = {"orders": Component(name="orders", kind="pipeline")}
    read = DbtLineage(tmp_path / "manifest.json", "m").read()
    chart = drawn(read | watched(components), watched_names=components)
    assert chart.things["orders"].names == ("model.shop.orders.v2", "orders")


WRONG = {
    "cut off": (lambda text: text[: len(text) // 2], "is not JSON, or is cut off"),
    "a list": (lambda _: "[]", "is no dbt manifest"),
    "no version": (lambda _: "{}", "names no dbt_schema_version"),
    "too old": (lambda text: text.replace("/v12", "/v7"), "of manifest version 7; versions 10 to"),
    "unknown": (lambda text: text.replace("/v12", "/v99"), "of manifest version 99"),
    "other shape": (lambda text: text.replace('"nodes": {', '"nodes": [1], "was": {', 1), "no dbt"),
    "nested": (lambda _: "[" * 200_000, "is not JSON"),
    "bytes": (lambda _: "\x00\x01", "is not JSON"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_manifest_is_refused_with_the_reason(tmp_path, case):
    change, said = WRONG[case]
    path = tmp_path / "manifest.json"
    path.write_text(change(json.dumps(shop())))
    with pytest.raises(InputError, match=said):
        DbtLineage(path, "m").read()


def test_a_manifest_that_is_not_there_says_so_and_is_new_when_it_comes(tmp_path):
    origin = DbtLineage(tmp_path / "manifest.json", "m")
    before = origin.stamp()
    with pytest.raises(InputError, match="No such file"):
        origin.read()
    write_shop(tmp_path / "manifest.json")
    assert origin.stamp() != before
    assert origin.read().edges


def test_a_manifest_of_ten_thousand_models_is_drawn_in_seconds(tmp_path):
    names = [f"m_{number}" for number in range(10_000)]
    nodes = [
        node(name, *(f"model.shop.{names[n - back]}" for back in (1, 7, 31) if n >= back))
        for n, name in enumerate(names)
    ]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest(nodes=nodes)))
    components = {"m-0": Component(name="m-0", kind="pipeline")}
    began = time.process_time()
    read = DbtLineage(path, "m").read()
    chart = drawn(read | watched(components), watched_names=components)
    took = time.process_time() - began
    assert (len(chart.things), len(chart.told_by)) == (10_000, len(read.edges))
    assert chart.distance("m-0", "model.shop.m_9999") > 300
    assert took < 10  # about one second on an idle machine


def event(job="load", kind="COMPLETE", inputs=(), outputs=(), **more):
    return {
        "eventType": kind,
        "eventTime": "2026-02-28T10:15:00.000Z",
        "run": {"runId": "0199f3c2-7d0e-7e1a-9c51-0d6c1b6a2f11", "facets": {}},
        "job": {"namespace": "etl", "name": job, "facets": {}},
        "inputs": [{"namespace": "pg://shop:5432", "name": name} for name in inputs],
        "outputs": [{"namespace": "snowflake://acme", "name": name} for name in outputs],
        "producer": "https://example.com",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
    } | more


def lines(*events):
    return "".join(json.dumps(one) + "\n" for one in events)


def test_openlineage_file_gives_jobs_between_what_they_read_and_write(tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_text(lines(event(inputs=["a"]), event(kind="START", outputs=["B"]), event("other")))
    read = OpenLineageFiles(path, "events.ndjson").read()
    assert pairs_of(read) == {("pg://shop:5432/a", "etl/load"), ("etl/load", "snowflake://acme/B")}
    assert {(n.name, n.kind) for n in read.nodes} >= {("etl/load", "pipeline")}


def test_columns_name_inputs_that_the_event_left_out(tmp_path):
    facet = {
        "fields": {
            "total": {"inputFields": [{"namespace": "pg://x", "name": "t", "field": "amount"}]},
            "odd": {"inputFields": "none"},
            "odder": None,
        }
    }
    given = event()
    given["outputs"] = [{"namespace": "s", "name": "o", "facets": {"columnLineage": facet}}]
    path = tmp_path / "e.jsonl"
    path.write_text(lines(given))
    read = OpenLineageFiles(path, "e").read()
    assert pairs_of(read) == {("pg://x/t", "etl/load"), ("etl/load", "s/o")}


def test_bad_lines_are_said_and_the_others_count_and_one_being_written_is_left_alone(tmp_path):
    path = tmp_path / "events.ndjson"
    text = lines(event(inputs=["a"]))
    path.write_text(text + "not json\n" + '{"eventTime": "soon"}\n' + text + text[:40])
    read = OpenLineageFiles(path, "e").read()
    assert len(read.edges) == 1
    assert read.notes == {"events.ndjson: no OpenLineage event in line 2, 3"}


@pytest.mark.parametrize("text", ["not json\n", "[]\n[]\n", "\x00\xff\n"])
def test_a_file_without_any_event_is_refused(tmp_path, text):
    (tmp_path / "e.ndjson").write_text(text)
    with pytest.raises(InputError, match="holds no OpenLineage event"):
        OpenLineageFiles(tmp_path / "e.ndjson", "e").read()


def watched_reads(monkeypatch):
    """How many bytes of which file each look reads."""
    from agentops_graph.adapters import openlineage_files

    seen, real = {}, openlineage_files.unread_of

    def reading(path, before, most):
        unread = real(path, before, most)
        seen[path.name] = len(unread.content)
        return unread

    monkeypatch.setattr(openlineage_files, "unread_of", reading)
    return seen


def test_of_a_folder_only_what_was_added_is_read_again(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(lines(event(name, inputs=["a"])))
    (tmp_path / "notes.txt").write_text("no event")
    origin = OpenLineageFiles(tmp_path, "events")
    first = origin.stamp()
    assert len(origin.read().edges) == 2
    assert origin.stamp() == first
    read = watched_reads(monkeypatch)
    for number in range(3):
        more = lines(event(f"more_{number}", inputs=["a"]))
        with (tmp_path / "two.json").open("a") as file:
            file.write(more)
        assert origin.stamp() != first
        assert len(origin.read().edges) == 3 + number
        assert read == {"two.json": len(more)}


def test_a_line_that_was_being_written_is_read_when_it_is_whole(tmp_path):
    path = tmp_path / "e.ndjson"
    one, two = lines(event("one", inputs=["a"])), lines(event("two", inputs=["a"]))
    origin = OpenLineageFiles(path, "e")
    path.write_text(one + two[:50])
    assert len(origin.read().edges) == 1
    path.write_text(one + two)
    read = origin.read()
    assert (len(read.edges), read.notes) == (2, frozenset())


@pytest.mark.parametrize("longer", [False, True])
def test_a_file_that_was_written_anew_forgets_what_stood_in_it(tmp_path, longer):
    path = tmp_path / "e.ndjson"
    path.write_text(lines(event("old", inputs=["a"])))
    origin = OpenLineageFiles(path, "e")
    origin.read()
    path.write_text(lines(*(event("new", inputs=["b"]) for _ in range(1 + longer))))
    assert pairs_of(origin.read()) == {("pg://shop:5432/b", "etl/new")}


def test_a_file_of_a_folder_that_broke_is_said_and_what_it_told_stands(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(lines(event(name, inputs=["a"])))
    origin = OpenLineageFiles(tmp_path, "events")
    origin.read()
    (tmp_path / "two.json").write_text("garbage\n")
    read = origin.read()
    assert len(read.edges) == 2
    assert read.notes == {"two.json: no OpenLineage event in line 1"}
    (tmp_path / "two.json").write_text(lines(event("mended", inputs=["a"])))
    assert {e.target for e in origin.read().edges} == {"etl/one", "etl/mended"}


def test_of_a_log_that_is_too_long_the_newest_events_are_read(tmp_path, monkeypatch):
    from agentops_graph.adapters import openlineage_files

    sent = [lines(event(f"job_{number:03}", inputs=["a"])) for number in range(100)]
    monkeypatch.setattr(openlineage_files, "MOST_BYTES", 10 * len(sent[0]) + 20)
    (tmp_path / "e.ndjson").write_text("".join(sent))
    read = OpenLineageFiles(tmp_path / "e.ndjson", "e").read()
    assert {e.target for e in read.edges} == {f"etl/job_{n:03}" for n in range(90, 100)}
    assert read.notes == {"e.ndjson: only its newest 0 MiB are read"}


def test_names_that_never_come_again_fill_no_memory(tmp_path, monkeypatch):
    from agentops_graph.adapters import openlineage_files

    monkeypatch.setattr(openlineage_files, "MOST_EDGES", 50)
    path = tmp_path / "e.ndjson"
    path.write_text(lines(*(event(f"job_{number}", inputs=["a"]) for number in range(200))))
    read = OpenLineageFiles(path, "e").read()
    assert len(read.edges) == 50
    assert read.notes == {"e.ndjson: names more than 50 edges; no more are taken"}


def test_a_password_in_a_namespace_and_a_terminal_escape_in_a_name_stay_out(tmp_path):
    given = event()
    given["inputs"] = [
        {"namespace": "postgres://app:hunter2hunter2@db:5432", "name": "shop.orders"},
        {"namespace": "x", "name": "a\x1b[2Jb"},
    ]
    (tmp_path / "e.ndjson").write_text(lines(given))
    read = OpenLineageFiles(tmp_path / "e.ndjson", "e").read()
    assert "hunter2" not in str(read)
    assert len(read.edges) == 1


def test_a_manifest_larger_than_the_limit_is_refused(tmp_path, monkeypatch):
    from agentops_graph.adapters import dbt_lineage

    monkeypatch.setattr(dbt_lineage, "MOST_BYTES", 1000)
    path = write_shop(tmp_path / "manifest.json")
    with pytest.raises(InputError, match="larger than"):
        DbtLineage(path, "m").read()


def test_topology_file_gives_its_chains_and_kinds(tmp_path):
    path = tmp_path / "topology.yaml"
    path.write_text(
        "edges:\n  - orders -> order_features -> fraud-detector\nkinds: {order_features: feature}\n"
    )
    read = YamlLineage(path, "topology.yaml").read()
    assert pairs_of(read) == {("orders", "order_features"), ("order_features", "fraud-detector")}
    assert {(n.name, n.kind) for n in read.nodes} == {
        ("orders", None),
        ("order_features", "feature"),
        ("fraud-detector", None),
    }


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("edges:\n  - orders\n", "must name two things", 2),
        ("edges:\n  - a -> -> b\n", "each name needs", 2),
        ("kinds:\n  a: stream\n", "Input should be", 2),
        ("edges: []\nnodes: []\n", "nodes: unknown", 2),
        ("edges: [\n", "is no YAML here", 2),
        ("- a -> b\n", "valid dictionary", 1),
    ],
)
def test_a_mistake_in_a_topology_file_is_refused_with_its_line(tmp_path, text, said, line):
    path = tmp_path / "topology.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        YamlLineage(path, "topology.yaml").read()
    assert refused.value.field == f"topology.yaml:{line}"


@QUIET
def test_mlflow_gives_the_data_sets_of_the_runs_behind_the_versions(mlflow_store):  # noqa: F811
    from mlflow.data import from_pandas
    from mlflow.entities import DatasetInput

    client = mlflow_store.client()
    client.create_registered_model("fraud-detector")
    rows = pd.DataFrame({"amount": [1.0, 2.0]})
    for name, place in (("customer_features", "s3://lake/ml/features.parquet"), (None, None)):
        run = client.create_run(mlflow_store.experiment("training"))
        held = from_pandas(rows, source=place, name=name) if place else from_pandas(rows)
        client.log_inputs(run.info.run_id, [DatasetInput(held._to_mlflow_entity(), [])])
        client.create_model_version("fraud-detector", "nowhere/1", run.info.run_id)
    client.create_model_version("fraud-detector", "nowhere/3")
    read = MlflowLineage(
        lambda: mlflow_store, ["fraud-detector", "never-registered", "it's"]
    ).read()
    assert ("customer_features", "fraud-detector") in pairs_of(read)
    table = next(n for n in read.nodes if n.name == "customer_features")
    assert table.also == ("s3://lake/ml/features.parquet",)
    assert "dataset" not in names_of(read)
    assert {n.kind for n in read.nodes if n.name == "never-registered"} == {"model"}


@QUIET
def test_mlflow_that_is_down_is_unavailable(tmp_path):
    from agentops_graph.adapters.mlflow_registry import MlflowStore

    store = MlflowStore("http://127.0.0.1:9", tmp_path)
    with pytest.raises(UnavailableError, match="MLflow"):
        MlflowLineage(lambda: store, ["fraud-detector"]).read()


def test_the_manifest_of_these_tests_names_the_schema_that_dbt_does():
    assert SCHEMA.format(12) == "https://schemas.getdbt.com/dbt/manifest/v12.json"
