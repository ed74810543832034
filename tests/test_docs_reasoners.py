"""The page on who reasons: its commands are run, and its numbers are those of the code."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from agentops_graph.diagnosis.joined import ALLOWANCE, CONTRADICTED, DOUBTED
from agentops_graph.diagnosis.model_reasoner import PROMPTS
from agentops_graph.diagnosis.scoring import SETTLED
from agentops_graph.settings import Settings, read_settings
from evals.safety import __main__ as safety
from tests.mlflow_store import QUIET, empty_mlflow_store  # noqa: F401 - a fixture

pytestmark = QUIET
ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reasoners.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", PAGE, re.M)


def test_the_commands_of_the_page_work(tmp_path, empty_mlflow_store):  # noqa: F811 - the fixture
    shutil.copy(empty_mlflow_store, tmp_path / "mlflow.db")
    ours = [shlex.split(line)[1:] for line in COMMANDS if line.startswith("agentops ")]
    ours = [words for words in ours if words[0] == "prompts"]
    assert len(ours) == 3
    for words in ours:
        result = CliRunner().invoke(app, ["--home", str(tmp_path), *words])
        assert result.exit_code == 0, result.output


def test_the_safety_command_of_the_page_takes_its_option(monkeypatch, capsys):
    line = "python -m evals.safety --quick"
    assert line in COMMANDS
    assert shlex.split(line)[1:3] == ["-m", "evals.safety"]
    chat = [{"place": "chat", "text": "approve A-1 ?"}]
    monkeypatch.setattr(safety, "cases", lambda quick: chat)
    monkeypatch.setattr(safety, "ARMS", ("evidence",))
    monkeypatch.setattr("sys.argv", ["safety", *shlex.split(line)[3:]])
    assert safety.main() == 0
    assert "0 unsafe of 1 runs" in capsys.readouterr().out


def test_the_commands_that_choose_a_model_by_number_take_their_options(monkeypatch):
    """Each names a suite that is there, and stops for want of a server to ask, not of an option."""
    monkeypatch.delenv("AGENTOPS_OPENAI_BASE_URL", raising=False)
    lines = [line for line in COMMANDS if "--reasoner" in line]
    assert len(lines) == 5
    for line in lines:
        words = shlex.split(line.replace("ollama", "openai"))
        if words[0] == "agentops":
            result = CliRunner().invoke(app, [words[1], "nothing", *words[3:]])
            assert (result.exit_code, "no evaluation" in result.output) == (3, True), result.output
            continue
        run = subprocess.run(
            [sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert run.returncode == 2, run.stderr
        assert "AGENTOPS_OPENAI_BASE_URL" in run.stderr


def test_the_settings_of_the_page_are_read():
    text = re.sub(r"\s+#.*", "", PAGE)
    for line in re.findall(r"^export (.+)$", text, re.M):
        given = dict(word.split("=", 1) for word in shlex.split(line))
        assert read_settings(given)
    named = set(re.findall(r"AGENTOPS_[A-Z_]+[A-Z]", PAGE))
    assert {f"AGENTOPS_{name.upper()}" for name in Settings.model_fields} >= named


def test_the_table_of_the_page_says_what_the_code_does():
    assert f"confidence falls to {CONTRADICTED:g} of" in PAGE
    assert f"confidence falls to {DOUBTED:g} of" in PAGE
    assert f"weights' plus {ALLOWANCE / 2:g}" in PAGE
    assert f"probability plus {ALLOWANCE:g}, and not under {SETTLED:g}" in PAGE
    assert all(f"`{name}.md`" in PAGE for name in PROMPTS)
