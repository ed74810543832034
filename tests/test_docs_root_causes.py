"""What the page on root causes shows is run."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app

PAGE = (Path(__file__).parent.parent / "docs" / "root-causes.md").read_text(encoding="utf-8")


@pytest.fixture
def series(tmp_path, monkeypatch):
    """`pay` breaks at 14:05; its caller slows down with it."""
    dice = np.random.default_rng(2)
    times = pd.date_range("2026-02-28T14:00:00Z", periods=120, freq="5s")
    table = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ")})
    for service in ("front", "cart", "pay"):
        table[f"{service}_latency"] = np.exp(dice.normal(3, 0.1, 120))
    table.loc[60:, "pay_latency"] += 80
    table.loc[60:, "front_latency"] += 90
    table.to_csv(tmp_path / "series.csv", index=False)
    (tmp_path / "edges.yaml").write_text("calls:\n  - [front, cart]\n  - [front, pay]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_lines_of_the_page_name_the_cause(series, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(code, "root-causes.md", "exec"), {})
    names, reason = capsys.readouterr().out.splitlines()
    assert names.startswith("['pay', ")
    assert reason.startswith("latency rose from")


def test_the_command_of_the_page_names_the_cause(series):
    (command,) = re.findall(r"^\$ agentops (.*)$", PAGE, re.M)
    result = CliRunner().invoke(app, ["--home", str(series / "home"), *command.split()])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[2].split()[:2] == ["1", "pay"]
