"""The series around a component say who moved first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions, Series
from agentops_graph.domain.incident import Incident
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.case import Case
from agentops_graph.gathering.even_series import evened
from agentops_graph.gathering.root_cause_evidence import SUBJECTS, root_cause_ranking
from tests.gathering.fraud_world import NOW

ONSET = NOW - timedelta(hours=1)
MINUTES = 24 * 60 + 60


class KeptSeries:
    """A warehouse that holds metric series only; it counts what is read."""

    def __init__(self, **series):
        self.series_of, self.asked = series, []

    def series(self, table, subject, since, until):
        self.asked.append((table, subject))
        read = self.series_of.get(subject.replace("-", "_"), {})
        times = until.timestamp() - 60.0 * np.arange(MINUTES, 0, -1)
        inside = times >= since.timestamp()
        return Series(times[inside], {name: values[inside] for name, values in read.items()})


def steady(level, *, seed, risen_by=0.0, lag_min=0):
    values = np.random.default_rng(seed).normal(level, level / 20, MINUTES)
    values[MINUTES - 60 + lag_min :] += risen_by
    return values


def case_of(warehouse, *components, own="ranker"):
    known = {component.name: component for component in components}
    claim = AlertClaim(
        severity="critical",
        alert_type="latency",
        affected_component=own,
        summary="latency p95 over its limit",
        timestamp=NOW,
        onset_at=ONSET,
    )
    alert = claim.with_id("alert_2026-02-28_001")
    incident = Incident(
        incident_id="inc-1",
        component=own,
        alert_type="latency",
        severity="critical",
        status="investigating",
        title="Latency",
        opened_at=NOW,
        summary=claim.summary,
    )
    ports = SimpleNamespace(warehouse=warehouse, components=known)
    return Case(ports, incident, alert, known[own], NOW)


RANKER = Component(name="ranker", kind="agent", feeds=("orders",))
ORDERS = Component(name="orders", kind="pipeline", feeds=("raw-orders",))
RAW = Component(name="raw-orders", kind="pipeline")


def test_a_feeds_feed_that_moved_first_is_named_with_its_time():
    warehouse = KeptSeries(
        ranker={"latency_p95": steady(200, seed=1, risen_by=300, lag_min=20)},
        orders={"record_count": steady(1000, seed=2)},
        raw_orders={"null_rate": steady(0.01, seed=3, risen_by=0.4)},
    )
    observed = root_cause_ranking(case_of(warehouse, RANKER, ORDERS, RAW))
    assert observed.signals == {"upstream_moved_first": 1.0, "moved_first_here": -1.0}
    assert observed.values["1.what"] == "raw-orders.null_rate"
    assert observed.values["1.began_at"] == pytest.approx(ONSET.timestamp(), abs=120)
    assert observed.values["2.what"] == "ranker.latency_p95"
    assert observed.values["moved"] == 2
    assert observed.summary.startswith("raw-orders: null_rate rose from 0.0")
    assert ", from 13:0" in observed.summary


def test_a_component_that_moved_alone_moved_first():
    warehouse = KeptSeries(
        ranker={"latency_p95": steady(200, seed=1, risen_by=300)},
        orders={"record_count": steady(1000, seed=2)},
    )
    observed = root_cause_ranking(case_of(warehouse, RANKER, ORDERS))
    assert observed.signals == {"upstream_moved_first": -1.0, "moved_first_here": 1.0}


def test_quiet_series_are_looked_for_and_absent():
    warehouse = KeptSeries(
        ranker={"latency_p95": steady(200, seed=1)}, orders={"record_count": steady(1000, seed=2)}
    )
    observed = root_cause_ranking(case_of(warehouse, RANKER, ORDERS))
    assert not observed.found
    assert observed.signals == {}
    assert observed.summary == "none of 2 series left its usual range around the onset"


def test_one_components_series_compare_with_nothing():
    warehouse = KeptSeries(ranker={"latency_p95": steady(200, seed=1, risen_by=300)})
    observed = root_cause_ranking(case_of(warehouse, RANKER))
    assert not observed.found
    assert observed.signals == {}
    assert "fewer than two components" in observed.summary


def test_a_table_that_is_not_kept_leaves_the_others_to_compare():
    class NoAgents(KeptSeries):
        def series(self, table, subject, since, until):
            if table == "agent_metrics":
                raise NotEnoughDataError("there is no table AGENT_METRICS")
            return super().series(table, subject, since, until)

    warehouse = NoAgents(
        orders={"record_count": steady(1000, seed=2)},
        raw_orders={"null_rate": steady(0.01, seed=3, risen_by=0.4)},
    )
    observed = root_cause_ranking(case_of(warehouse, RANKER, ORDERS, RAW))
    assert observed.signals == {"upstream_moved_first": 1.0}


def test_only_the_thirty_nearest_are_read():
    tenant = [
        Component(name=f"agent-{number}", kind="agent", tenant="shop") for number in range(60)
    ]
    own = Component(name="ranker", kind="agent", tenant="shop", feeds=("orders",))
    strange = Component(name="strange", kind="agent", tenant="other")
    warehouse = KeptSeries()
    root_cause_ranking(case_of(warehouse, own, ORDERS, strange, *tenant))
    assert len(warehouse.asked) == SUBJECTS
    assert warehouse.asked[:3] == [
        ("agent_metrics", "ranker"),
        ("data_quality", "orders"),
        ("data_quality", "raw-orders"),
    ]
    assert ("agent_metrics", "strange") not in warehouse.asked


def test_feeds_in_a_circle_end():
    circle = Component(name="orders", kind="pipeline", feeds=("ranker", "orders"))
    warehouse = KeptSeries()
    assert not root_cause_ranking(case_of(warehouse, RANKER, circle)).found


class DemoShape:
    """Three hours in batches of 5,000 each five minutes, then live ones of 45 each second; the
    feed's V14 has another unit since the onset, 55 minutes before the live ones began."""

    def __init__(self, live_s=20, changed=True):
        self.live = NOW.timestamp() - live_s
        self.fault = self.live - 55 * 60 if changed else np.inf
        past = self.live - 300.0 * np.arange(36, 0, -1)
        self.times = np.append(past, self.live + np.arange(live_s))
        self.rows = np.where(self.times < self.live, 5000, 45)
        self.dice = np.random.default_rng(8)

    def series(self, table, subject, since, until):
        if subject == "transactions":
            nothing = np.zeros(len(self.times))
            return Series(self.times, {"record_count": 1.0 * self.rows, "null_rate": nothing})
        frauds = self.rows * 0.14
        hits = self.dice.binomial(frauds.astype(int), 0.924) / frauds.astype(int)
        share = np.where(self.times >= self.fault, 0.8, 0.935)
        precision = self.dice.binomial(frauds.astype(int), share) / frauds.astype(int)
        return Series(self.times, {"recall": hits, "precision": precision})

    def predictions(self, model, since, until):
        times = np.arange(since.timestamp(), self.live, 0.25)
        frauds = self.dice.random(len(times)) < 0.14
        v14 = self.dice.normal(0, 1, len(times)) - 1.9 * frauds
        v14 = np.where(times >= self.fault, 1.5 * v14 - 1.4, v14)
        return Predictions(
            ids=[""] * len(times),
            timestamps=times,
            features={"V14": v14, "V1": self.dice.normal(0, 1, len(times))},
            prediction=frauds.astype(np.float64),
            confidence=np.ones(len(times)),
            label=frauds.astype(np.float64),
            latency_ms=self.dice.gamma(4, 4, len(times)),
            version=["1"] * len(times),
        )


