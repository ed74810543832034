"""A warehouse that is locked, garbled, gone or back again: said once, and nothing is lost."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agentops_graph.adapters.joined_warehouse import JoinedWarehouse
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse, tables
from agentops_graph.blindness import blind_claim, open_ones
from agentops_graph.diagnosis.runbook import parse_document
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.component import Component
from agentops_graph.domain.sight import Sight
from agentops_graph.errors import UnavailableError
from agentops_graph.monitor import tick
from agentops_graph.patrol import Patrol
from tests.desk import NOON, Desk

FEEDS = ("orders", "payments", "returns")
BLIND_SOURCE = parse_document(
    "blind_source.md", (Path(__file__).parent.parent / "runbooks" / "blind_source.md").read_text()
)


class Watched(Desk):
    """Three feeds whose batches lie in a real SQLite warehouse."""

    def open(self):
        super().open()
        self.file = self.home / "warehouse.db"
        self.real = SqliteWarehouse(self.file)
        feeds = {name: Component(name=name, kind="pipeline") for name in FEEDS}
        self.ports = replace(
            self.ports,
            components=feeds,
            warehouse=self.real,
            history=self.real,
            reasoner=EvidenceWeights(),
        )
        self.shelf.causes = lambda alert_type, question="": [
            cause for cause in BLIND_SOURCE.causes if alert_type in cause.serves
        ]
        self.runner.ports = self.ports
        self.service._ports = self.ports

    def batches(self, since, until, names=FEEDS, **odd):
        """A batch every quarter of an hour."""
        rows, at = [], since
        while at < until:
            row = {"null_rate": 0.0, "schema_violations": 0, "record_count": 1000, **odd}
            rows += [{"timestamp": at, "pipeline_name": name, **row} for name in names]
            at += timedelta(minutes=15)
        self.real.write("DATA_QUALITY", rows)

    def looks(self, minutes, *, every=1):
        """A round each so many minutes; returns what was admitted and what ended."""
        admitted, ended = [], []
        for _ in range(0, minutes, every):
            self.clock.move(60 * every)
            seen = tick(self.ports)
            admitted += seen.admissions
            ended += seen.ended
        return admitted, ended

    def sights(self):
        return {sight.component: sight for sight in self.ports.rounds.sights()}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PATIENCE_S", 0.05)
    opened = Watched(tmp_path / "home")
    opened.batches(NOON - timedelta(days=2), NOON + timedelta(hours=6))
    tick(opened.ports)
    return opened


class Trouble:
    """Something that befalls the file, and how it is mended."""

    def __init__(self, desk):
        self.desk, self.aside = desk, desk.home / "aside.db"
        self.held = None

    def garbled(self):
        self.desk.file.rename(self.aside)
        self.desk.file.write_bytes(b"<html>504 Gateway Time-out</html>" * 400)

    def gone(self):
        self.desk.file.rename(self.aside)

    def locked(self):
        self.held = sqlite3.connect(self.desk.file, isolation_level=None)
        self.held.execute("BEGIN EXCLUSIVE")

    def mended(self):
        if self.held is not None:
            self.held.close()
        else:
            self.aside.replace(self.desk.file)


class Dead:
    """A Prometheus that keeps the figures of two feeds and answers nobody."""

    def columns(self, table, subject):
        here = table == "data_quality" and subject in FEEDS[:2]
        return frozenset({"record_count"}) if here else frozenset()

    def asked_for(self, subject):
        return "prometheus main"

    def series(self, table, subject, since, until):
        raise UnavailableError("no answer in 10 s")


def test_what_stands_behind_one_dead_source_is_one_incident_of_that_source(desk):
    desk.ports = replace(desk.ports, warehouse=JoinedWarehouse(desk.real, [Dead()]))
    admitted, _ = desk.looks(9)
    [admission] = admitted
    assert admission.alert.summary.startswith("Blind since 12:01 UTC: prometheus main can't be")
    assert admission.alert.metrics["components_blind"] == 2
    assert desk.sights()["returns"].blind_since is None


@pytest.mark.parametrize(
    ("what", "cause"),
    [("garbled", "source_garbled"), ("gone", "source_down"), ("locked", "source_slow")],
)
def test_a_source_that_can_not_be_read_is_one_incident_until_it_answers_again(desk, what, cause):
    trouble = Trouble(desk)
    getattr(trouble, what)()
    early, _ = desk.looks(5)
    assert early == []
    admitted, _ = desk.looks(4)
    [admission] = admitted
    assert admission.alert.alert_type == "provider_outage"
    assert admission.alert.summary.startswith("Blind since 12:01 UTC: warehouse can't be read")
    assert admission.alert.metrics["components_blind"] == 3
    desk.work()
    case = desk.case(admission.incident_id)
    assert case.incident.status == "escalated"
    assert case.diagnosis.cause == cause
    assert case.diagnosis.confidence > 0.7
    assert case.approvals == ()
    assert any("since 2026-03-01 12:01:00 UTC" in piece.summary for piece in case.evidence)
    trouble.mended()
    admitted, ended = desk.looks(2)
    assert (admitted, ended) == ([], [admission.incident_id])
    desk.work()
    case = desk.case(admission.incident_id)
    assert case.incident.status == "resolved"
    assert "after 9 minutes in which nobody could look" in case.resolution.summary
    assert any("Seen again" in notice.notice.text for notice in case.notices)
    [past] = desk.real.past_incidents(NOON, NOON + timedelta(hours=2))
    assert past.incident_id == admission.incident_id
    assert all(sight.missed == 0 for sight in desk.sights().values())


def test_one_missed_look_is_no_alert_and_leaves_the_last_known_values(desk):
    before = desk.sights()["orders"].readings
    trouble = Trouble(desk)
    trouble.gone()
    desk.looks(1)
    held = desk.sights()["orders"]
    assert held.blind_since == NOON + timedelta(minutes=1)
    assert (held.readings, held.seen_at) == (before, NOON)
    trouble.mended()
    assert desk.looks(30, every=5) == ([], [])


def test_who_asks_for_readings_of_what_can_not_be_read_gets_the_last_known_ones(desk):
    Trouble(desk).garbled()
    desk.clock.move(720)
    with pytest.raises(UnavailableError, match=r"last seen 12:00 UTC, 12 minutes ago: .*records"):
        desk.service.readings("orders")


def test_blindness_survives_a_restart_and_is_not_told_again(desk):
    trouble = Trouble(desk)
    trouble.garbled()
    [admission], _ = desk.looks(8)
    desk.work()
    desk.again()
    assert desk.looks(20, every=5) == ([], [])
    trouble.mended()
    desk.again()
    assert desk.looks(1) == ([], [admission.incident_id])


def test_where_nothing_was_ever_loaded_nobody_is_blind(tmp_path):
    desk = Watched(tmp_path / "home")
    assert desk.looks(60, every=10) == ([], [])
    assert all(sight.blind_since is None for sight in desk.sights().values())


def test_what_happened_in_the_blind_time_is_found_by_the_first_look_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PATIENCE_S", 0.05)
    desk = Watched(tmp_path / "home")
    bad_from, bad_until = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    desk.batches(NOON - timedelta(days=2), bad_from)
    desk.batches(bad_from, bad_until, names=["orders"], schema_violations=400)
    desk.batches(bad_from, bad_until, names=["payments", "returns"])
    desk.batches(bad_until, NOON + timedelta(hours=6))
    tick(desk.ports)
    trouble = Trouble(desk)
    trouble.gone()
    [blind], _ = desk.looks(240, every=20)
    trouble.mended()
    [found], ended = desk.looks(1)
    assert ended == [blind.incident_id]
    assert found.alert.affected_component == "orders"
    assert found.alert.alert_type == "data_quality"
    assert "when it could not be seen" in found.alert.summary
    desk.work()  # measured again it no longer holds, so that it wakes nobody
    assert desk.case(found.incident_id).incident.status == "suppressed"
    assert desk.looks(30, every=5) == ([], [])


def test_rows_that_come_late_after_the_gap_are_no_loss_of_volume(tmp_path):
    desk = Watched(tmp_path / "home")
    desk.batches(NOON - timedelta(days=2), NOON)
    tick(desk.ports)
    trouble = Trouble(desk)
    trouble.gone()
    desk.looks(180, every=20)
    trouble.mended()
    admitted, _ = desk.looks(1)  # nothing was written while the warehouse was away
    assert admitted == []
    assert desk.sights()["orders"].gap_from == NOON
    desk.batches(NOON, NOON + timedelta(hours=8))
    assert desk.looks(60, every=5) == ([], [])
    assert desk.sights()["orders"].gap_from is None


def test_rows_that_never_come_are_a_loss_of_volume_once_they_had_their_time(tmp_path):
    desk = Watched(tmp_path / "home")
    desk.batches(NOON - timedelta(days=2), NOON)
    tick(desk.ports)
    trouble = Trouble(desk)
    trouble.gone()
    desk.looks(180, every=20)
    trouble.mended()
    desk.batches(NOON, NOON + timedelta(hours=8), names=["payments", "returns"])
    admitted, _ = desk.looks(60, every=5)
    assert {a.alert.alert_type for a in admitted} == {"volume_anomaly"}
    assert {a.alert.affected_component for a in admitted} == {"orders"}


def test_a_source_that_dies_between_the_look_and_the_alert_costs_no_alert(desk, monkeypatch):
    desk.clock.move(3600)
    desk.batches(NOON + timedelta(minutes=5), NOON + timedelta(hours=1), schema_violations=400)

    def refuse(*_, **__):
        raise UnavailableError("the warehouse went away")

    monkeypatch.setattr("agentops_graph.monitor.with_charts", refuse)
    assert {a.alert.affected_component for a in tick(desk.ports).admissions} == set(FEEDS)


def test_a_patrol_says_it_too_and_two_of_them_say_it_once(desk):
    Trouble(desk).garbled()
    patrols = [Patrol(desk.ports, every_s=60), Patrol(desk.ports, every_s=60)]
    told = []
    for _ in range(9):
        desk.clock.move(91)
        for patrol in patrols:
            seen = patrol.round()
            told += seen.admissions
    assert len(told) == 1
    assert sum(len(patrol.round().blind) for patrol in patrols) == 0  # nothing is due
    desk.clock.move(91)
    assert set(patrols[0].round().blind) == set(FEEDS)


CHILD = """
import os, signal, sys
from pathlib import Path
from agentops_graph import faults
from agentops_graph.patrol import Patrol
from tests.test_blindness import Watched

