"""A feed's failure and the drift behind it are one incident because a dbt manifest says so."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.memory import FixedModels, ShelfInMemory
from agentops_graph.bootstrap import Workshop
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Change
from agentops_graph.domain.lineage.drawing import drawn, watched
from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node
from agentops_graph.domain.story import kin_of, upstream_of
from agentops_graph.gathering.gather import gather
from agentops_graph.lineage_ports import FixedLineage
from agentops_graph.monitor import tick
from agentops_graph.settings import read_settings
from tests.contracts.desk import claim
from tests.dbt_project import write_shop

NOW = datetime.now(UTC)
FEATURES = ("amount", "age", "balance")
# Nothing here says that the one feeds the other.
COMPONENTS = """\
components:
  - {name: fraud-detector, tenant: bank}
  - {name: orders, kind: pipeline, tenant: bank}
"""
SOURCES = "lineage:\n  dbt: target/manifest.json\n"


def fill(warehouse, onset):
    """Two good days of both; since the onset the feed's rows are wrong and the model's features
    have moved."""
    rng = np.random.default_rng(7)
    warehouse.write(
        "DATA_QUALITY",
        [
            {
                "timestamp": at,
                "pipeline_name": "orders",
                "null_rate": 0.0,
                "schema_violations": 200 if at >= onset else 0,
                "record_count": 500,
                "status": "ok",
            }
            for at in (NOW - timedelta(minutes=10 * n + 1) for n in range(288))
        ],
    )
    rows = [NOW - timedelta(seconds=2 * n + 1) for n in range(3600)]
    warehouse.write(
        "PREDICTION_LOGS",
        [
            {
                "timestamp": at,
                "prediction_id": f"p{number}",
                "model_name": "fraud-detector",
                "model_version": "1",
                "features": json.dumps(
                    {name: rng.normal(2.0 if at >= onset else 0.0) for name in FEATURES}
                ),
                "prediction": 0.0,
            }
            for number, at in enumerate(rows)
        ],
    )
    columns = {name: rng.normal(size=4000) for name in FEATURES}
    warehouse.save_reference(profile_of("fraud-detector", "1", columns, {}, NOW))


@pytest.fixture
def folder(tmp_path):
    def made(*, components=COMPONENTS, sources=SOURCES):
        home = tmp_path / "home"
        (home / "target").mkdir(parents=True)
        (home / "components.yaml").write_text(components)
        (home / "sources.yaml").write_text(sources)
        write_shop(home / "target" / "manifest.json")
        workshop = Workshop(read_settings({}, home=home, mlflow=False))
        fill(workshop.warehouse, NOW - timedelta(minutes=40))
        return workshop

    return made


def test_a_dbt_manifest_makes_a_feeds_and_a_models_alert_one_incident_of_the_feed(folder):
    ports = folder().ports
    seen = tick(ports)
    told = [(a.alert.affected_component, a.is_new) for a in seen.admissions]
    assert told == [("orders", True), ("fraud-detector", False)]
    (incident,) = ports.log.listed()
    assert incident.component == "orders"
    kinds = {a.alert_type for a in ports.log.alerts(incident.incident_id)}
    assert kinds == {"data_quality", "model_drift"}


def test_without_the_manifest_the_same_rows_are_two_incidents(folder):
    ports = folder(sources="").ports
    tick(ports)
    assert {i.component for i in ports.log.listed()} == {"orders", "fraud-detector"}


def test_another_tenants_feed_is_no_story_of_ones_own(folder):
    ports = folder(components=COMPONENTS.replace("tenant: bank}", "tenant: shop}", 1)).ports
    tick(ports)
    assert len(ports.log.listed()) == 2


def test_beyond_the_hops_that_are_allowed_alerts_stay_apart(folder):
    ports = folder(sources=SOURCES + "  max_hops: 2\n").ports
    tick(ports)
    assert len(ports.log.listed()) == 2


def test_a_replay_of_history_groups_as_the_monitor_does(folder):
    workshop = folder()
    replayed = workshop.service.backtest(
        None, NOW - timedelta(minutes=30), NOW, every_s=1800, only=lambda _: True
    )
    paged = {(r.component, r.alert_type): (r.paged, r.joined) for r in replayed.rules}
    assert paged["orders", "data_quality"][0] == 1
    assert paged["fraud-detector", "model_drift"] == (0, 1)


def test_the_evidence_of_the_model_looks_at_the_feed_and_the_jobs_that_lineage_names(folder):
    sources = SOURCES + "  edges: [nightly_load -> orders]\n"
    ports = replace(
        folder(sources=sources).ports, shelf=ShelfInMemory(), models=FixedModels([], {})
    )
    ports.history.record_change(
        Change(NOW - timedelta(minutes=45), "job_failed", "nightly_load", "no space left")
    )
    admitted = ports.incidents.admit(
        claim("fraud-detector", timestamp=NOW, onset_at=NOW - timedelta(minutes=40)),
        opened_by="test",
        at=NOW,
    )
    incident = ports.incidents.get(admitted.incident_id)
    pieces = {e.kind: e for e in gather(ports, incident, admitted.alert, NOW)}
    quality = pieces["data_quality"]
    assert quality.signals["quality_bad"] == 1.0
    assert "orders (orders -> model.shop.stg_orders -> model.shop.customer_features" in (
        quality.summary
    )
    assert "job_failed of nightly_load" in pieces["changes"].summary
    assert pieces["changes"].signals["change:job_failed"] == 1.0


def told(*chains):
    pairs = {pair for chain in chains for pair in itertools.pairwise(chain)}
    return Fragment(
        frozenset(Node("dbt", name) for pair in pairs for name in pair),
        frozenset(Edge("dbt", a, b) for a, b in pairs),
    )


FEED_AND_MODELS = {
    "feed": Component(name="feed", kind="pipeline"),
    "near": Component(name="near", kind="pipeline"),
    "fraud": Component(name="fraud", feeds=("near",)),
    "churn": Component(name="churn"),
    "bot": Component(name="bot", kind="agent"),
}


def chart_of(*chains, **limits):
    fragment = watched(FEED_AND_MODELS) | told(*chains)
    return drawn(fragment, watched_names=FEED_AND_MODELS, **limits)


def kin(name, chart, **changes):
    found = kin_of(claim(name, **changes), FEED_AND_MODELS, NOW, chart)
    return {(one.component, one.is_upstream) for one in found}


def test_a_chain_of_feed_table_feature_model_and_agent_is_one_family():
    chart = chart_of(("feed", "table", "feature", "fraud", "bot"))
    upstream = {("fraud", True), ("near", True), ("feed", True)}
    assert kin("bot", chart, alert_type="accuracy_drop") == upstream
    assert kin("feed", chart, alert_type="data_quality") == {("fraud", False), ("bot", False)}


def test_configured_feeds_come_first_and_lineage_adds_what_is_further():
    chart = chart_of(("feed", "near"), ("feed", "fraud"))
    assert upstream_of("fraud", FEED_AND_MODELS, chart) == ["near", "feed"]
    assert upstream_of("fraud", FEED_AND_MODELS) == ["near"]


def test_two_models_behind_one_table_are_not_each_others_doing():
    chart = chart_of(("table", "fraud"), ("table", "churn"))
    assert kin("fraud", chart) == {("near", True)}
    assert kin("churn", chart) == set()


def test_a_feed_behind_a_table_that_everything_reads_explains_no_model():
    wide = [("feed", "dim_date", name) for name in ("churn", "t1", "t2", "t3")]
    assert kin("churn", chart_of(*wide, hub_over=3)) == set()
    assert kin("churn", chart_of(*wide, hub_over=4)) == {("feed", True)}


def test_a_circle_in_the_lineage_ends():
    chart = chart_of(("feed", "a", "b", "feed"), ("b", "churn"))
    assert kin("churn", chart) == {("feed", True)}


def test_evidence_reads_a_bounded_number_of_feeds_however_many_lie_upstream(folder):
    from agentops_graph.gathering.case import FEEDS_BY_LINEAGE, Case

    many = {f"f{n}": Component(name=f"f{n}", kind="pipeline") for n in range(40)}
    many |= {"m": Component(name="m", feeds=("own",))}
    chart = drawn(
        watched(many) | told(*((name, "t", "m") for name in many if name != "m")),
        watched_names=many,
    )
    ports = replace(folder().ports, components=many, lineage=FixedLineage(chart))
    admitted = ports.incidents.admit(claim("m"), opened_by="test", at=NOW)
    incident = ports.incidents.get(admitted.incident_id)
    case = Case(ports, incident, admitted.alert, many["m"], NOW)
    assert case.feeds[0] == "own"
    assert len(case.feeds) == 1 + FEEDS_BY_LINEAGE
    assert len(case.subjects) < 20
