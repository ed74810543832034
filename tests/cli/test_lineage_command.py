"""`agentops lineage` and what the doctor says of it."""

import json

import pytest

from agentops_graph.bootstrap import Workshop
from agentops_graph.doctor import examine
from agentops_graph.settings import read_settings
from tests.dbt_project import write_shop

COMPONENTS = """\
components:
  - {name: fraud-detector}
  - {name: orders, kind: pipeline}
  - {name: lonely}
"""
SOURCES = """\
lineage:
  dbt: manifest.json
  edges: [fraud-detector -> support-bot, support-bot -> fraud-detector]
  kinds: {support-bot: agent}
"""


@pytest.fixture
def fed(desk):
    (desk.home / "components.yaml").write_text(COMPONENTS)
    (desk.home / "sources.yaml").write_text(SOURCES)
    write_shop(desk.home / "manifest.json")
    return desk


def checks(desk):
    settings = read_settings(home=desk.home)
    return {c.name: c for c in examine(settings, lambda: Workshop(settings).ports)}


def test_a_component_is_shown_with_both_trees_and_who_says_so(fed):
    shown = fed.run("lineage", "fraud-detector").stdout.splitlines()
    assert shown[0] == "fraud-detector (model)"
    assert "also exposure.shop.fraud_detector" in shown[1]
    assert "    model.shop.customer_features (table; dbt manifest.json)" in shown
    assert "        orders (pipeline; dbt manifest.json)" in shown
    assert "    support-bot (agent; sources.yaml)" in shown


def test_json_has_the_way_the_hops_and_the_origins(fed):
    document = fed.read("lineage", "orders")
    (model,) = [one for one in document["downstream"] if one["name"] == "fraud-detector"]
    assert model["hops"] == 3
    assert model["watched"] is True
    assert model["way"][0] == "orders"
    assert model["origins"] == ["dbt manifest.json"]


def test_the_whole_map_says_what_is_unclear_and_what_goes_in_a_circle(fed):
    again = "  aliases: {lonely: model.shop.gone}\n"
    (fed.home / "sources.yaml").write_text(SOURCES + again)
    document = fed.read("lineage")
    assert [one["name"] for one in document["components"]] == ["fraud-detector", "lonely", "orders"]
    assert document["unclear"] == [
        "aliases: nothing is called model.shop.gone, which is to be lonely"
    ]
    assert document["cycles"] == [["fraud-detector", "support-bot", "fraud-detector"]]
    said = fed.run("lineage").stdout
    assert "nothing is known to be upstream or downstream of it" in said
    assert "in a circle: fraud-detector -> support-bot -> fraud-detector" in said
    assert "unclear: aliases" in said


def test_a_name_that_is_not_there_is_refused_with_those_near_it(fed):
    refused = fed.run("lineage", "custmer_features")
    assert refused.exit_code != 0
    assert "model.shop.customer_features" in refused.stderr


def test_a_table_is_found_by_the_end_of_its_name(fed):
    assert fed.read("lineage", "stg_orders")["name"] == "model.shop.stg_orders"


def test_a_name_in_a_manifest_can_not_drive_the_terminal(fed):
    manifest = json.loads((fed.home / "manifest.json").read_text())
    manifest["nodes"]["model.shop.evil\x1b[2J"] = manifest["nodes"]["model.shop.stg_orders"]
    manifest["child_map"]["source.shop.raw.orders"].append("model.shop.evil\x1b[2J")
    (fed.home / "manifest.json").write_text(json.dumps(manifest))
    result = fed.run("lineage")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout


def test_the_doctor_says_off_where_nothing_is_declared(desk):
    check = checks(desk)["lineage"]
    assert check.state == "ok"
    assert check.seen.startswith("off: sources.yaml has no section")


def test_the_doctor_shows_each_origin_and_what_has_no_place(fed):
    found = checks(fed)
    assert found["lineage"].state == "ok"
    assert "without any: lonely" in found["lineage"].seen
    assert "1 cycles" in found["lineage"].seen
    assert found["lineage of dbt manifest.json"].seen == "4 things, 3 edges"
    assert found["lineage of events over HTTP"].seen == "0 things, 0 edges"


def test_the_doctor_says_what_is_broken_and_what_is_unclear(fed):
    (fed.home / "manifest.json").write_text("{")
    (fed.home / "sources.yaml").write_text(SOURCES + "  aliases: {lonely: gone}\n")
    found = checks(fed)
    assert found["lineage of dbt manifest.json"].state == "degraded"
    assert "is not JSON" in found["lineage of dbt manifest.json"].seen
    assert found["lineage"].state == "degraded"
    assert "nothing is called gone" in found["lineage"].seen
