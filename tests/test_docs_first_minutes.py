"""The first five minutes, word for word as the page has them."""

import csv
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner as ClickRunner
from sqlite_utils.cli import cli as sqlite_utils
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from agentops_graph.domain.schedule import LEAST_BLIND_S, LOOKS_MISSED, SLOTS
from agentops_graph.gathering.gap import BUDGET_S, LEAST_GRACE_S, MOST_WINDOWS
from agentops_graph.patrol import LOOK_S, WORKERS
from agentops_graph.warehouse.tables import NEEDED

PAGE = (Path(__file__).parent.parent / "docs" / "sources.md").read_text(encoding="utf-8")
PLAIN = " ".join(PAGE.split())


@pytest.fixture
def own_rows(tmp_path, monkeypatch):
    """A folder with nothing but a CSV of predictions: of the page's good days, and of today."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_HOME", raising=False)
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    now, good = datetime.now(UTC), datetime(2026, 3, 2, tzinfo=UTC)
    times = [now - timedelta(seconds=12 * n) for n in range(300)]
    times += [good + timedelta(minutes=n) for n in range(300)]
    columns = (*NEEDED["PREDICTION_LOGS"], "actual_label", "latency_ms")
    with Path("predictions.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for number, at in enumerate(times):
            row = {
                "timestamp": at.isoformat(),
                "model_name": "churn",
                "prediction_id": number,
                "prediction": number % 2,
                "actual_label": number % 2,
                "features": f'{{"tenure": {number % 30}}}',
                "latency_ms": 20 + number % 5,
            }
            writer.writerow(row)
    return tmp_path


def test_the_first_five_minutes_work_as_the_page_says(own_rows):
    section = PAGE.split("## Five minutes")[1].split("\n## ")[0]
    commands = re.findall(r"^\$ (.+)$", section, re.M)
    said = {}
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "agentops":
            result = CliRunner().invoke(app, arguments)
        else:
            result = ClickRunner().invoke(sqlite_utils, arguments)
        assert result.exit_code == 0, (command, result.output)
        said[command] = result.output
    assert "1 model." in said["agentops watch init"]
    assert "binary" in said["agentops watch check"]
    assert "latency_p99" in said["agentops monitor --once"]
    assert "churn" in said["agentops watch status"]


def test_the_figures_of_the_page_are_those_of_the_code():
    assert SLOTS == 12
    assert "one of twelve" in PLAIN
    assert WORKERS == 4
    assert "Four looks run at a time" in PLAIN
    assert f"more than {LOOK_S:g} s is given up" in PLAIN
    assert (LOOKS_MISSED, LEAST_BLIND_S) == (3, 300)
    assert "three looks, five minutes at least" in PLAIN
    assert f"{MOST_WINDOWS} windows (`drift_window_s`) or {BUDGET_S:g} s at most" in PLAIN
    assert LEAST_GRACE_S == 300
    assert "a quarter of the window (five minutes at least)" in PLAIN
