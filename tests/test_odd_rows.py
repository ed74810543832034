"""Rows that nobody foresaw cost their component its look, and no other component anything."""

from dataclasses import replace

import numpy as np
import pytest

from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Series
from agentops_graph.monitor import tick
from tests.desk import MODEL, NOON, Desk

ODD = "odd"


class Beside(Desk):
    """The model drifts; the series of a feed beside it lacks what every feed has."""

    def open(self):
        super().open()
        times = NOON.timestamp() - 60.0 * np.arange(50, 0, -1)
        self.warehouse._series[("data_quality", ODD)] = Series(times, {"record_count": times})
        feed = Component(name=ODD, kind="pipeline")
        # Looked at first, so that what comes after it is what could be lost.
        self.ports = replace(self.ports, components={ODD: feed, **self.ports.components})


@pytest.fixture
def desk(tmp_path):
    return Beside(tmp_path / "home")


def test_what_can_not_be_computed_is_said_and_the_others_are_still_told(desk, caplog):
    seen = tick(desk.ports)
    assert [a.alert.affected_component for a in seen.admissions] == [MODEL]
    assert ODD in seen.unjudged
    assert "the log tells where" in seen.notes[ODD][0]
    assert f"{ODD} can't be measured" in caplog.text
