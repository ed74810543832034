"""The small set of the quick evaluations, run as people run it, meets the accepted figures."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.evaluation import baseline, suites
from agentops_graph.evaluation.figures import merit
from agentops_graph.evaluation.suites import SUITES
from agentops_graph.settings import read_settings

ROOT = Path(__file__).parents[2]
QUICK = ("retrieval", "rca", "chat")


@pytest.fixture(autouse=True)
def _without_third_parties(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTOPS_EVAL_DATA", str(tmp_path / "no_sets"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def evaluated(home, *words):
    return CliRunner().invoke(app, ["--home", str(home), "eval", *words])


@pytest.mark.slow
def test_the_quick_evaluations_meet_the_accepted_figures_and_are_logged(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("AGENTOPS_MLFLOW", raising=False)
    home = tmp_path / "home"
    result = evaluated(home, *QUICK, "--small", "--json")
    told = json.loads(result.stdout)
    assert told["fell_behind"] == []
    assert told["nothing_accepted_yet"] == []
    assert [(one["suite"], one["state"]) for one in told["suites"]] == [
        (q, "passed") for q in QUICK
    ]
    assert result.exit_code == 0
    bars = ElementTree.parse(told["plot"]).getroot().findall("{*}rect")
    assert len(bars) > 20
    assert len(told["mlflow_runs"]) == len(QUICK)
    client = Workshop(read_settings({}, home=home)).store.client()
    for one, run_id in zip(told["suites"], told["mlflow_runs"], strict=True):
        run = client.get_run(run_id)
        assert (run.info.status, run.data.tags["state"]) == ("FINISHED", "passed")
        assert len(run.data.metrics) == len(one["figures"])


@pytest.mark.slow
def test_a_figure_that_is_worse_than_the_accepted_one_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(suites, "PACKAGE", tmp_path / "agentops_graph")
    (tmp_path / "evals").mkdir()
    for name in ("rca", "shared_sets.py"):
        (tmp_path / "evals" / name).symlink_to(ROOT / "evals" / name)
    file = tmp_path / "evals" / "baseline-small.json"
    shutil.copy(ROOT / "evals" / "baseline-small.json", file)
    held = json.loads(file.read_text())
    held["rca"]["generated/all/BARO's robust scorer/avg5"] += 0.2
    file.write_text(json.dumps(held))
    result = evaluated(tmp_path / "home", "rca", "--small")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("fell behind")]
    assert "BARO's robust scorer/avg5 was" in line
    assert "rca" in result.stdout.splitlines()[1]
    assert (tmp_path / "home" / "evals.svg").exists()


def test_every_accepted_suite_of_the_small_set_is_one_of_the_registry():
    held = baseline.accepted(baseline.baseline_file(ROOT, small=True))
    assert set(QUICK) <= set(held) <= {suite.name for suite in SUITES}
    assert all(merit(name) for figures in held.values() for name in figures)
