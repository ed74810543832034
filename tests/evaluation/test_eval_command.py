"""`agentops eval` runs what is there, and says what fell behind the accepted figures."""

import json
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from agentops_graph.errors import InputError
from agentops_graph.evaluation import baseline, suites
from agentops_graph.evaluation.figures import figures_of, merit, skipped_of
from agentops_graph.evaluation.running import Outcome, run_suite
from agentops_graph.evaluation.suites import Suite, chosen

PROGRAM = """
import json, sys
{before}
print(json.dumps({document!r}))
sys.exit({code})
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder that stands for the checkout which the package is installed from."""
    (tmp_path / "evals").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(suites, "PACKAGE", tmp_path / "agentops_graph")
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
    beside = baseline.compared({"chat": {"a": 1.0}}, Suite(name="chat"), outcome, checkout)
    assert beside == baseline.Comparison()
    assert run(checkout, "chat")[0] == 1


HANGS = """
import pathlib, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("worker").write_text(str(worker.pid))
time.sleep(600)
"""


def test_a_suite_that_hangs_is_stopped_with_its_workers(checkout):
    suite(checkout, "chat", {"a": 1}, before=HANGS)
    outcome = run_suite(checkout, Suite(name="chat"), small=True, timeout_s=3)
    assert outcome.state == "could not run"
    assert outcome.said == ("it took over 3 s and was stopped",)
    worker, given_up = int((checkout / "worker").read_text()), time.monotonic() + 10
    while is_alive(worker) and time.monotonic() < given_up:
        time.sleep(0.02)  # the kernel takes a moment to bury what was killed
    assert not is_alive(worker)


def is_alive(pid):
    """A zombie, which nobody has waited for, is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9"),
        ("sys.exit(2)", "exit code 2"),
        ("print('{\"share\": 0.1'); sys.exit(0)", "it printed no JSON"),
        ("print(); sys.exit(1)", "it printed no JSON"),
    ],
)
def test_a_suite_that_came_to_no_verdict_could_not_run_and_fails_the_command(checkout, before, why):
    suite(checkout, "chat", {"share": 0.9})
    assert run(checkout, "chat", "--accept")[0] == 0
    suite(checkout, "chat", {"share": 0.9}, before=before)
    code, told = run(checkout, "chat")
    assert code == 1
    assert told["suites"][0]["state"] == "could not run"
    assert told["suites"][0]["said"] == [why]
    assert told["fell_behind"] == []


def test_a_suite_without_accepted_figures_is_said_and_does_not_fail(checkout):
    suite(checkout, "chat", {"share": 0.5})
    code, told = run(checkout, "chat")
    assert (code, told["nothing_accepted_yet"]) == (0, ["chat"])
    printed = CliRunner().invoke(app, ["--home", str(checkout / "h"), "eval", "chat"])
    assert "chat: nothing accepted yet (`agentops eval chat --accept`)" in printed.stdout
    assert "chat ..." in printed.stderr


SHOP = {"web_shop": [{"group": "all", "answer": "ranking", "avg5": 0.6}], "made": {"avg5": 0.9}}


def test_figures_of_third_party_sets_that_are_absent_are_said_and_not_missed(checkout, monkeypatch):
    monkeypatch.setenv("AGENTOPS_EVAL_DATA", str(checkout / "sets"))
    suite(checkout, "rca", SHOP)
    assert run(checkout, "rca", "--accept")[0] == 0
    suite(checkout, "rca", {"web_shop": [], "made": {"avg5": 0.9}})
    code, told = run(checkout, "rca", "--accept")
    assert (code, told["fell_behind"]) == (0, [])
    assert len(told["not_measured"]) == 1
    assert "1 accepted figures were not measured: no third-party sets in" in told["not_measured"][0]
    (checkout / "sets").mkdir()
    code, told = run(checkout, "rca")  # what was accepted is still held
    assert (code, told["not_measured"]) == (1, [])
    assert told["fell_behind"] == ["rca: web_shop/all/ranking/avg5 is not measured any more"]


def test_a_part_that_says_why_it_was_skipped_is_said_and_not_missed(checkout):
    whole = {"embeddings": {"lexical": {"own": {"mrr": 0.6}}, "minilm": {"own": {"mrr": 0.7}}}}
    suite(checkout, "retrieval", whole)
    assert run(checkout, "retrieval", "--accept")[0] == 0
    whole["embeddings"]["minilm"] = {"skipped": "its package is not installed"}
    suite(checkout, "retrieval", whole)
    code, told = run(checkout, "retrieval")
    assert (code, told["fell_behind"]) == (0, [])
    assert "its package is not installed" in told["not_measured"][0]
    printed = CliRunner().invoke(app, ["--home", str(checkout / "h"), "eval", "retrieval"])
    assert "skipped: retrieval: embeddings/minilm: its package" in printed.stdout


def test_accepting_one_suite_leaves_the_others(checkout):
    file = baseline.baseline_file(checkout, small=True)
    for name in ("chat", "rca"):
        baseline.accept(file, [Outcome(suite=name, state="passed", figures={"share": 0.9})], {})
    assert set(baseline.accepted(file)) == {"chat", "rca"}


def test_a_baseline_that_can_not_be_read_is_refused(checkout):
    file = baseline.baseline_file(checkout, small=False)
    file.write_text("{not json")
    with pytest.raises(InputError):
        baseline.accepted(file)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("avg5", 1),
        ("confidently_wrong", -1),
        ("false_alarms", -1),
        ("surely wrong/value", -1),
        ("top-1 cause/value", 1),
        ("onset_worst", -1),
        ("could_not_run", -1),
        ("p95_ms", 0),
        ("slowest_s", 0),
        ("right", 0),
        ("n", 0),
        ("2", 0),
    ],
)
def test_which_figures_are_better_high_low_or_no_merit(name, expected):
    assert merit(f"table/{name}") == expected


def test_numbers_are_named_by_the_words_that_lead_to_them():
    document = {
        "t": [{"kind": "drift", "recall": 1, "ok": True, "missed": [3, 4], "alarms": ["at 5"]}],
        "deep": {"a": {"b": 0.5, "interval": [0.4, 0.6]}},
        "without": [["logs", 0.9, 0.1]],
    }
    assert figures_of(document) == {
        "t/drift/recall": 1.0,
        "deep/a/b": 0.5,
        "without/logs/1": 0.9,
        "without/logs/2": 0.1,
    }


def test_what_was_skipped_is_known_by_the_words_that_lead_to_it():
    assert skipped_of({"a": {"b": {"skipped": "no file"}}, "c": 1}) == {"a/b": "no file"}


def planted(folder, name):
    """Somebody else's evaluation, which tells when it ran."""
    (folder / "evals" / name).mkdir(parents=True)
    ran = folder / "ran"
    text = f"import pathlib\npathlib.Path({str(ran)!r}).touch()\nprint('{{\"a\": 1}}')\n"
    (folder / "evals" / name / "__main__.py").write_text(text)
    return ran


