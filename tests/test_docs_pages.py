"""Lists and numbers in the pages, held against the code they speak of."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.cli.__main__ import app
from agentops_graph.diagnosis.front_matter import CauseEntry, IncidentFront, RunbookFront
from agentops_graph.diagnosis.runbook import parse_document
from agentops_graph.diagnosis.scoring import doubt, weighed
from agentops_graph.domain.action import ACTION_KINDS, NOTICE_KINDS
from agentops_graph.domain.alert import ALERT_TYPES
from agentops_graph.domain.alerting import Alerting
from agentops_graph.domain.component import Component, HealthWindow, Sampling, Thresholds
from agentops_graph.domain.evidence import SIGNALS
from agentops_graph.domain.metric import Metric
from agentops_graph.errors import AgentOpsError
from agentops_graph.warehouse.tables import TABLES

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def words(text):
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_links_between_pages_lead_somewhere(file):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_warehouse_page_lists_every_column_of_every_table():
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", page("warehouse.md"), re.M)
    listed = {table: columns.split(", ") for table, columns in rows}
    assert listed == {table: list(columns) for table, columns in TABLES.items()}


@pytest.mark.parametrize("file", ["README.md", "docs/warehouse.md"])
def test_reference_profile_is_taken_by_the_command_of_the_page(file, tmp_path):
    (tmp_path / "components.yaml").write_text("components:\n  - name: fraud-detector\n")
    first = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        {
            "timestamp": first + timedelta(minutes=number),
            "prediction_id": f"p-{number}",
            "model_name": "fraud-detector",
            "model_version": "1",
            "features": {"amount": 12.5 + number % 7},
            "prediction": number % 2,
            "actual_label": number % 2,
        }
        for number in range(200)
    ]
    warehouse = SqliteWarehouse(tmp_path / "warehouse.db")
    warehouse.write("PREDICTION_LOGS", rows)
    text = (ROOT / file).read_text(encoding="utf-8")
    (command,) = re.findall(r"agentops (reference fraud-detector [^`\n]*)", text)
    result = CliRunner().invoke(app, ["--home", str(tmp_path), *command.split()])
    assert result.exit_code == 0, result.output
    saved = warehouse.reference("fraud-detector", "1")
    assert list(saved.features) == ["amount"]
    assert saved.metrics == {"f1": 1.0}


def test_runbook_page_lists_every_signal_type_and_action():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page("runbooks.md"), re.M))
    assert {name: rows.get(name) for name in SIGNALS} == SIGNALS
    for name in (*ALERT_TYPES, *ACTION_KINDS, *NOTICE_KINDS):
        assert name in words(page("runbooks.md")) or name == "close_github_issue"


def test_runbook_page_lists_every_key_of_front_matter():
    listed = words(page("runbooks.md"))
    for kind in (RunbookFront, CauseEntry, IncidentFront):
        assert set(kind.model_fields) <= listed


def example_runbook():
    (text,) = re.findall(r"```markdown\n(.*?)```", page("runbooks.md"), re.S)
    return parse_document("hot_machines.md", text)


def test_example_runbook_names_its_cause_with_the_confidence_the_page_says():
    shipped = [parse_document(f.name, f.read_text()) for f in (ROOT / "runbooks").glob("*.md")]
    causes = [c for d in (*shipped, example_runbook()) for c in d.causes if "latency" in c.serves]
    asked = {weight.signal for cause in causes for weight in cause.signals}
    signals = dict.fromkeys(asked, -1.0) | {"latency_step": 1.0, "latency_high": 1.0}

    best = weighed(causes, signals | {"change:cooling_fault": 1.0}, {})[0]
    assert best.cause.cause == "thermal_throttling"
    assert f"the score is {best.score:.2f} and the confidence {best.confidence:.0%}" in " ".join(
        page("runbooks.md").split()
    )
    assert doubt(weighed(causes, signals, {}))


def test_components_page_names_every_field():
    listed = words(page("components.md"))
    for kind in (Component, Thresholds, Alerting, HealthWindow, Sampling, Metric):
        assert set(kind.model_fields) <= listed, kind.__name__


def test_command_page_names_every_command():
    known = set(get_command(app).commands) - {"audit", "runbooks"}
    table = "\n".join(row for row in page("cli.md").splitlines() if row.startswith("| `"))
    assert {name for name in known if not re.search(rf"`{name}[ `]", table)} == set()


def test_command_page_gives_each_exit_code_its_row():
    codes = {int(code) for code in re.findall(r"^\| (\d) \|", page("cli.md"), re.M)}
    assert codes == {0, *exit_codes(AgentOpsError)}


def exit_codes(kind):
    return {kind.exit_code}.union(*map(exit_codes, kind.__subclasses__()))
