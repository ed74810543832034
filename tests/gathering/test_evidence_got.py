"""Every piece of evidence says how it was got; what was asked is not asked again."""

import threading
from datetime import timedelta

import pytest

from agentops_graph.adapters.evidence_files import EvidenceFiles
from agentops_graph.adapters.memory.answers import ANSWERS, INCIDENTS, AnswersInMemory
from agentops_graph.domain.component import Component
from agentops_graph.domain.evidence import Got
from agentops_graph.domain.frames import Change
from agentops_graph.domain.ledger import Version
from agentops_graph.encryption import NO_RING
from agentops_graph.errors import UnavailableError
from agentops_graph.gathering import asked_once
from agentops_graph.gathering.asked_once import Asking, Memory
from tests.gathering.fraud_world import NOW
from tests.gathering.test_gather import ListedModels, asked, desk, drift_claim

ONSET = NOW - timedelta(minutes=50)


class Counted:
    """A source that writes down what it was asked."""

    def __init__(self, behind):
        self._behind, self.asked = behind, []
        self._lock = threading.Lock()

    def __getattr__(self, name):
        found = getattr(self._behind, name)
        if not callable(found):
            return found

        def ask(*args, **more):
            with self._lock:
                self.asked.append((name, *map(str, args)))
            return found(*args, **more)

        return ask


@pytest.fixture
def drifted(world):
    world.reference()
    world.log(onset=ONSET)
    world.batches()
    return world


@pytest.fixture
def counted(drifted):
    return Counted(drifted.warehouse)


def of_kind(evidence, kind):
    return next(piece for piece in evidence if piece.kind == kind)


def test_no_question_is_put_twice_to_the_warehouse_within_one_gathering(drifted, counted):
    claim = drift_claim(drifted)
    evidence = asked(desk(drifted, warehouse=counted), claim)
    assert len(counted.asked) == len(set(counted.asked)) > 5
    assert sum(piece.got.reads for piece in evidence) >= len(counted.asked)
    assert sum(piece.got.reused for piece in evidence) >= 2


def test_the_next_diagnosis_asks_again_only_what_can_have_changed(drifted, counted):
    claim, kept = drift_claim(drifted), AnswersInMemory()
    ports = desk(drifted, warehouse=counted)
    asked(ports, claim, kept=kept)
    first, counted.asked = counted.asked, []
    again = asked(ports, claim, kept=kept)
    assert 0 < len(counted.asked) < len(first)
    assert any(name == "predictions" for name, *_ in counted.asked)  # labels may have come
    assert of_kind(again, "data_quality").got.reused > 0


def test_a_piece_tells_its_time_reads_and_rows(drifted):
    history = of_kind(asked(desk(drifted), drift_claim(drifted)), "feature_drift").got
    assert history.rows > 100
    assert history.ms > 0
    assert Got(ms=12.3, reads=1, reused=2, rows=9).in_words == "12 ms, 1 read, 2 reused, 9 rows"


def test_nothing_found_is_looked_for_further_back_once_and_said(drifted):
    at = ONSET - timedelta(hours=20)
    drifted.warehouse.record_change(Change(at, "deploy", "fraud-detector", "release 41"))
    changes = of_kind(asked(desk(drifted), drift_claim(drifted)), "changes")
    assert changes.status == "absent"
    assert changes.signals["change:deploy"] == -1
    assert abs(changes.widened_to - (ONSET - timedelta(hours=24))) < timedelta(minutes=5)
    assert "no deploy, schema change, config change in the 6 h before the onset" in changes.summary
    assert "looked further back, from 2026-02-27 13:10: there was deploy" in changes.summary
    assert "release 41" in changes.summary


def test_what_was_found_at_once_is_not_looked_for_again(drifted):
    drifted.warehouse.record_change(
        Change(ONSET - timedelta(hours=1), "deploy", "fraud-detector", "release 42")
    )
    changes = of_kind(asked(desk(drifted), drift_claim(drifted)), "changes")
    assert changes.widened_to is None
    assert "no schema change, config change in the 6 h" in changes.summary


def test_more_changes_than_are_told_lie_whole_in_a_file(drifted, tmp_path):
    for number in range(9):
        at = ONSET - timedelta(minutes=10 + number)
        told = f"release {number} \x1b[31m token=hunter2hunter2"
        drifted.warehouse.record_change(Change(at, "deploy", "fraud-detector", told))
    folder = EvidenceFiles(tmp_path, NO_RING)
    ports = desk(drifted, evidence_folder=folder)
    changes = of_kind(asked(ports, drift_claim(drifted)), "changes")
    assert f"all 9 lines in {changes.file}" in changes.summary
    kept = folder.read(changes.file)
    assert [f"release {number}" in kept for number in range(9)] == [True] * 9
    assert "\x1b" not in kept
    assert "hunter2hunter2" not in kept


def test_without_a_folder_the_rest_is_said_to_be_lost(drifted):
    for number in range(9):
        at = ONSET - timedelta(minutes=10 + number)
        drifted.warehouse.record_change(Change(at, "deploy", "fraud-detector", f"r{number}"))
    changes = of_kind(asked(desk(drifted), drift_claim(drifted)), "changes")
    assert changes.file is None
    assert "all 9 lines not kept: there is no folder for it" in changes.summary


