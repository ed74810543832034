"""`agentops eval` runs what is there, and says what fell behind the accepted figures."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from agentops_graph.errors import InputError
from agentops_graph.evaluation import baseline
from agentops_graph.evaluation.running import Outcome, run_suite
from agentops_graph.evaluation.suites import Suite, chosen, figures_of, merit

PROGRAM = """
import json, sys
{before}
print(json.dumps({document!r}))
sys.exit({code})
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    (tmp_path / "evals").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    return tmp_path


def suite(checkout, name, document, *, code=0, before=""):
    folder = checkout / "evals" / name
    folder.mkdir(exist_ok=True)
    text = PROGRAM.format(document=document, code=code, before=before)
    (folder / "__main__.py").write_text(text)


def run(checkout, *words):
    result = CliRunner().invoke(app, ["--home", str(checkout / "h"), "eval", *words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_figures_are_held_against_those_that_were_accepted(checkout):
    suite(checkout, "rca", {"rows": [{"group": "all", "answer": "ours", "avg5": 0.9}]})
    assert run(checkout, "rca", "--accept")[0] == 0
    suite(checkout, "rca", {"rows": [{"group": "all", "answer": "ours", "avg5": 0.89}]})
    assert run(checkout, "rca")[0] == 0  # within the slack
    suite(checkout, "rca", {"rows": [{"group": "all", "answer": "ours", "avg5": 0.6}]})
    code, told = run(checkout, "rca")
    assert code == 1
    assert told["fell_behind"] == ["rca: rows/all/ours/avg5 was 0.900, is 0.600"]


def test_a_figure_that_vanished_has_fallen_behind(checkout):
    suite(checkout, "rca", {"share": 0.9, "other": 1})
    run(checkout, "rca", "--accept")
    suite(checkout, "rca", {"other": 1})
    assert run(checkout, "rca")[1]["fell_behind"] == ["rca: share is not measured any more"]


def test_what_is_not_there_is_said_and_an_empty_run_fails(checkout):
    code, told = run(checkout, "--all")
    assert code == 1
    assert "safety" in told["absent"]
    assert told["suites"] == []


def test_a_missed_aim_fails_with_its_words(checkout):
    suite(checkout, "chat", {"share": 0.5, "failed": ["share: 50%, 95% wanted"]}, code=1)
    code, told = run(checkout, "chat")
    assert code == 1
    assert told["suites"][0]["said"] == ["share: 50%, 95% wanted"]


@pytest.mark.parametrize(
    ("before", "document"), [("raise RuntimeError('no server')", {"a": 1}), ("", {"words": "only"})]
)
def test_what_could_not_run_or_measured_nothing_is_neither_right_nor_wrong(
    checkout, before, document
):
    suite(checkout, "chat", document, before=before)
    outcome = run_suite(checkout, Suite(name="chat"), small=True)
    assert outcome.state == "could not run"
    assert baseline.fallen({"chat": {"a": 1.0}}, outcome) == []


def test_a_suite_that_hangs_is_stopped(checkout):
    suite(checkout, "chat", {"a": 1}, before="import time; time.sleep(60)")
    outcome = run_suite(checkout, Suite(name="chat"), small=True, timeout_s=0.5)
    assert outcome.state == "could not run"


def test_accepting_one_suite_leaves_the_others(checkout):
    file = baseline.baseline_file(checkout, small=True)
    for name in ("chat", "rca"):
        baseline.accept(file, [Outcome(suite=name, state="passed", figures={"share": 0.9})])
    assert set(baseline.accepted(file)) == {"chat", "rca"}


def test_a_baseline_that_can_not_be_read_is_refused(checkout):
    file = baseline.baseline_file(checkout, small=False)
    file.write_text("{not json")
    with pytest.raises(InputError):
        baseline.accepted(file)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("avg5", 1), ("confidently_wrong", -1), ("false_alarms", -1), ("p95_ms", 0), ("n", 0)],
)
def test_which_figures_are_better_high_low_or_no_merit(name, expected):
    assert merit(f"table/{name}") == expected


def test_numbers_are_named_by_the_words_that_lead_to_them():
    document = {"t": [{"kind": "drift", "recall": 1, "ok": True}], "deep": {"a": {"b": 0.5}}}
    assert figures_of(document) == {"t/drift/recall": 1.0, "deep/a/b": 0.5}


def test_an_unknown_suite_is_refused_with_the_names_there_are(checkout):
    result = CliRunner().invoke(app, ["--home", str(checkout / "h"), "eval", "taste"])
    assert result.exit_code == 3
    assert "known: retrieval" in result.stderr


def test_the_plot_is_a_picture_with_a_bar_for_each_share(checkout):
    suite(checkout, "rca", {"share": 0.9, "<b>": 0.3})
    told = run(checkout, "rca")[1]
    bars = ElementTree.parse(told["plot"]).getroot().findall("{*}rect")
    assert len(bars) == 2


def test_every_suite_of_the_registry_that_is_here_is_found():
    from pathlib import Path

    there, _ = chosen(Path(__file__).parents[2], ())
    assert {"chat", "rca", "detection"} <= {one.name for one in there}
