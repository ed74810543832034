"""The audit's page: its commands run, and its twelve lines verify an export without the product."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Text
from typer.testing import CliRunner

from agentops_graph.adapters.sqlalchemy_ledger import tables
from agentops_graph.adapters.sqlalchemy_ledger.sealed import Sealed
from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.settings import read_settings

PAGE = (Path(__file__).parent.parent / "docs" / "audit.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ agentops (.+)$", PAGE, re.M)


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    audit = Workshop(read_settings({}, home=home, mlflow=False)).ports.audit
    clock = Workshop(read_settings({}, home=home, mlflow=False)).ports.clock
    for number in range(5):
        audit.write(f"step-{number}", actor="miä", via="cli", at=clock.now(), n=number)
    return home


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_page_runs(home, command, monkeypatch, tmp_path):
    (made,) = re.findall(r"AGENTOPS_ENCRYPTION_KEY=\$\(python -c '(.+)'\)", PAGE)
    key = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, check=True)
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY", key.stdout.strip())
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["--home", str(home), *shlex.split(command)])
    assert result.exit_code == 0, result.output


def test_the_page_shows_every_command_of_the_audit():
    assert {command.split()[1] for command in COMMANDS if command.startswith("audit")} == {
        "verify",
        "export",
    }


def test_the_lines_of_the_page_verify_an_export_and_find_a_changed_row(home, tmp_path):
    export = tmp_path / "all.jsonl"
    CliRunner().invoke(app, ["--home", str(home), "audit", "export", str(export)])
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)

    def verified():
        command = [sys.executable, "-I", "-c", script, str(home / "audit.key"), str(export)]
        return subprocess.run(command, capture_output=True, text=True)

    assert verified().returncode == 0, verified().stderr
    lines = export.read_text().splitlines()
    export.write_text("\n".join([lines[0], lines[1].replace("step-1", "step-9"), *lines[2:]]))
    assert "row 2 does not hold" in verified().stderr
    export.write_text("\n".join([lines[0], *lines[2:]]))
    assert "row 3 does not hold" in verified().stderr


def test_every_column_of_words_is_encrypted():
    plain = {
        "effects.writer",
        "leases.holder",
        "runners.holder",
        "outbox.reference",  # a link
        "outbox.claimed_by",
        "work.writer",
        "sights.holder",
        "lineage_edges.source",  # names of jobs and data sets, as those of components
        "lineage_edges.target",
        "work.entry_point",
        "audit.fields",  # so that its own key alone verifies it
    }
    words = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Text)
    }
    assert words - plain == set()
    sealed = [
        column
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
    ]
    assert {column.type.place for column in sealed} == {
        f"{column.table.name}.{column.name}" for column in sealed
    }
