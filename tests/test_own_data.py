"""Three models of one's own, from CSV files to alerts, with nothing but commands."""

import csv
import fcntl
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner as ClickRunner
from sqlite_utils.cli import cli as sqlite_utils
from typer.testing import CliRunner

from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.settings import read_settings

COMPONENTS = """\
components:
  - name: churn
  - name: price
    metric: {name: mae, direction: lower_is_better, tolerance: 0.5, task: regression}
  - name: topic
    metric: {name: f1, task: multiclass}
"""
TOPICS = np.array(["sports", "politics", "science"])
NOW = datetime.now(UTC)
GOOD_FROM, GOOD_UNTIL = NOW - timedelta(days=3), NOW - timedelta(days=1)


def moments():
    """1200 rows over two good days, 400 in the last fifty minutes; true where it went bad."""
    good = [GOOD_FROM + timedelta(seconds=140 * n) for n in range(1200)]
    bad = [NOW - timedelta(seconds=5 + 7 * n) for n in range(400)]
    return [at.isoformat() for at in good + bad], np.arange(1600) >= 1200


def churn(rng, bad):
    label = rng.integers(0, 2, len(bad))
    wrong = rng.random(len(bad)) < np.where(bad, 0.35, 0.05)
    tenure = rng.normal(24, 6, len(bad)) * np.where(bad, 3, 1)
    features = [
        {"tenure": t, "calls": c} for t, c in zip(tenure, rng.normal(3, 1, len(bad)), strict=True)
    ]
    more = {"model_version": ["1.10"] * len(bad), "latency_ms": rng.normal(40, 5, len(bad))}
    return features, np.where(wrong, 1 - label, label), label, more


def price(rng, bad):
    area = rng.normal(80, 15, len(bad)) + np.where(bad, 60, 0)
    label = 3 * area
    off = rng.normal(0, 1, len(bad)) * np.where(bad, 30, 5)
    return (
        [{"area": a, "floor": f} for a, f in zip(area, rng.random(len(bad)), strict=True)],
        label + off,
        label,
        {},
    )


def topic(rng, bad):
    label = rng.integers(0, 3, len(bad))
    wrong = rng.random(len(bad)) < np.where(bad, 0.5, 0.08)
    length = rng.normal(600, 90, len(bad)) + np.where(bad, 500, 0)
    features = [
        {"length": n, "links": k} for n, k in zip(length, rng.random(len(bad)), strict=True)
    ]
    return features, TOPICS[np.where(wrong, (label + 1) % 3, label)], TOPICS[label], {}


def write_csv(path, name, make):
    times, bad = moments()
    features, prediction, label, more = make(np.random.default_rng(len(name)), bad)
    columns = {
        "timestamp": times,
        "model_name": [name] * len(times),
        "prediction_id": [f"{name}-{n}" for n in range(len(times))],
        "features": [json.dumps(row) for row in features],
        "prediction": prediction,
        "actual_label": label,
        **more,
    }
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


@pytest.fixture
def agentops(tmp_path, monkeypatch):
    """The command on a fresh folder that `agentops init` made, with three CSV files loaded."""
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    monkeypatch.setenv("AGENTOPS_MODELS_URL", "http://127.0.0.1:9")
    home = tmp_path / "home"
    (home / "chroma").mkdir(parents=True)

    def run(*args, code=0):
        result = CliRunner().invoke(app, ["--home", str(home), *args, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if result.stdout else result.stderr

    # Another owner of the Chroma folder: sections are searched exactly, which starts faster.
    with (home / "chroma" / ".owner").open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        run("init")
        (home / "components.yaml").write_text(COMPONENTS)
        for make in (churn, price, topic):
            file = tmp_path / f"{make.__name__}.csv"
            write_csv(file, make.__name__, make)
            line = ["insert", str(home / "warehouse.db"), "PREDICTION_LOGS", str(file), "--csv"]
            loaded = ClickRunner().invoke(sqlite_utils, line)
            assert loaded.exit_code == 0, loaded.output
        run.workshop = Workshop(read_settings(home=home))
        yield run


def test_three_models_are_told_bad_against_references_taken_from_their_own_rows(agentops):
    for name, metric in {"churn": "f1", "price": "mae", "topic": "f1"}.items():
        span = ("--from", GOOD_FROM.isoformat(), "--until", GOOD_UNTIL.isoformat())
        taken = agentops("reference", name, *span)
        assert taken["rows"] >= 1200
        assert len(taken["features"]) == 2
        assert metric in taken["metrics"]
        assert taken["version"] == ("1.10" if name == "churn" else "")

    written = agentops.workshop.ports.audit.rows()
    told = " ".join(str(row) for row in written if row["what"] == "reference.taken")
    assert all(f'"component": "{name}"' in told for name in ("churn", "price", "topic")), told

    seen = agentops("monitor", "--once")

    alerts = {i["component"]: i["alert_type"] for i in seen["incidents"]}
    assert alerts == {"churn": "model_drift", "price": "model_drift", "topic": "model_drift"}
    readings = seen["readings"]
    assert all(readings[name]["drift_score"] > 0.3 for name in alerts)
    assert readings["churn"]["f1"] < 0.8 < 0.9 < readings["churn"]["baseline_f1"]
    assert readings["price"]["mae"] > 2 * readings["price"]["baseline_mae"]
    assert readings["topic"]["f1"] < 0.7 < 0.85 < readings["topic"]["baseline_f1"]


def test_without_a_reference_no_model_is_called_healthy(agentops):
    seen = agentops("monitor", "--once", code=6)
    assert sorted(seen["notes"]) == ["churn", "price", "topic"]
    assert seen["admissions"] == []
    for name, notes in seen["notes"].items():
        assert any(f"agentops reference {name} --from" in note for note in notes)


def test_reference_without_rows_says_what_the_table_holds(agentops):
    told = agentops("reference", "price", "--from", "2020-01-01", "--until", "2020-01-08", code=6)
    assert "0 of the 200 rows" in told
    assert f"the first {GOOD_FROM.isoformat()[:16]}" in told


@pytest.mark.parametrize(
    ("since", "until", "problem"),
    [
        ("yesterday", "2026-03-08", "--from: 'yesterday' is no date such as 2026-03-01"),
        ("2026-03-08", "2026-03-01", "is not after"),
    ],
)
def test_dates_that_make_no_sense_are_refused(agentops, since, until, problem):
    assert problem in agentops("reference", "price", "--from", since, "--until", until, code=2)


def test_only_a_watched_model_has_a_reference_profile(agentops):
    file = agentops.workshop.places.home / "components.yaml"
    file.write_text(COMPONENTS + "  - {name: feed, kind: pipeline}\n")
    span = ("--from", "2026-03-01", "--until", "2026-03-08")
    assert "feed is a pipeline" in agentops("reference", "feed", *span, code=2)
    assert "known: churn, feed, price, topic" in agentops("reference", "chrn", *span, code=3)
