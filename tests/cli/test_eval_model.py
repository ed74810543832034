"""`agentops eval --reasoner` tells the suites which model to ask, and forgets it afterwards."""

import json
import os

import pytest
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from agentops_graph.evaluation import suites

SUITE = """
import json, os
asked = os.environ.get("AGENTOPS_REASONER", "nobody")
print(json.dumps({"figures": {asked: 1.0}}))
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    folder = tmp_path / "evals" / "chat"
    folder.mkdir(parents=True)
    (folder / "__main__.py").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(suites, "PACKAGE", tmp_path / "agentops_graph")
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    monkeypatch.delenv("AGENTOPS_REASONER", raising=False)
    return tmp_path


def run(checkout, *words):
    return CliRunner().invoke(
        app, ["--home", str(checkout / "h"), "eval", "chat", *words, "--json"]
    )


def test_the_suites_ask_the_model_that_is_named(checkout):
    told = json.loads(run(checkout, "--reasoner", "ollama").stdout)
    assert told["suites"][0]["figures"] == {"figures/ollama": 1.0}
    assert "AGENTOPS_REASONER" not in os.environ
    told = json.loads(run(checkout).stdout)
    assert told["suites"][0]["figures"] == {"figures/nobody": 1.0}


def test_another_name_is_refused_before_anything_runs(checkout):
    result = run(checkout, "--reasoner", "gpt")
    assert result.exit_code == 2
    assert "evidence, ollama, openai" in result.output