desk = Watched(Path(sys.argv[1]))
desk.clock.move(3600)
faults.arm("admission.after_commit", lambda: os.kill(os.getpid(), signal.SIGKILL))
Patrol(desk.ports, every_s=60).round()
raise SystemExit("was not killed")
"""


def test_a_monitor_killed_in_the_middle_of_a_round_loses_nothing_and_doubles_nothing(desk):
    desk.batches(NOON + timedelta(minutes=5), NOON + timedelta(hours=1), schema_violations=400)
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(desk.home)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(desk.ports.log.listed()) == 1  # it died after the first of three
    desk.clock.move(3600)
    seen = Patrol(desk.ports, every_s=60).round()
    assert len(seen.admissions) == 2
    incidents = desk.ports.log.listed()
    assert sorted(incident.component for incident in incidents) == sorted(FEEDS)
    assert all(len(desk.ports.log.alerts(i.incident_id)) == 1 for i in incidents)


def test_incident_that_others_opened_under_a_sources_name_is_not_ours(desk):
    """As a ledger may hold it from before such names were refused."""
    now, claim = desk.clock.now(), blind_claim("source:warehouse", [blind_sight(desk)], NOON)
    held = desk.ports.incidents.admit(claim, opened_by="monitor", at=now)
    fields = {"incident_id": held.incident_id, "alert_id": held.alert.alert_id}
    assert [i.incident_id for i in open_ones(desk.ports)] == [held.incident_id]
    desk.ports.audit.write("alert.received", actor="x", via="http", at=now, **fields)
    assert open_ones(desk.ports) == []
    ours = desk.ports.incidents.admit(claim, opened_by="monitor", at=now)
    assert [i.incident_id for i in open_ones(desk.ports)] == [ours.incident_id]


def blind_sight(desk):
    return Sight(component="orders", looked_at=NOON, missed=2, blind_since=NOON, source="warehouse")
