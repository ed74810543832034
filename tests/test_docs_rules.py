"""The page on rules: its commands run, its figures are the code's."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from agentops_graph.domain.alerting import Alerting
from agentops_graph.domain.story import EXPLAINS, MUCH_WORSE, ONSET_SLACK
from agentops_graph.gathering.charts import POINTS
from agentops_graph.gathering.noise import LEAST_JUDGED, LEAST_OF_EACH
from tests import data_folder_desk

PAGE = (Path(__file__).parent.parent / "docs" / "rules.md").read_text(encoding="utf-8")
PLAIN = " ".join(PAGE.split())


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two incidents, and a few rows of the model, two hours old and of the page's month."""
    monkeypatch.setattr(data_folder_desk, "COMPONENTS", "components:\n  - name: fraud-detector\n")
    desk = data_folder_desk.Desk(tmp_path / "desk")
    desk.report("fraud-detector")
    desk.report("fraud-detector", "latency")
    first = datetime.now(UTC) - timedelta(hours=2)
    rows = [
        {
            "timestamp": begun + timedelta(seconds=number),
            "prediction_id": f"p-{begun:%m}-{number}",
            "model_name": "fraud-detector",
            "features": {"amount": number % 7},
            "prediction": 1,
        }
        for begun in (first, datetime(2026, 3, 8, tzinfo=UTC))
        for number in range(5)
    ]
    desk.workshop.warehouse.write("PREDICTION_LOGS", rows)
    return tmp_path / "desk", f"INC-{first.year}"


def test_every_command_of_the_page_runs(home):
    folder, year = home
    lines = re.findall(r"^\$ agentops (.*)$", PAGE, re.M)
    assert len(lines) == 8
    for line in lines:
        words = [word.replace("INC-2026", year) for word in shlex.split(line)]
        result = CliRunner().invoke(app, ["--home", str(folder), *words])
        assert result.exit_code == 0, f"{line}: {result.output}"
        assert result.stdout.strip()


def test_page_names_what_a_feed_explains():
    for cause, effects in EXPLAINS.items():
        for kind in (cause, *effects):
            assert f"`{kind}`" in PAGE


def test_figures_of_the_page_are_the_defaults():
    plain = Alerting()
    assert f"`clear_at` ({plain.clear_at})" in PLAIN
    assert f"`cool_down_s`, {plain.cool_down_s / 60:g} minutes" in PLAIN
    assert f"`story_window_s` ({plain.story_window_s / 3600:g} hours)" in PLAIN
    assert f"{MUCH_WORSE:g} times as far beyond its line" in PLAIN
    assert f"more than {ONSET_SLACK.total_seconds() / 60:g} minutes after its effect" in PLAIN
    assert f"up to {POINTS} points" in PLAIN
    assert f"Under {LEAST_JUDGED} verdicts" in PLAIN
    assert f"{LEAST_OF_EACH} right ones and {LEAST_OF_EACH} false alarms" in PLAIN
