"""A warehouse of which other systems keep a part: whose column counts, and what is absent."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.joined_warehouse import JoinedWarehouse
from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.adapters.memory.warehouse import NO_CALLS
from agentops_graph.adapters.sqlite_warehouse import TABLES, SqliteWarehouse
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Series
from agentops_graph.domain.sources.measures import COLUMNS
from agentops_graph.errors import NotEnoughDataError, UnavailableError
from agentops_graph.gathering.judged import may_be_called_healthy
from agentops_graph.gathering.measure import measure

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
START = NOW - timedelta(hours=1)
NAN = float("nan")


class Held:
    """Implements `SeriesSource` over columns it was given; None is a source that is down."""

    def __init__(self, subject, table="agent_metrics", times=None, **columns):
        self.subject, self.table, self.names = subject, table, frozenset(columns)
        self.times = minutes(*range(60)) if times is None else times
        self.values = columns

    def columns(self, table, subject):
        return self.names if (table, subject) == (self.table, self.subject) else frozenset()

    def asked_for(self, subject):
        return "prometheus main"

    def series(self, table, subject, since, until):
        if any(values is None for values in self.values.values()):
            raise UnavailableError("the source is down")
        inside = (self.times >= since.timestamp()) & (self.times < until.timestamp())
        columns = {n: np.broadcast_to(v, self.times.shape) for n, v in self.values.items()}
        return Series(self.times[inside], {n: v[inside] for n, v in columns.items()})


class Callers:
    """Implements `CallSource` for one agent."""

    def knows(self, agent):
        return agent == "bot"

    def asked_for(self, agent):
        return "mlflow"

    def calls(self, agent, since, until):
        return NO_CALLS

    def exchanges(self, agent, since, until, ids):
        return {}


def minutes(*numbers):
    return np.array([START.timestamp() + 60.0 * number for number in numbers])


def own(times, **columns):
    return WarehouseInMemory({}, {("agent_metrics", "bot"): Series(times, columns)})


def read(warehouse, table="agent_metrics", subject="bot"):
    return warehouse.series(table, subject, START, NOW)


def shown(values):
    return [None if np.isnan(value) else float(value) for value in values]


def test_columns_that_sources_may_give_are_those_of_the_tables():
    for table, known in COLUMNS.items():
        held = TABLES[table.upper()]
        assert list(known) == [name for name, kind in held.items() if kind in (int, float)]


def test_without_a_source_for_it_a_component_is_read_as_ever():
    base = own(minutes(1, 2), error_rate=np.array([0.1, 0.2]))
    joined = JoinedWarehouse(base, [Held("other", error_rate=0.9)])
    assert shown(read(joined).columns["error_rate"]) == [0.1, 0.2]


def test_a_sources_column_replaces_the_warehouses_and_the_others_stay():
    base = own(minutes(1, 3), error_rate=np.array([0.5, 0.5]), memory_mb=np.array([10.0, 30.0]))
    source = Held("bot", times=minutes(1, 2, 4), error_rate=np.array([0.1, 0.2, 0.4]))
    found = read(JoinedWarehouse(base, [source]))
    assert found.timestamps.tolist() == minutes(1, 1, 2, 3, 4).tolist()
    assert shown(found.columns["error_rate"]) == [None, 0.1, 0.2, None, 0.4]
    assert shown(found.columns["memory_mb"]) == [10.0, None, None, 30.0, None]


def test_columns_that_nobody_gives_are_absent_and_not_zero():
    found = read(JoinedWarehouse(WarehouseInMemory({}), [Held("bot", error_rate=0.1)]))
    assert set(COLUMNS["agent_metrics"]) == set(found.columns)
    assert np.isnan(found.columns["cost_per_request"]).all()


def test_rows_from_before_the_source_was_there_stand():
    base = own(minutes(1, 2, 5), error_rate=np.array([0.1, 0.2, 0.5]))
    source = Held("bot", times=minutes(4, 6), error_rate=np.array([0.9, 0.9]))
    found = read(JoinedWarehouse(base, [source]))
    assert shown(found.columns["error_rate"]) == [0.1, 0.2, 0.9, 0.9]
    nothing = Held("bot", times=minutes(), error_rate=np.empty(0))
    assert shown(read(JoinedWarehouse(base, [nothing])).columns["error_rate"]) == [0.1, 0.2, 0.5]


def test_a_batch_is_never_put_together_from_two_systems():
    base = WarehouseInMemory(
        {},
        {
            ("data_quality", "feed"): Series(
                minutes(1, 20),
                {n: np.array([900.0, 900.0]) for n in COLUMNS["data_quality"]},
            )
        },
    )
    source = Held("feed", "data_quality", minutes(10, 20, 30), record_count=1000.0)
    found = read(JoinedWarehouse(base, [source]), "data_quality", "feed")
    assert shown(found.columns["record_count"]) == [900.0, 1000.0, 1000.0, 1000.0]
    assert shown(found.columns["schema_violations"]) == [900.0, None, None, None]


def test_two_sources_of_one_component_stand_side_by_side():
    sources = [
        Held("bot", times=minutes(1, 2), error_rate=0.1),
        Held("bot", times=minutes(2, 3), memory_mb=5.0),
    ]
    found = read(JoinedWarehouse(WarehouseInMemory({}), sources))
    assert shown(found.columns["error_rate"]) == [0.1, 0.1, None]
    assert shown(found.columns["memory_mb"]) == [None, 5.0, 5.0]


def test_a_source_that_is_down_costs_its_components_their_look_and_no_other():
    base = WarehouseInMemory(
        {}, {("agent_metrics", "well"): Series(minutes(1), {"error_rate": np.array([0.0])})}
    )
    joined = JoinedWarehouse(base, [Held("bot", error_rate=None)])
    with pytest.raises(UnavailableError, match="down"):
        read(joined)
    with pytest.raises(UnavailableError):
        measure(joined, Component(name="bot", kind="agent"), NOW)
    assert len(read(joined, subject="well")) == 1


def test_an_agent_that_is_read_elsewhere_needs_no_table(tmp_path):
    joined = JoinedWarehouse(SqliteWarehouse(tmp_path / "none.db"), [], [Callers()])
    agent = Component(name="bot", kind="agent")
    seen = measure(joined, agent, NOW)
    assert seen.notes == ["no agent metrics in the window"]
    assert not may_be_called_healthy(agent, seen)
    with pytest.raises(NotEnoughDataError):
        measure(joined, Component(name="other", kind="agent"), NOW)


def test_a_model_without_a_log_is_judged_on_what_a_source_gives(tmp_path):
    slow = np.where(np.arange(60) < 20, 300.0, 2500.0)
    f1 = np.full(60, 0.9)
    source = Held("fraud", "model_metrics", latency_p99=slow, f1=f1)
    joined = JoinedWarehouse(SqliteWarehouse(tmp_path / "none.db"), [source])
    seen = measure(joined, Component(name="fraud"), NOW)
    assert seen.readings["f1"] == 0.9
    (finding,) = seen.findings
    assert (finding.alert_type, finding.metric, finding.value) == ("latency", "latency_p99", 2500.0)
    assert abs((finding.onset_at - START).total_seconds() - 1200) <= 120
    assert joined.latest("fraud") is None


def test_one_slow_minute_of_a_logged_p99_is_no_alert(tmp_path):
    source = Held("fraud", "model_metrics", minutes(10, 20), latency_p99=9000.0)
    joined = JoinedWarehouse(SqliteWarehouse(tmp_path / "none.db"), [source])
    assert measure(joined, Component(name="fraud"), NOW).findings == []


def test_errors_and_latency_of_a_source_raise_an_agents_findings(tmp_path):
    source = Held("bot", latency_p95=3000.0, error_rate=0.3, requests=100.0)
    joined = JoinedWarehouse(SqliteWarehouse(tmp_path / "none.db"), [source])
    seen = measure(joined, Component(name="bot", kind="agent"), NOW)
    assert {f.alert_type for f in seen.findings} == {"latency", "provider_outage"}
