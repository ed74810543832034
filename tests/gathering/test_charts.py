"""The chart of an alert shows the metric before and after, at most sixty points of it."""

from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Series
from agentops_graph.errors import UnavailableError
from agentops_graph.gathering.charts import with_charts
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.rows import picked
from tests.desk import MODEL, NOON, joined, profile, traffic

HOUR = timedelta(hours=1)


def drifted():
    healthy = traffic(NOON - 3 * HOUR, 140, version="1", broken=False)
    broken = traffic(NOON - timedelta(minutes=40), 40, version="1", broken=True, seed=2)
    return WarehouseInMemory(
        {MODEL: joined(healthy, broken)}, references=[profile("1", healthy, 0.93)]
    )


def charts_of(warehouse, component):
    (claim,) = measure(warehouse, component, NOON).grouped()
    charted = with_charts(warehouse, component, claim)
    return {f.metric: f.chart for f in charted.findings}


def test_a_drift_is_drawn_with_its_line_its_onset_and_what_was_before():
    charts = charts_of(drifted(), Component(name=MODEL))
    chart = charts["drift_score"]
    ends_at = chart.begins_at + len(chart.values) * timedelta(seconds=chart.every_s)
    assert chart.begins_at == NOON - 3 * HOUR
    assert abs(ends_at - NOON) < timedelta(seconds=1)
    assert 20 <= len(chart.values) <= 60
    assert chart.threshold == 0.3
    assert abs(chart.onset_at - (NOON - timedelta(minutes=40))) < timedelta(minutes=5)
    part = len(chart.values) * 7 // 9
    assert max(chart.values[: part - 1]) < 0.3 < min(chart.values[part + 1 :])
    f1 = charts["current_f1"]
    assert f1.values[0] > 0.9 > f1.values[-1]


def test_a_quiet_minute_is_a_gap_and_not_a_zero():
    rows = drifted()
    held = rows.predictions(MODEL, NOON - 3 * HOUR, NOON)
    keep = (held.timestamps < (NOON - 2.5 * HOUR).timestamp()) | (
        held.timestamps > (NOON - HOUR).timestamp()
    )
    rows.give(MODEL, picked(held, keep))
    chart = charts_of(rows, Component(name=MODEL))["drift_score"]
    assert None in chart.values


def feed(violations_lately=0.0, records_lately=100.0):
    times = np.arange((NOON - 30 * HOUR).timestamp(), NOON.timestamp(), 600.0)
    lately = times >= (NOON - HOUR).timestamp()
    columns = {
        "record_count": np.where(lately, records_lately, 100.0),
        "schema_violations": np.where(lately, violations_lately, 0.0),
        "null_rate": np.zeros(len(times)),
    }
    return WarehouseInMemory({}, {("data_quality", "orders"): Series(times, columns)})


FEED = Component(name="orders", kind="pipeline")


def test_a_feeds_violations_are_drawn_over_a_day():
    chart = charts_of(feed(violations_lately=30.0), FEED)["quality_violations"]
    assert len(chart.values) == 60
    assert chart.values[0] == 0
    assert chart.values[-1] == pytest.approx(0.3)


@pytest.mark.parametrize(("records", "last"), [(20.0, 0.2), (0.0, 0.0)])
def test_a_volume_is_drawn_against_what_is_usual(records, last):
    chart = charts_of(feed(records_lately=records), FEED)["volume_ratio"]
    assert chart.every_s == 3600
    assert chart.values[0] == pytest.approx(1.0, abs=0.05)
    assert chart.values[-1] == pytest.approx(last, abs=0.01)


class Dead(WarehouseInMemory):
    """Does not answer any more."""

    def predictions(self, *args, **more):
        raise UnavailableError("the warehouse is away")


def test_a_warehouse_that_went_away_costs_the_chart_and_not_the_alert():
    component = Component(name=MODEL)
    (claim,) = measure(drifted(), component, NOON).grouped()
    assert with_charts(Dead({}), component, claim) == claim


class Counted(WarehouseInMemory):
    """Counts the rows that were read."""

    rows_read = 0

    def predictions(self, *args, **more):
        found = super().predictions(*args, **more)
        self.rows_read += len(found)
        return found


def test_a_busy_model_is_drawn_from_a_part_of_its_rows():
    rate = 800
    healthy = traffic(NOON - 3 * HOUR, 140, version="1", broken=False, rows_a_minute=rate)
    broken = traffic(NOON - timedelta(minutes=40), 40, version="1", broken=True, rows_a_minute=rate)
    warehouse = Counted({MODEL: joined(healthy, broken)}, references=[profile("1", healthy, 0.93)])
    component = Component(name=MODEL)
    (claim,) = measure(warehouse, component, NOON).grouped()
    warehouse.rows_read = 0
    charts = [f.chart for f in with_charts(warehouse, component, claim).findings]
    assert warehouse.rows_read < 35_000 < 180 * rate
    assert [len(chart.values) for chart in charts] == [60] * len(charts)
    assert max(charts[0].values[:45]) < 0.3 < min(charts[0].values[48:])
