"""The demo's world breaks the way the runbook says, and a retrain can mend it."""

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.yaml_components import read_components
from agentops_graph.demo.live import LiveTraffic
from agentops_graph.demo.pipeline import rerun
from agentops_graph.demo.setup import prepare
from agentops_graph.demo.training import figures, fitted, frame
from agentops_graph.demo.world import (
    FEATURES,
    MODEL,
    PIPELINE,
    after_vendor_change,
    transactions,
)
from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.psi import aggregate
from agentops_graph.detection.shift import shift_of
from agentops_graph.domain.action import RerunPipeline
from agentops_graph.jobs.order import WorkOrder
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

pytestmark = QUIET
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def f1(model, batch):
    seen = frame(batch.features)
    return figures(batch.fraud, model.predict(seen), model.predict_proba(seen)[:, 1])["f1"]


@pytest.fixture(scope="module")
def worlds():
    rng = np.random.default_rng(3)
    train, healthy = transactions(20_000, rng), transactions(20_000, rng)
    changed = after_vendor_change(transactions(40_000, rng))
    return train, healthy, changed


def test_vendor_change_moves_two_features_and_no_other(worlds):
    train, _, changed = worlds
    reference = profile_of(MODEL, "1", train.columns(), {}, NOW)
    moved = shift_of(reference, changed.columns(), {}, len(changed)).by_feature
    assert 0.7 < moved["V14"] < 1.0
    assert 0.5 < moved["V17"] < 0.8
    assert max(v for name, v in moved.items() if name not in ("V14", "V17")) < 0.1
    assert aggregate(moved) > 0.3


def test_vendor_change_costs_more_than_a_twentieth_and_a_retrain_brings_it_back(worlds):
    train, healthy, changed = worlds
    model = fitted(train)
    baseline, broken = f1(model, healthy), f1(model, changed)
    assert 0.92 < baseline < 0.94
    assert 0.84 < broken < 0.95 * baseline
    half = len(changed) // 2
    learn, judge = _slice(changed, slice(0, half)), _slice(changed, slice(half, None))
    assert f1(fitted(learn), judge) > baseline - 0.01


def _slice(batch, rows):
    return type(batch)(features=batch.features[rows], fraud=batch.fraud[rows])


def test_the_same_seed_makes_the_same_world():
    one = transactions(50, np.random.default_rng(1))
    same = transactions(50, np.random.default_rng(1))
    assert np.array_equal(one.features, same.features)


@pytest.fixture
def prepared(mlflow_store):  # noqa: F811 - the fixture
    lines = []
    facts = prepare(mlflow_store.home, hours=1.25, say=lines.append)
    return mlflow_store, facts, lines


def test_prepared_folder_holds_everything_the_loop_reads(prepared):
    store, facts, lines = prepared
    warehouse = SqliteWarehouse(facts.home / "warehouse.db")
    hour = warehouse.predictions(MODEL, facts.until - timedelta(hours=1), facts.until)
    assert len(hour) == 60_000
    assert set(hour.features) == set(FEATURES)
    labelled = np.isfinite(hour.label)
    after = hour.timestamps >= facts.fault_at.timestamp()
    assert (labelled & after).sum() > 32_000
    assert not labelled[hour.timestamps > (facts.until - timedelta(minutes=2)).timestamp()].any()
    reference = warehouse.reference(MODEL, None)
    assert reference.metrics["f1"] == facts.baseline["f1"]
    assert aggregate(shift_of(reference, hour.features, {}, len(hour)).by_feature) > 0.3
    (change,) = warehouse.changes([PIPELINE], facts.began_at, facts.until)
    assert change.kind == "schema_change"
    assert timedelta(0) < facts.fault_at - change.at < timedelta(minutes=10)
    batches = warehouse.series("data_quality", PIPELINE, facts.began_at, facts.until)
    assert batches.columns["record_count"].sum() == facts.predictions == 75_000
    assert len(warehouse.series("model_metrics", MODEL, facts.began_at, facts.until)) == len(
        batches
    )
    assert store.client().get_model_version_by_alias(MODEL, "production").version == 1
    components = read_components(facts.home / "components.yaml")
    assert components[MODEL].feeds == (PIPELINE,)
    assert components[MODEL].entry_points["retrain_model"].endswith("retraining:retrain")
    assert len(lines) >= 4


def test_live_traffic_follows_the_production_alias(prepared):
    store, facts, _ = prepared
    times = iter([facts.until + timedelta(seconds=s) for s in (0, 2, 2, 4, 60)])
    warehouse = SqliteWarehouse(facts.home / "warehouse.db")
    live = LiveTraffic(store, warehouse, rows_per_second=50, clock=lambda: next(times))
    assert live.tick() == 100
    assert live.tick() == 0  # no time has passed
    client = store.client()
    first = client.get_model_version(MODEL, "1")
    client.create_model_version(MODEL, first.source, first.run_id, model_id=first.model_id)
    client.set_registered_model_alias(MODEL, "production", "2")
    assert live.tick() == 100
    assert live.version == "2"
    assert live.tick() == 250  # of a minute's pause, five seconds are made up
    rows = warehouse.predictions(MODEL, facts.until, facts.until + timedelta(minutes=5))
    assert rows.version == ["1"] * 100 + ["2"] * 350
    assert np.isfinite(rows.label).all()
    assert len(set(rows.ids)) == 450


def test_live_traffic_stops_when_told(prepared):
    store, facts, _ = prepared
    live = LiveTraffic(store, SqliteWarehouse(facts.home / "warehouse.db"))
    stop = threading.Event()
    stop.set()
    live.run(stop)
    assert live.version is None


def test_the_vendors_switch_is_announced_once(mlflow_store):  # noqa: F811 - the fixture
    warehouse = SqliteWarehouse(mlflow_store.home / "warehouse.db")
    live = LiveTraffic(mlflow_store, warehouse, changed=False, clock=lambda: NOW)
    live.change_feed()
    live.change_feed()
    assert len(warehouse.changes([PIPELINE], NOW, NOW + timedelta(seconds=1))) == 1


def test_a_rerun_measures_the_window_and_writes_no_prediction_twice(prepared):
    store, facts, _ = prepared
    warehouse = SqliteWarehouse(facts.home / "warehouse.db")
    reports = []
    order = WorkOrder(
        key="apr-1:do",
        action=RerunPipeline(
            pipeline=PIPELINE, window_from=facts.began_at, window_until=facts.until
        ),
        incident_id="inc-1",
        component=read_components(facts.home / "components.yaml")[PIPELINE],
        warehouse=warehouse,
        history=warehouse,
        home=facts.home,
        tracking_uri=store.uri,
        report=lambda share, text: reports.append(share),
    )
    result = rerun(order)
    assert result.details["rows"] == facts.predictions
    assert result.details["schema_violations"] == 0
    assert reports == sorted(reports)
    again = warehouse.predictions(MODEL, facts.began_at, facts.until)
    assert len(again) == facts.predictions
