"""A team adds a runbook for a failure nobody knew, by the page alone, and the agent names it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app
from evals.detection.watched import KINDS
from evals.diagnosis.around import after
from evals.diagnosis.scenario import Scenario
from evals.diagnosis.world import grown, live

PAGE = Path(__file__).parent.parent.parent / "docs" / "runbooks.md"
HOT = Scenario(
    "latency step, cooling fault",
    "fault",
    KINDS["latency step"].make,
    "model",
    around=after("cooling_fault"),
)


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    path = tmp_path_factory.mktemp("trunk") / "trunk.db"
    grown(HOT, 2, path)
    return path


@pytest.fixture
def own(tmp_path):
    """The folder with the file of the page, as a reader would copy it."""
    (text,) = re.findall(r"```markdown\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "hot_machines.md").write_text(text, encoding="utf-8")
    return folder


def told(trunk, folder, runbooks=None):
    folder.mkdir()

    def around(case, rng):
        return replace(HOT.around(case, rng), runbooks=runbooks)

    (found,) = live(replace(HOT, around=around), 2, trunk, folder).told
    return found


def test_a_failure_that_no_runbook_knows_is_not_named(trunk, tmp_path):
    diagnosis = told(trunk, tmp_path / "case").diagnosis
    assert diagnosis.cause == "unknown"
    assert not any(action.requires_approval for action in diagnosis.recommended_actions)


def test_the_page_s_runbook_makes_the_agent_name_it(trunk, own, tmp_path):
    result = CliRunner().invoke(
        app, ["--home", str(tmp_path / "home"), "runbooks", "check", str(own)]
    )
    assert result.exit_code == 0, result.output
    diagnosis = told(trunk, tmp_path / "case", own).diagnosis
    assert diagnosis.cause == "thermal_throttling"
    assert diagnosis.runbook_reference == "hot_machines.md#section-2-what-to-do"
    assert diagnosis.confidence >= 0.7
    (asked,) = [a for a in diagnosis.recommended_actions if a.requires_approval]
    assert (asked.action, asked.effect) == (
        "scale_infrastructure",
        "other racks take half of the requests",
    )
    assert (asked.risk, asked.reversible) == ("low", True)
