"""Feed and model as one incident; an alert at its line that neither flaps nor is forgotten."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from langgraph.runtime import Runtime
from sqlalchemy import text

from agentops_graph.domain.alerting import Alerting
from agentops_graph.domain.component import Component, HealthWindow, Thresholds
from agentops_graph.domain.frames import Series
from agentops_graph.gathering.recent import settled_at
from agentops_graph.graph import build_graph
from agentops_graph.monitor import tick
from agentops_graph.nodes.detect import detect
from agentops_graph.runner import Runner
from tests.contracts.desk import at_once
from tests.desk import MODEL, NOON, Desk

FEED = "orders"
HOUR = timedelta(hours=1)


def batches(*, bad):
    times = np.arange((NOON - 40 * HOUR).timestamp(), (NOON + 3 * HOUR).timestamp(), 600.0)
    late = times >= (NOON - timedelta(minutes=55)).timestamp()
    columns = {
        "record_count": np.full(len(times), 500.0),
        "schema_violations": np.where(late, 200.0 if bad else 0.0, 0.0),
        "null_rate": np.zeros(len(times)),
    }
    return Series(times, columns)


class Watched(Desk):
    """The model drifts since 55 minutes; its feed breaks at the same time, or is well."""

    bad = True

    def open(self):
        super().open()
        self.warehouse._series[("data_quality", FEED)] = batches(bad=self.bad)
        model = self.ports.components[MODEL].model_copy(update={"feeds": (FEED,)})
        feed = Component(name=FEED, kind="pipeline", health=HealthWindow(seconds=60, every_s=20))
        self.watch({MODEL: model, FEED: feed})

    def watch(self, components):
        self.ports = replace(self.ports, components=components)

    def end(self, incident_id, status="resolved"):
        now = self.clock.now()
        self.ports.incidents.update(incident_id, status=status, ended_at=now)

    def rows(self):
        """Everything that stands in the ledger."""
        with self.database.read() as c:
            names = c.execute(text("SELECT name FROM sqlite_master WHERE type='table'")).scalars()
            return {n: c.execute(text(f"SELECT * FROM {n}")).all() for n in list(names)}


class WellFed(Watched):
    bad = False


@pytest.fixture
def desk(tmp_path):
    return Watched(tmp_path / "home")


@pytest.fixture
def well_fed(tmp_path):
    return WellFed(tmp_path / "home")


def test_a_broken_feed_and_the_drift_behind_it_are_one_incident_of_the_feed(desk):
    seen = tick(desk.ports)
    told = [a.alert.affected_component for a in seen.admissions]
    assert told == [FEED, MODEL]
    (incident,) = desk.ports.log.listed()
    assert (incident.component, incident.severity) == (FEED, "critical")
    assert {a.affected_component for a in desk.case(incident.incident_id).alerts} == {FEED, MODEL}


def test_the_story_is_investigated_on_the_feeds_own_alert(desk):
    incident_id = tick(desk.ports).admissions[0].incident_id
    desk.runner = Runner(
        desk.ports, build_graph(desk.saver), kind="desk", lease_s=15, public_url="http://x"
    )
    desk.work()
    case = desk.case(incident_id)
    about = " ".join(e.query for e in case.evidence)
    assert FEED in about
    assert case.diagnosis is not None


def test_what_was_told_is_not_told_again_and_a_quiet_tick_writes_nothing(desk):
    tick(desk.ports)
    before = desk.rows()
    assert tick(desk.ports).admissions == []
    assert tick(desk.again().ports).admissions == []
    assert desk.rows() == before


def test_a_tick_that_was_killed_half_way_goes_on_in_the_same_story(desk):
    first = tick(desk.ports).admissions[0]
    with desk.database.write() as c:  # as if the second alert had never been written
        c.execute(text("DELETE FROM alerts WHERE component = :c"), {"c": MODEL})
    (again,) = tick(desk.again().ports).admissions
    assert (again.alert.affected_component, again.incident_id) == (MODEL, first.incident_id)
    assert len(desk.ports.log.listed()) == 1


def test_monitors_that_tick_at_once_open_one_incident(desk):
    outcomes = at_once(lambda _: tick(desk.ports), times=3)
    told = [a for seen in outcomes for a in seen.admissions]
    assert len({a.incident_id for a in told}) == 1
    assert sum(a.is_new for a in told) == 1


def test_a_well_fed_models_drift_is_its_own(well_fed):
    (admission,) = tick(well_fed.ports).admissions
    assert well_fed.case(admission.incident_id).incident.component == MODEL


def test_rows_from_before_the_feed_was_mended_raise_no_second_alert_on_the_model(desk):
    incident_id = tick(desk.ports).admissions[0].incident_id
    desk.clock.move(60)
    desk.end(incident_id)
    mended = desk.clock.now()
    model = desk.ports.components[MODEL]
    assert settled_at(desk.ports.log, model, mended + timedelta(minutes=40)) == mended
    assert settled_at(desk.ports.log, model, mended + timedelta(hours=2)) is None


def test_an_incident_that_ended_minutes_ago_is_not_opened_again_for_noise(well_fed):
    desk = well_fed
    (first,) = tick(desk.ports).admissions
    desk.end(first.incident_id, "closed")
    desk.clock.move(300)
    seen = tick(desk.again().ports)
    assert seen.admissions == []
    assert seen.rested == [f"{MODEL}: model_drift"]
    desk.clock.move(1600)
    (again,) = tick(desk.ports).admissions
    assert again.is_new


def test_no_cool_down_opens_at_once(well_fed):
    desk = well_fed
    (first,) = tick(desk.ports).admissions
    desk.end(first.incident_id, "closed")
    eager = desk.ports.components[MODEL].model_copy(update={"alerting": Alerting(cool_down_s=0)})
    desk.watch({MODEL: eager})
    assert tick(desk.ports).admissions[0].is_new


def test_a_critical_worsening_breaks_the_cool_down(well_fed):
    desk = well_fed
    claim = tick(desk.ports).admissions[0].alert
    desk.end("INC-2026-1001", "closed")
    with desk.database.write() as c:  # it had been told as a mere half of what it is now
        c.execute(text("UPDATE alerts SET excess = excess / 2"))
    (worse,) = tick(desk.ports).admissions
    assert worse.is_new
    assert worse.alert.severity == claim.severity == "critical"


def test_every_alert_carries_its_numbers_and_a_chart_that_is_kept(well_fed):
    (admission,) = tick(well_fed.ports).admissions
    (alert,) = well_fed.case(admission.incident_id).alerts
    assert {"drift_score", "threshold_drift_score"} <= set(alert.metrics)
    chart = alert.findings[0].chart
    assert chart is not None
    assert chart.threshold == 0.3
    assert 2 <= len(chart.values) <= 60


@pytest.mark.parametrize(("line", "status"), [(1.15, "detected"), (2.0, "suppressed")])
def test_a_claim_is_only_gone_under_its_clear_level(well_fed, line, status):
    desk = well_fed
    (admission,) = tick(desk.ports).admissions
    score = admission.alert.metrics["drift_score"]
    moved = Thresholds(aggregate_psi=score * line, metric_drop=0.9, anomaly_rate=1)
    model = desk.ports.components[MODEL].model_copy(update={"thresholds": moved})
    desk.watch({MODEL: model})

    update = detect({"incident_id": admission.incident_id}, Runtime(context=desk.ports))
    assert update["status"] == status


def test_a_claim_from_outside_is_held_to_the_line_itself(well_fed):
    desk = well_fed
    score = tick(desk.ports).admissions[0].alert.metrics["drift_score"]
    desk.end("INC-2026-1001", "closed")
    moved = Thresholds(aggregate_psi=score * 1.15, metric_drop=0.9, anomaly_rate=1)
    model = desk.ports.components[MODEL].model_copy(update={"thresholds": moved})
    reported = desk.report()
    desk.watch({MODEL: model})
    update = detect({"incident_id": reported}, Runtime(context=desk.ports))
    assert update["status"] == "suppressed"