def test_the_serving_version_is_held_against_the_one_before_it(drifted):
    old = Version(
        model="fraud-detector",
        version="1",
        created_at=ONSET - timedelta(days=9),
        metrics={"f1": 0.93, "auc": 0.97},
        parameters={"C": "1.0", "solver": "lbfgs"},
        tags={"training_data": "2026-01", "team": "risk"},
    )
    new = old.model_copy(
        update={
            "version": "2",
            "created_at": ONSET - timedelta(hours=1),
            "metrics": {"f1": 0.71, "auc": 0.97},
            "parameters": {"C": "0.01", "solver": "lbfgs"},
            "tags": {"training_data": "2026-02", "team": "ads"},
        }
    )
    ports = desk(drifted, models=ListedModels(new, old))
    diff = of_kind(asked(ports, drift_claim(drifted)), "version_diff")
    assert diff.values["metric.f1"] == "0.93 -> 0.71"
    assert diff.values["parameter.C"] == "1.0 -> 0.01"
    assert diff.values["data.training_data"] == "2026-01 -> 2026-02"
    assert not any("auc" in name or "team" in name for name in diff.values)


def test_runs_of_a_feed_tell_of_a_gap_before_the_onset(world):
    world.reference()
    world.log(onset=ONSET)
    world.batches(hours=3, until=ONSET - timedelta(hours=2))
    runs = of_kind(asked(desk(world), drift_claim(world)), "pipeline_runs")
    assert runs.values["transactions.runs_since"] == 0
    assert runs.values["transactions.minutes_before_onset"] > 110
    assert "a gap of" in runs.summary


def test_spend_and_failing_providers_of_an_agent_are_told(world):
    def requests(start, minutes, failed):
        return [
            {
                "timestamp": start + timedelta(seconds=20 * n),
                "request_id": f"{start:%H%M}-{n}",
                "agent_name": "helper",
                "provider": "north" if n % 2 else "south",
                "error": "timeout" if failed and n % 2 else "",
                "latency_ms": 200.0,
            }
            for n in range(minutes * 3)
        ]

    since = NOW - timedelta(minutes=30)
    world.warehouse.write("AGENT_OUTPUTS", requests(since - timedelta(hours=1), 60, False))
    world.warehouse.write("AGENT_OUTPUTS", requests(since, 30, True))
    minutes = [
        {
            "timestamp": NOW - timedelta(minutes=m),
            "agent_name": "helper",
            "requests": 10,
            "cost_per_request": 0.3 if m <= 30 else 0.02,
            "tokens_per_request": 900,
            "total_cost": 3.0 if m <= 30 else 0.2,
        }
        for m in range(300, 0, -1)
    ]
    world.warehouse.write("AGENT_METRICS", minutes)
    agent = Component(name="helper", kind="agent")
    claim = drift_claim_of_agent(since)
    evidence = asked(desk(world, components={"helper": agent}), claim)
    provider, costs = of_kind(evidence, "provider_status"), of_kind(evidence, "costs")
    assert provider.values["north.failed"] == 1
    assert provider.values["south.failed"] == 0
    assert "rose with the onset" in provider.summary
    assert costs.values["cost_per_request"] == 0.3
    assert costs.values["cost_per_request_before"] == 0.02
    assert costs.values["spend_per_hour"] == pytest.approx(180)


def drift_claim_of_agent(onset):
    from agentops_graph.domain.alert import AlertClaim

    return AlertClaim(
        severity="critical",
        alert_type="provider_outage",
        affected_component="helper",
        timestamp=NOW,
        onset_at=onset,
    )


def test_a_gatherer_that_never_stops_asking_is_stopped(drifted, monkeypatch):
    monkeypatch.setattr(asked_once, "MOST_READS", 1)
    evidence = asked(desk(drifted), drift_claim(drifted))
    failed = [piece for piece in evidence if piece.status == "failed"]
    assert failed
    assert all("budget of 1 reads is spent" in piece.summary for piece in failed)
    assert all(piece.got.reads <= 1 for piece in evidence)


def test_a_failure_is_one_answer_for_all_who_asked():
    calls = []

    class Down:
        def latest(self, model):
            calls.append(model)
            raise UnavailableError("refused")

    memory = Memory("inc-1")
    for _ in range(2):
        with pytest.raises(UnavailableError):
            Asking(memory).of(Down(), "warehouse").latest("m")
    assert calls == ["m"]


def test_answers_of_old_incidents_are_let_go():
    kept = AnswersInMemory()
    for number in range(INCIDENTS + 1):
        kept.keep(f"inc-{number}", ("warehouse", "series"), number)
    for number in range(ANSWERS + 5):
        kept.keep("inc-5", number, number)
    assert kept.recall("inc-0", ("warehouse", "series")) is None
    assert kept.recall("inc-5", ("warehouse", "series")) == (5,)
    assert kept.recall("inc-5", ANSWERS + 4) is None
