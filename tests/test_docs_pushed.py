"""The page on sources, on what other systems push: files that load, commands that run."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agentops_graph.adapters.yaml_sources import read_sources
from agentops_graph.cli.__main__ import app
from agentops_graph.domain.sources.alertmanager import AlertmanagerSource
from agentops_graph.domain.sources.cloudevents import TYPES

PAGE = (Path(__file__).parent.parent / "docs" / "sources.md").read_text(encoding="utf-8")
SECTIONS = ("Alerts pushed by Alertmanager", "CloudEvents", "Being scraped")
PUSHED = "".join(
    re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)[1] for title in SECTIONS
)


def shown(name):
    (text,) = re.findall(rf"```yaml\n(# {name}\n.*?)```", PUSHED, re.S)
    return text


def test_file_of_the_page_is_read_and_names_every_field(tmp_path):
    file = tmp_path / "sources.yaml"
    file.write_text(shown("sources.yaml"))
    declared = read_sources(file).alertmanager
    assert declared.model_fields_set == set(AlertmanagerSource.model_fields)
    usual = AlertmanagerSource()
    for field in ("component_labels", "other_alerts", "other_severity"):
        assert getattr(declared, field) == getattr(usual, field), "shown as what may be left out"


def test_page_lists_every_type_of_event():
    assert set(re.findall(r"^\| `(agentops\.[\w.]+)` \|", PUSHED, re.M)) == set(TYPES)


def test_commands_of_the_page_work_in_its_order(tmp_path, monkeypatch):
    lines = re.findall(r"^agentops (.+)$", PUSHED, re.M)
    assert len(lines) >= 2
    for line in lines:
        words = ["--home", str(tmp_path), *shlex.split(line)]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (line, result.output)
        token = re.search(r"agops_\S{43}", result.output)[0]
        if "admin" in line:
            monkeypatch.setenv("AGENTOPS_TOKEN", token)


@pytest.mark.slow
def test_files_for_alertmanager_and_prometheus_are_what_their_own_tools_take(tmp_path):
    if shutil.which("promtool") is None or shutil.which("amtool") is None:
        pytest.skip(
            "NOT CHECKED: apt-get install -y --no-install-recommends prometheus "
            "prometheus-alertmanager"
        )
    for name, tool in (
        ("alertmanager.yml", ["amtool", "check-config"]),
        ("prometheus.yml", ["promtool", "check", "config"]),
    ):
        text = shown(name)
        assert yaml.safe_load(text)
        for secret in re.findall(r"credentials_file: (\S+)", text):
            held = tmp_path / "agentops.token"
            held.write_text("agops_x")
            text = text.replace(secret, str(held))
        (tmp_path / name).write_text(text)
        done = subprocess.run(
            [*tool, str(tmp_path / name)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
