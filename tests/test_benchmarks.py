"""The benchmark runs, and its three roads lead to the same end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import audit, ingest, loop, parts

ROOT = Path(__file__).parent.parent


def test_an_incident_goes_down_every_road_to_its_end(tmp_path):
    for make in (loop.bare_road, loop.nodes_road, loop.safe_road):
        folder = tmp_path / make.__name__
        folder.mkdir()
        road = make(folder)
        road(0)  # each asserts that the incident was resolved


def test_every_part_is_measured(tmp_path):
    figures = parts.measured(tmp_path)
    assert set(figures) == set(parts.LABELS)
    assert all(value > 0 for value in figures.values())


def test_the_audit_is_walked_fast_enough_for_a_million_rows_in_a_minute(tmp_path):
    figures = audit.measure(20_000, tmp_path)
    assert figures["rows"] == 20_000
    # A third of what two quiet cores do: other tests run beside this one.
    assert figures["verify_rows_per_s"] > 1_000_000 / 60


@pytest.mark.slow
def test_the_figures_come_as_json():
    command = [sys.executable, "benchmarks/loop.py", "--incidents", "1", "--json"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert figures["safe_ms"] > figures["nodes_ms"] > 0


def test_loading_with_checks_is_nearly_as_fast_as_without(tmp_path):
    figures = ingest.compared(tmp_path, 4000)
    # The aim is 0.8 of what plain sqlite-utils does; other tests run beside this one, and in so few
    # rows the first one weighs.
    assert figures["cpu_ratio"] > 0.4


@pytest.mark.slow
def test_a_load_that_is_killed_twice_loses_no_row_and_doubles_none(tmp_path):
    figures = ingest.killed_and_resumed(tmp_path, 60_000)
    assert figures["killed"] == 2
    assert 0 < figures["resumed_at"] < 60_000
