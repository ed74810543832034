"""The page on sources: its files are read, its commands run, and every key is shown."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentops_graph.adapters.yaml_sources import read_sources
from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.sources.logs import ElasticLogs, FileLogs, LokiLogs
from agentops_graph.domain.sources.rest import RestSignal, RestSource
from agentops_graph.settings import read_settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = (Path(__file__).parent.parent / "docs" / "sources.md").read_text(encoding="utf-8")


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)[1]


def declared(tmp_path, title):
    (text,) = re.findall(r"```yaml\n(.*?)```", section(title), re.S)
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    return read_sources(path)


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("Logs", (FileLogs, LokiLogs, ElasticLogs)),
        ("Any REST API", (RestSource, RestSignal)),
    ],
)
def test_the_file_of_the_page_is_read_and_the_section_names_every_key(tmp_path, title, kinds):
    assert declared(tmp_path, title)
    shown = set(re.findall(r"\w+", section(title)))
    assert {key for kind in kinds for key in kind.model_fields} <= shown


def test_the_defaults_of_the_page_are_the_products(tmp_path):
    files, loki, search = declared(tmp_path, "Logs").logs
    plain = FileLogs(name="x", kind="files", path="x", components=("x",))
    for limit in ("max_lines", "max_bytes", "timeout_s"):
        assert getattr(files, limit) == getattr(plain, limit) == getattr(loki, limit)
    assert search.page_lines == loki.page_lines == LokiLogs.model_fields["page_lines"].default
    (rest,) = declared(tmp_path, "Any REST API").rest
    for limit in ("timeout_s", "max_bytes", "every_s"):
        assert getattr(rest, limit) == RestSource.model_fields[limit].default


def with_lines(home):
    """A folder with one incident whose log lines were kept."""
    (home / "components.yaml").write_text("components:\n  - name: transactions\n")
    workshop = Workshop(read_settings({}, home=home, mlflow=False))
    claim = {
        "severity": "critical",
        "alert_type": "volume_anomaly",
        "affected_component": "transactions",
        "timestamp": NOON,
        "summary": "the feed is empty",
        "metrics": {"volume_ratio": 0.0},
    }
    made = workshop.service.raise_alert(claim, actor="test", via="python").incident_id
    reference = workshop.ports.evidence_folder.keep(made, "p0-loader", ["load failed"])
    piece = Evidence(
        evidence_id=f"{made}/p0/E1",
        incident_id=made,
        kind="logs",
        source="log loader",
        query="lines()",
        summary="load failed",
        references=(reference,),
        measured_at=NOON,
    )
    chapter = Chapter(incident_id=made, kind="evidence", plan_number=0)
    workshop.ports.incidents.keep(chapter, piece)
    return made


def test_the_commands_of_the_page_run(tmp_path):
    assert with_lines(tmp_path) == "INC-2026-1001"
    commands = re.findall(r"^\$ agentops (.*)$", section("Logs"), re.M)
    assert commands == ["evidence INC-2026-1001"]
    assert "$ agentops doctor" in section("Are they all there[?]")
    for command in (*commands, "doctor"):
        result = CliRunner().invoke(app, ["--home", str(tmp_path), *shlex.split(command)])
        assert result.exit_code == 0, result.output
