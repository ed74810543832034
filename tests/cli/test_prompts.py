"""Prompts at the terminal, and their mirror in a real MLflow store."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from agentops_graph.bootstrap.reasoners import prompts_in_force, reasoner_of
from agentops_graph.cli.__main__ import app
from agentops_graph.data_folder import shipped
from agentops_graph.diagnosis.prompts import read_prompts
from agentops_graph.errors import InputError
from agentops_graph.settings import read_settings
from tests.mlflow_store import QUIET, empty_mlflow_store  # noqa: F401 - a fixture

pytestmark = QUIET


@pytest.fixture
def terminal(desk, empty_mlflow_store):  # noqa: F811 - the fixture
    """A desk whose folder already has an MLflow store; making one takes two seconds."""
    shutil.copy(empty_mlflow_store, desk.home / "mlflow.db")
    return desk


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A team's own folder with an edited prompt that kept its version."""
    folder = tmp_path / "mine"
    folder.mkdir()
    text = (shipped("prompts") / "diagnose.md").read_text(encoding="utf-8")
    (folder / "diagnose.md").write_text(text + "Answer in French.\n", encoding="utf-8")
    monkeypatch.setenv("AGENTOPS_PROMPTS", str(folder))
    return folder


def test_prompts_are_mirrored_once_and_an_edited_one_is_another_version(
    terminal, mine, monkeypatch
):
    monkeypatch.delenv("AGENTOPS_PROMPTS")
    names = [row["name"] for row in terminal.read("prompts", "list")]
    assert names == ["conclude", "diagnose", "read", "repair"]
    first = terminal.read("prompts", "push")
    assert [row["mlflow"] for row in first] == [1, 1, 1, 1]
    assert terminal.read("prompts", "push") == first
    monkeypatch.setenv("AGENTOPS_PROMPTS", str(mine))
    told = terminal.run("prompts", "diff", "diagnose")
    assert "+Answer in French." in told.stdout
    edited = {row["name"]: row for row in terminal.read("prompts", "list")}["diagnose"]
    assert edited["version"] == first[1]["identity"].split("-")[0]
    assert edited["identity"] != first[1]["identity"]
    assert edited["mlflow"] is None
    (pushed,) = terminal.read("prompts", "push", "diagnose")
    assert pushed["mlflow"] == 2
    assert "is version 2" in terminal.run("prompts", "diff", "diagnose").stdout
    assert terminal.run("prompts", "diff", "nothing").exit_code == 3


def test_a_pinned_prompt_that_was_edited_is_refused(mine, tmp_path):
    identity = read_prompts(shipped("prompts"))["diagnose"].identity
    pinned = read_settings(
        {
            "AGENTOPS_REASONER": "ollama",
            "AGENTOPS_PROMPT_PINS": f"diagnose={identity},repair=2",
        },
        home=tmp_path,
    )
    assert prompts_in_force(pinned)["diagnose"].identity == identity
    with pytest.raises(InputError, match="agentops prompts diff diagnose"):
        reasoner_of(pinned.model_copy(update={"prompts": mine}))
    by_number = pinned.model_copy(update={"prompts": mine, "prompt_pins": {"diagnose": "2"}})
    assert prompts_in_force(by_number)["diagnose"].text.endswith("Answer in French.\n")


@pytest.mark.parametrize(
    ("pins", "said"), [({"diagnos": "1"}, "is no prompt"), ({"repair": "9"}, "and not 9")]
)
def test_a_pin_that_nothing_meets_is_refused(tmp_path, pins, said):
    with pytest.raises(InputError, match=said):
        prompts_in_force(read_settings({}, home=tmp_path, prompt_pins=pins))


def test_a_prompt_that_nothing_asks_with_is_refused(mine, tmp_path):
    (mine / "diagnoze.md").write_text("---\nversion: 1\n---\nHello\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"diagnoze\.md has no use"):
        prompts_in_force(read_settings({}, home=tmp_path, prompts=mine))
    with pytest.raises(InputError, match="is no folder"):
        prompts_in_force(read_settings({}, home=tmp_path, prompts=mine / "nothing"))


def test_the_files_are_listed_when_the_registry_does_not_answer(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"this is no database " * 100)
    result = CliRunner().invoke(app, ["--home", str(tmp_path), "prompts", "list", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {row["name"] for row in told} >= {"diagnose", "conclude"}
    assert {row["mlflow"] for row in told} == {None}
    assert "what MLflow has is not known" in result.stderr


def test_the_list_shows_each_pin_and_whether_it_holds(terminal, monkeypatch):
    monkeypatch.setenv("AGENTOPS_PROMPT_PINS", "diagnose=2,repair=9,nonsuch=1")
    rows = {row["name"]: row for row in terminal.read("prompts", "list")}
    pins = {name: (row["pin"], row["pin_holds"]) for name, row in rows.items()}
    assert pins["diagnose"] == ("2", True)
    assert pins["repair"] == ("9", False)
    assert pins["read"] == (None, True)
    result = terminal.run("prompts", "list")
    assert "9, which it is not" in " ".join(result.stdout.split())
    assert "nonsuch is no prompt" in result.stderr


def test_a_difference_is_given_as_json_too(terminal, mine, monkeypatch):
    monkeypatch.delenv("AGENTOPS_PROMPTS")
    assert terminal.read("prompts", "diff", "diagnose")[0]["mlflow"] is None
    terminal.read("prompts", "push")
    assert terminal.read("prompts", "diff", "diagnose")[0]["diff"] == []
    monkeypatch.setenv("AGENTOPS_PROMPTS", str(mine))
    (row,) = terminal.read("prompts", "diff", "diagnose")
    assert row["mlflow"] == 1
    assert "+Answer in French." in row["diff"]


@pytest.mark.parametrize("pins", ["nonsuch=1", "repair=9"])
@pytest.mark.parametrize(
    "words", [("work", "--once"), ("monitor", "--once"), ("investigate", "fraud"), ("serve",)]
)
def test_a_pin_that_does_not_hold_stops_a_command_before_it_does_anything(
    desk, monkeypatch, pins, words
):
    monkeypatch.setenv("AGENTOPS_PROMPT_PINS", pins)
    result = desk.run(*words)
    assert result.exit_code == 2
    assert "AGENTOPS_PROMPT_PINS" in result.stderr
    assert desk.workshop.service.incidents() == []


def test_the_doctor_says_which_pin_does_not_hold(desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_PROMPT_PINS", "repair=9")
    result = desk.run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["prompts"]["state"] == "broken"
    assert "and not 9" in checks["prompts"]["seen"]
    assert result.exit_code == 1