@pytest.mark.parametrize("place", [".", "sub/folder"])
def test_evaluations_of_the_folder_we_stand_in_are_never_run(tmp_path, monkeypatch, place):
    ran = planted(tmp_path / "hostile", "chat")
    # What lies beside them may pretend to be the package.
    (tmp_path / "hostile" / "agentops_graph").symlink_to(suites.PACKAGE)
    stand = tmp_path / "hostile" / place
    stand.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(stand)
    result = CliRunner().invoke(app, ["--home", str(tmp_path / "h"), "eval", "chat"])
    assert result.exit_code == 2
    assert "run it in the checkout that the package is installed from" in result.stderr
    assert not ran.exists()


def test_the_evaluations_of_the_checkout_are_found_from_anywhere(checkout, tmp_path, monkeypatch):
    (elsewhere := tmp_path / "deep" / "down").mkdir(parents=True)
    assert suites.root_of(elsewhere).samefile(checkout)
    assert suites.root_of(Path("/")) == checkout


def test_a_package_without_evaluations_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(suites, "PACKAGE", tmp_path / "agentops_graph")
    with pytest.raises(InputError, match="pip install -e"):
        suites.root_of(tmp_path)


SECRETS = {
    "AGENTOPS_TOKEN": "agentops-token-1",
    "AGENTOPS_WAREHOUSE_URL": "postgresql://bob@db/agentops",
    "AGENTOPS_LEDGER_URL": "postgresql://bob:planted-2@db/agentops",
    "AGENTOPS_ENCRYPTION_KEY": "planted-3",
    "AGENTOPS_ENCRYPTION_KEY_OLD": "planted-4",
    "AGENTOPS_OPENAI_API_KEY": "planted-5",
    "OPENAI_API_KEY": "planted-6",
    "GITHUB_TOKEN": "planted-7",
    "MLFLOW_TRACKING_PASSWORD": "planted-8",
    "AWS_SECRET_ACCESS_KEY": "planted-9",
    "SNOWFLAKE_PASSWORD": "planted-10",
}


def test_an_evaluation_gets_no_secret_and_the_rest_of_the_environment(checkout, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGENTOPS_EVAL_DATA", "/data")
    monkeypatch.setenv("AGENTOPS_MODEL_TOKENS", "4000")
    before = (
        "import os, pathlib; pathlib.Path('seen.json').write_text(json.dumps(dict(os.environ)))"
    )
    suite(checkout, "chat", {"a": 1}, before=before)
    assert run_suite(checkout, Suite(name="chat"), small=True).state == "passed"
    seen = json.loads((checkout / "seen.json").read_text())
    assert set(SECRETS) & set(seen) == set()
    assert [value for value in SECRETS.values() if value in str(seen)] == []
    assert {"PATH", "AGENTOPS_EVAL_DATA", "AGENTOPS_MODEL_TOKENS"} <= set(seen)


def test_only_the_key_of_the_model_that_is_asked_is_left_in(checkout, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGENTOPS_OPENAI_API_KEY", "planted-11")
    monkeypatch.setenv("AGENTOPS_REASONER", "openai")
    before = (
        "import os, pathlib; pathlib.Path('seen.json').write_text(json.dumps(dict(os.environ)))"
    )
    suite(checkout, "chat", {"a": 1}, before=before)
    assert run_suite(checkout, Suite(name="chat"), small=True).state == "passed"
    seen = json.loads((checkout / "seen.json").read_text())
    left = {name for name, value in seen.items() if value.startswith("planted-")}
    assert left == {"AGENTOPS_OPENAI_API_KEY"} | ({"OPENAI_API_KEY"} & set(SECRETS))


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
    there, _ = chosen(Path(__file__).parents[2], ())
    assert {"chat", "rca", "detection", "safety"} <= {one.name for one in there}
