"""From when on a component is measured after its incident was resolved."""

from datetime import timedelta

import pytest

from agentops_graph.domain.component import Component
from agentops_graph.gathering.recent import ReadOnce, settled_at
from tests.desk import MODEL, NOON, Desk


@pytest.fixture
def resolved(tmp_path):
    desk = Desk(tmp_path / "home")
    incident = desk.report()
    desk.ports.incidents.update(incident, status="resolved", ended_at=NOON)
    return desk.ports.log


def test_a_pipeline_is_measured_from_its_last_resolution_on(resolved):
    pipeline = Component(name=MODEL, kind="pipeline")
    assert settled_at(resolved, pipeline, NOON + timedelta(minutes=5)) == NOON
    assert settled_at(resolved, pipeline, NOON + timedelta(hours=2)) is None


def test_a_resolution_in_the_future_blinds_nobody(resolved):
    pipeline = Component(name=MODEL, kind="pipeline")
    assert settled_at(resolved, pipeline, NOON - timedelta(hours=2)) is None


def test_a_model_is_measured_on_the_version_that_predicts_now(resolved):
    model = Component(name=MODEL, kind="model")
    assert settled_at(resolved, model, NOON + timedelta(minutes=5)) is None


def test_a_round_reads_the_incidents_once_however_many_components_there_are(resolved):
    class Counted:
        times = 0

        def listed(self, *, open_only=False, limit=100):
            self.times += 1
            return resolved.listed(open_only=open_only, limit=limit)

    counted = Counted()
    recent = ReadOnce(counted)
    pipelines = [Component(name=name, kind="pipeline") for name in (MODEL, "a", "b")]
    found = [settled_at(recent, one, NOON + timedelta(minutes=5)) for one in pipelines]
    assert found == [NOON, None, None]
    assert counted.times == 1