DETECTOR = Component(name="detector", kind="model", feeds=("transactions",))
FEED = Component(name="transactions", kind="pipeline")


@pytest.mark.parametrize("live_s", [3, 20, 90, 240])
def test_a_change_of_batch_size_long_after_the_onset_is_neither_a_fall_nor_first(live_s):
    world = DemoShape(live_s)
    case = case_of(world, DETECTOR, FEED, own="detector")
    onset = datetime.fromtimestamp(world.fault, UTC)
    case = replace(case, alert=case.alert.model_copy(update={"onset_at": onset}))
    observed = root_cause_ranking(case)
    assert observed.values["1.what"] == "transactions.V14 delivered"
    assert observed.values["1.began_at"] == pytest.approx(world.fault, abs=60)
    assert "record_count fell" not in observed.summary
    assert "recall" not in observed.summary
    assert observed.values["2.what"] == "detector.precision"
    assert observed.values["2.began_at"] == pytest.approx(world.fault, abs=1)
    assert observed.signals == {"upstream_moved_first": 1.0, "moved_first_here": -1.0}


@pytest.mark.parametrize("live_s", [3, 20, 90, 240])
def test_without_a_fault_a_change_of_batch_size_moves_nothing_near_the_onset(live_s):
    observed = root_cause_ranking(case_of(DemoShape(live_s, False), DETECTOR, FEED, own="detector"))
    assert not observed.found
    assert observed.signals == {}
    assert "fell" not in observed.summary


def test_a_move_that_began_hours_after_the_onset_is_told_apart_and_speaks_for_nobody():
    warehouse = KeptSeries(
        ranker={"latency_p95": steady(200, seed=1, risen_by=300, lag_min=45)},
        orders={"null_rate": steady(0.01, seed=2)},
    )
    observed = root_cause_ranking(case_of(warehouse, RANKER, ORDERS))
    assert not observed.found
    assert observed.signals == {}
    assert "at other times, so not the cause: ranker: latency_p95 rose" in observed.summary


def test_moves_within_a_minute_of_each_other_leave_open_who_was_first():
    warehouse = KeptSeries(
        ranker={"latency_p95": steady(200, seed=1, risen_by=300)},
        orders={"null_rate": steady(0.01, seed=2, risen_by=0.4)},
    )
    observed = root_cause_ranking(case_of(warehouse, RANKER, ORDERS))
    assert observed.values["moved"] == 2
    assert observed.signals == {}


def test_a_feed_that_delivers_half_as_often_delivers_half_as_much():
    until, onset = NOW.timestamp(), ONSET.timestamp()
    times = np.append(np.arange(until - 86400, onset, 300), np.arange(onset, until, 600))
    rows = evened("record_count", times, np.full(len(times), 100.0), onset, until)
    before, after = rows[1][rows[0] < onset], rows[1][rows[0] >= onset]
    assert before == pytest.approx(1200)
    assert after == pytest.approx(600)


def test_a_metric_known_only_once_after_the_onset_is_left_out():
    until, onset = NOW.timestamp(), ONSET.timestamp()
    times = np.append(np.arange(until - 86400, onset, 300), onset + 60)
    assert evened("f1", times, np.ones(len(times)), onset, until) is None
