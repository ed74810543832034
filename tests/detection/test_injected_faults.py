"""The fault injector: its streams are what they say, its figures follow, its command works."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from evals.detection.__main__ import others
from evals.detection.cases import MONDAY
from evals.detection.judged import failed_aims, judged
from evals.detection.pools import SETS, pool
from evals.detection.watched import KINDS, TRUNKS, Outcome, lived

ROOT = Path(__file__).parent.parent.parent
MODEL_FAULTS = [n for n, k in KINDS.items() if k.trunk == "model" and not k.control]


def test_there_are_enough_kinds_and_harmless_controls():
    assert len([kind for kind in KINDS.values() if not kind.control]) >= 16
    assert {"seasonal shift", "holiday volume"} <= {n for n, k in KINDS.items() if k.control}


def rows_of(case, hour):
    columns = case.stream.columns
    return [dict(zip(columns, row, strict=True)) for row in case.stream.rows(hour)]


def hours_of(row):
    return (datetime.fromisoformat(row["timestamp"]) - MONDAY).total_seconds() / 3600


def test_a_fault_touches_only_what_comes_after_it():
    case = KINDS["unit change"].make(0, 24)
    hour = int(case.stream.onset_h)
    healthy = [json.loads(r["features"]) for r in rows_of(case, hour - 1)]
    mixed = rows_of(case, hour)
    most = {n: max(abs(r[n]) for r in healthy) for n in case.stream.pool.columns}
    loud = {
        (hours_of(r) >= case.stream.onset_h)
        for r in mixed
        if any(abs(v) > 5 * most[n] for n, v in json.loads(r["features"]).items() if n in most)
    }
    assert loud == {True}


def test_the_same_seed_makes_the_same_rows():
    first, second = (KINDS["label flip"].make(3, 24) for _ in range(2))
    assert rows_of(first, 80) == rows_of(second, 80)


def test_late_batches_are_held_back_and_none_is_lost():
    case = KINDS["late data (feed)"].make(1, 24)
    onset, held = case.stream.onset_h, case.stream.held_h
    first = int(onset)
    counts = [len(rows_of(case, hour)) for hour in range(first, first + int(held) + 2)]
    assert min(counts[1:-2]) == 0
    assert sum(counts) == 6 * len(counts)


QUICK = [name for name in SETS if name != "digits"]


@pytest.mark.parametrize("name", [*QUICK, pytest.param("digits", marks=pytest.mark.slow)])
def test_every_set_has_a_model_that_knows_something(name):
    rows = pool(name)
    prediction, _ = rows.score(rows.columns)
    worse, _ = rows.worse()(rows.columns)
    if rows.task == "regression":
        good, bad = (-np.mean(np.abs(p - rows.label)) for p in (prediction, worse))
        assert good > -np.mean(np.abs(rows.label - rows.label.mean()))
    else:
        good, bad = (np.mean(p == rows.label) for p in (prediction, worse))
        assert good > 0.85
    assert good > bad


def test_a_trunk_is_watched_once_and_every_fault_on_it_is_found():
    found = {outcome.kind: outcome for outcome in lived("feed", 1000, 12)}
    assert found["nothing (feed)"].quiet_looks == 12
    assert found["nothing (feed)"].false_alarms == []
    faults = [outcome for kind, outcome in found.items() if kind in KINDS]
    assert len(faults) == 5
    assert all(one.delay <= 2 and one.onset_error <= 1 for one in faults)


def test_missed_faults_false_alarms_and_wrong_onsets_fail_their_aims():
    outcomes = [
        Outcome("unit change", 0, delay=1.0, onset_error=2.0),
        Outcome("unit change", 1),
        Outcome("seasonal shift", 0, quiet_looks=360, false_alarms=["one", "two"]),
    ]
    assert failed_aims(judged(outcomes)) == [
        "unit change: recall 0.50, aim 0.95",
        "unit change: onset off by 120 min, aim 60",
        "seasonal shift: 2 alarms on a harmless control",
        "2 false alarms in 0.5 component-months",
    ]
    good = [Outcome("unit change", n, delay=1.0, onset_error=0.1) for n in range(20)]
    assert failed_aims(judged(good)) == []


def test_a_table_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr("evals.detection.__main__.TABLES", ("not_there",))
    assert others()["not_there"] == "ABSENT: evals.detection.not_there is not part of this tree"


@pytest.mark.slow
@pytest.mark.parametrize("trunk", [trunk for trunk in TRUNKS if trunk != "model with categories"])
def test_healthy_times_are_silent_and_faults_are_found(trunk):
    for outcome in lived(trunk, 1001, 24):
        kind = KINDS.get(outcome.kind)
        if outcome.quiet_looks:
            assert outcome.false_alarms == []
        elif kind and not kind.control:
            assert outcome.delay is not None, outcome.kind


@pytest.mark.slow
def test_the_command_prints_json_and_exits_by_the_aims():
    command = [sys.executable, "-m", "evals.detection", "--quick", "--seeds", "1", "--json"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    found = json.loads(run.stdout)
    assert run.returncode == (1 if found["failed"] else 0)
    assert {row["kind"] for row in found["faults"]} >= set(MODEL_FAULTS)
