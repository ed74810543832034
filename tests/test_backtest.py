"""History replayed through the rules: what would have been opened, paged, and come of it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Series
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.errors import InputError, NotFoundError
from agentops_graph.gathering.adjusted import without_part
from agentops_graph.gathering.rows import joined
from agentops_graph.service import Service
from tests.desk import MODEL, NOON, Desk, profile, traffic

HOUR = timedelta(hours=1)
FEED = "orders"
START = NOON - 20 * HOUR


def stretch(first, hours, *, broken=False, seed=1):
    """Of the traffic, from that hour after the start."""
    start = START + first * HOUR
    return traffic(start, hours * 60, version="1", broken=broken, rows_a_minute=10, seed=seed)


def batches(bad_hours=()):
    """A feed's batches every ten minutes over two days; in those hours a third is not valid."""
    times = np.arange((NOON - 48 * HOUR).timestamp(), NOON.timestamp(), 600.0)
    hour = (times - START.timestamp()) // 3600
    bad = np.isin(hour, bad_hours)
    columns = {
        "record_count": np.full(len(times), 100.0),
        "schema_violations": np.where(bad, 33.0, 0.0),
        "null_rate": np.zeros(len(times)),
    }
    return Series(times, columns)


class Past:
    """A desk whose warehouse has a history: the model drifts in the hours given."""

    def __init__(self, home, *, drifts=((8, 3),), bad_hours=(), components=None):
        self.desk = Desk(home)
        healthy = stretch(0, 20, seed=5)
        parts, at = [], 0
        for first, hours in (*drifts, (20, 0)):
            parts += [stretch(at, first - at, seed=at + 10)] if first > at else []
            parts += [stretch(first, hours, broken=True, seed=first)] if hours else []
            at = first + hours
        warehouse = WarehouseInMemory(
            {MODEL: joined(parts)},
            {("data_quality", FEED): batches(bad_hours)},
            references=[profile("1", healthy, 0.93)],
        )
        watched = components or {MODEL: Component(name=MODEL)}
        self.ports = replace(
            self.desk.ports, warehouse=warehouse, history=warehouse, components=watched
        )
        self.service = Service(self.ports)

    def replayed(self, **tried):
        return self.service.backtest(None, START + HOUR, NOON, tried=tried or None)

    def rule(self, found, alert_type="model_drift", component=MODEL):
        (row,) = [r for r in found.rules if (r.component, r.alert_type) == (component, alert_type)]
        return row


@pytest.fixture
def make(tmp_path):
    return lambda **how: Past(tmp_path / "home", **how)


def test_a_drift_that_nobody_noticed_would_have_paged_once_without_an_incident(make):
    past = make()
    found = past.replayed()
    row = past.rule(found)
    assert (row.opened, row.paged, row.unmatched) == (1, 1, 1)
    assert row.crossed >= 3
    assert START + 9 * HOUR <= row.first_at <= START + 10 * HOUR
    assert (found.looks, found.opened, found.paged) == (19, 1, 1)


def test_a_replay_writes_nothing(make):
    past = make()
    before = past.ports.audit.rows()
    past.replayed()
    assert past.ports.log.listed() == []
    assert past.ports.audit.rows() == before


def test_a_real_incident_soon_after_makes_it_a_page_that_earned_its_place(make):
    past = make()
    past.desk.clock.move(-10 * 3600)  # to two hours after the drift began
    incident = past.desk.report()
    past.desk.clock.move(10 * 3600)
    assert past.rule(past.replayed()).unmatched == 0

    past.service.judge(incident, "false_alarm", actor="mia", via="cli")
    row = past.rule(past.replayed())
    assert (row.unmatched, row.judged_false) == (1, 1)


def test_two_drifts_apart_are_two_and_in_the_cool_down_one(make):
    past = make(drifts=((5, 2), (12, 2)))
    assert past.rule(past.replayed()).paged == 2
    row = past.rule(past.replayed(**{"alerting.cool_down_s": "36000"}))
    assert row.paged == 1
    assert row.rested >= 1


