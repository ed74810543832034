"""An alert begins at its line and ends under its clear level."""

from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.memory.warehouse import WarehouseInMemory
from agentops_graph.domain.alerting import Alerting
from agentops_graph.domain.component import Component, Thresholds
from agentops_graph.domain.frames import Series
from agentops_graph.gathering.hysteresis import FROM_ONE, FROM_ZERO, eased, held_now
from tests.desk import NOON

AGENT = Component(name="helper", kind="agent")


def warehouse(memory_mb, points=30):
    times = NOON.timestamp() - 60.0 * np.arange(points, 0, -1)
    columns = {
        name: np.full(points, value)
        for name, value in {
            "latency_p95": 200.0,
            "error_rate": 0.0,
            "cost_per_request": 0.001,
            "memory_mb": memory_mb,
            "session_minutes": 1.0,
            "policy_false_positive_rate": 0.0,
            "requests": 100.0,
            "tokens_per_request": np.nan,
            "total_cost": 0.1,
        }.items()
    }
    return WarehouseInMemory({}, {("agent_metrics", "helper"): Series(times, columns)})


@pytest.mark.parametrize(
    ("memory_mb", "state"),
    [(2100.0, "holds"), (2000.0, "lingers"), (1700.0, "lingers"), (1600.0, "over")],
)
def test_an_alert_lingers_between_its_clear_level_and_its_line(memory_mb, state):
    assert held_now(warehouse(memory_mb), AGENT, "memory_bloat", NOON).state == state


def test_the_clear_level_is_the_components_own():
    at_the_line = AGENT.model_copy(update={"alerting": Alerting(clear_at=1)})
    assert held_now(warehouse(2000.0), at_the_line, "memory_bloat", NOON).state == "over"


def test_what_can_not_be_measured_neither_holds_nor_is_over():
    later = NOON + timedelta(hours=5)
    assert held_now(warehouse(2000.0), AGENT, "memory_bloat", later).state == "unmeasured"


def test_every_line_is_eased_towards_what_is_well():
    plain, closer = Thresholds(), eased(AGENT).thresholds
    assert closer.aggregate_psi == pytest.approx(0.24)
    assert closer.volume_low == pytest.approx(0.6)
    assert closer.volume_high == pytest.approx(1.8)
    changed = {n for n in Thresholds.model_fields if getattr(plain, n) != getattr(closer, n)}
    assert changed == {*FROM_ZERO, *FROM_ONE}
    assert Thresholds.model_validate(closer.model_dump()) == closer
