"""The page on sources, held against the records it speaks of and the commands it shows."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.domain.sources.declared import Sources
from agentops_graph.domain.sources.mlflow import MlflowRuns, MlflowSource, MlflowTraces
from agentops_graph.domain.sources.prometheus import (
    PromComponent,
    PrometheusServer,
    PrometheusSource,
    PromMeasure,
)
from agentops_graph.settings import read_settings

PAGE = (Path(__file__).parent.parent / "docs" / "sources.md").read_text(encoding="utf-8")
COMPONENTS = """\
components:
  - name: support-bot
    kind: agent
  - name: fraud-detector
  - name: transactions
    kind: pipeline
"""


def examples():
    found = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]
    return {name: document for document in found for name in document}


@pytest.mark.parametrize("section", ["prometheus", "mlflow"])
def test_example_of_each_section_is_taken_as_it_stands(section, tmp_path, monkeypatch):
    document = {section: examples()[section][section]}
    Sources.model_validate(document)
    home = tmp_path / "home"
    home.mkdir()
    (home / "components.yaml").write_text(COMPONENTS)
    (home / "sources.yaml").write_text(yaml.safe_dump(document))
    (home / "internal-ca.pem").write_text("")
    monkeypatch.setenv("PROMETHEUS_TOKEN", "t")
    reads = Workshop(read_settings({}, home=home)).reads
    assert reads is not None


@pytest.mark.parametrize(
    "record",
    [
        PrometheusServer,
        PrometheusSource,
        PromComponent,
        PromMeasure,
        MlflowSource,
        MlflowRuns,
        MlflowTraces,
    ],
)
def test_every_key_of_a_section_stands_on_the_page(record):
    words = set(re.findall(r"\w+", PAGE))
    assert set(record.model_fields) <= words


def test_commands_of_the_page_work(tmp_path):
    (tmp_path / "components.yaml").write_text(COMPONENTS)
    commands = re.findall(r"^\$ agentops (sources .*)$", PAGE, re.M)
    assert commands
    for command in commands:
        result = CliRunner().invoke(app, ["--home", str(tmp_path), *command.split()])
        assert result.exit_code == 0, result.output