def test_a_lower_line_is_tried_without_being_set(make):
    past = make(drifts=())
    assert past.replayed().opened == 0
    lower = past.replayed(**{"thresholds.aggregate_psi": "0.001"})
    assert past.rule(lower).opened >= 1
    assert past.ports.components[MODEL].thresholds.aggregate_psi == 0.3


def test_feed_and_model_are_one_story(make):
    components = {
        MODEL: Component(name=MODEL, feeds=(FEED,)),
        FEED: Component(name=FEED, kind="pipeline"),
    }
    past = make(bad_hours=(8, 9, 10), components=components)
    found = past.replayed()
    feed = past.rule(found, "data_quality", FEED)
    assert (feed.paged, past.rule(found).paged, past.rule(found).joined) == (1, 0, 1)
    alone = Past(
        past.desk.home.parent / "alone",
        bad_hours=(8, 9, 10),
        components={**components, MODEL: Component(name=MODEL)},
    )
    assert alone.replayed().paged == 2


def test_a_silence_keeps_it_quiet_and_one_that_matches_nothing_is_said(make):
    past = make()
    past.desk.clock.move(-13 * 3600)
    past.service.silence(MODEL, hours=5, reason="load test", actor="mia")
    past.service.silence(MODEL, hours=5, reason="x", actor="mia", alert_type="latency")
    past.desk.clock.move(13 * 3600)
    found = past.replayed()
    row = past.rule(found)
    assert row.opened == 0
    assert row.silenced >= 3
    assert [words for words in found.silent if "S-2" in words and "nothing quiet" in words]
    assert not [words for words in found.silent if "S-1" in words]


def test_what_never_had_data_or_could_never_match_is_said(make):
    components = {
        MODEL: Component(name=MODEL, feeds=("nowhere",)),
        "ghost": Component(name="ghost", kind="agent"),
    }
    found = make(components=components).replayed(**{"thresholds.memory_mb": "100"})
    said = "\n".join(found.silent)
    assert "ghost: never had the data to judge anything by" in said
    assert f"{MODEL}: never had the data to judge volume_anomaly" in said
    assert "its feed nowhere is no component here" in said
    assert f"{MODEL}: thresholds.memory_mb plays no part for a model" in said


def test_segments_play_a_part_for_models_only():
    tried = {"discover_segments": "false", "thresholds.segment_min_rows": "80"}
    assert without_part(Component(name=MODEL), tried) == []
    assert without_part(Component(name="orders", kind="pipeline"), tried) == list(tried)


@pytest.mark.parametrize(
    "tried",
    [{"thresholds.agregate_psi": "0.2"}, {"thresholds.aggregate_psi": "-1"}, {"name.x": "1"}],
)
def test_a_setting_that_can_not_be_is_refused(make, tried):
    with pytest.raises(InputError):
        make().replayed(**tried)


def test_an_unknown_component_or_a_time_turned_round_is_refused(make):
    service = make().service
    with pytest.raises(NotFoundError, match=MODEL):
        service.backtest("nobody", START, NOON)
    with pytest.raises(InputError, match="not after"):
        service.backtest(None, NOON, START)
    with pytest.raises(InputError, match="looks"):
        service.backtest(None, START, NOON, every_s=0.001)


def test_an_incident_of_before_the_ledger_counts_by_its_type_and_time(make):
    past = make()
    older = Incident(
        incident_id="INC-2020-1",
        component="unknown to the table",
        alert_type="model_drift",
        severity="critical",
        status="resolved",
        title="t",
        opened_at=START + 11 * HOUR,
        ended_at=START + 12 * HOUR,
    )
    how = Resolution(alert_id="a", resolution_status="resolved")
    past.ports.history.record_incident(older, how, "schema_change")
    assert past.rule(past.replayed()).unmatched == 0
