"""What starting a command costs, and how the command line fails."""

import json
import os
import subprocess
import sys

import pytest

from agentops_graph.cli.__main__ import GROUPS

HEAVY = ("mlflow", "chromadb", "langgraph", "sklearn", "pandas", "fastapi", "scipy", "httpx")
COMMANDS = [
    command.__name__.strip("_").replace("_", "-") for group in GROUPS.values() for command in group
]


def in_process(desk, *args):
    """Runs a command in a fresh interpreter; says which heavy libraries it loaded."""
    code = (
        "import json, sys\n"
        "from agentops_graph.cli.__main__ import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    code = end.code\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(json.dumps([code, loaded]), file=sys.stderr)"
    )
    made = subprocess.run(
        [sys.executable, "-c", code, "--home", str(desk.home), *args],
        capture_output=True,
        text=True,
        timeout=240,
    )
    return json.loads(made.stderr.splitlines()[-1])


@pytest.mark.parametrize("command", ["incidents", "show", "approvals", "approve", "trace"])
def test_reading_and_deciding_load_no_heavy_library(desk, command):
    approval = desk.approval(desk.incident())
    args = {
        "show": [approval.proposal.incident_id],
        "trace": [approval.proposal.incident_id],
        "approve": [approval.approval_id, "--no-run"],
    }
    assert in_process(desk, command, *args.get(command, [])) == [0, []]


def test_help_loads_nothing_of_the_product_but_the_command_line(desk):
    assert in_process(desk, "--help") == [0, []]
    code = (
        "import sys, agentops_graph.cli.__main__\n"
        "print(' '.join(n for n in ('pydantic', 'numpy', 'sqlalchemy') if n in sys.modules))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert made.stdout.split() == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_itself_with_an_example(desk, command):
    result = desk.run(command, "--help")
    assert result.exit_code == 0
    assert f"agentops {command}" in result.stdout
    assert "Example:" in result.stdout


@pytest.mark.parametrize(
    ("args", "seen"),
    [
        (["frobnicate"], "frobnicate"),
        (["show"], "ID"),
        (["approve", "A-1", "--bogus"], "--bogus"),
        (["incidents", "--limit", "0"], "limit"),
    ],
)
def test_a_command_line_that_can_not_be_understood_is_one_line(desk, args, seen):
    result = desk.run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("agentops: ")
    assert result.stderr.count("\n") == 1
    assert seen in result.stderr
    assert "--help" in result.stderr


def test_a_home_that_can_not_be_a_folder_is_told_with_what_to_do(desk):
    file = desk.home / "file"
    file.write_text("in the way")
    desk.home = file / "below"
    result = desk.run("incidents")
    assert result.exit_code == 7
    assert "AGENTOPS_HOME" in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output


def test_components_that_can_not_be_read_are_told_with_file_and_line(desk):
    (desk.home / "components.yaml").write_text("components:\n  - kind: model\n")
    result = desk.run("incidents")
    assert result.exit_code == 2
    assert "components.yaml:2" in result.stderr


def test_a_setting_that_is_malformed_is_named(desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_LEASE_S", "soon")
    result = desk.run("incidents")
    assert result.exit_code == 2
    assert "AGENTOPS_LEASE_S" in result.stderr


def test_the_version_is_said(desk):
    result = desk.run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("agentops ")


def test_a_fault_of_our_own_is_one_line_with_the_details_in_a_file(desk, tmp_path):
    code = (
        "import sys, agentops_graph.cli.__main__ as command\n"
        "from agentops_graph.cli import screen\n"
        "del screen.out\n"
        "command.main()"
    )
    made = subprocess.run(
        [sys.executable, "-c", code, "--home", str(desk.home), "incidents"],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert made.returncode == 1
    assert made.stderr.count("\n") == 1
    assert "this is a fault in agentops" in made.stderr
    [file] = tmp_path.glob("agentops-fault-*.txt")
    assert "Traceback" in file.read_text()
