"""`agentops rca` ranks the series of a file."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import Desk


@pytest.fixture
def desk(tmp_path):
    """A file in which the service `pay` breaks at 12:10, and its callers."""
    dice = np.random.default_rng(1)
    times = pd.date_range("2026-02-28T12:00:00Z", periods=200, freq="6s")
    table = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ")})
    for service in ("front", "cart", "pay"):
        table[f"{service}_latency"] = np.exp(dice.normal(3, 0.1, 200))
    table.loc[100:, "pay_latency"] += 80
    table.loc[100:, "front_latency"] += 90
    table.to_csv(tmp_path / "series.csv", index=False)
    (tmp_path / "edges.yaml").write_text("calls:\n  - [front, cart]\n  - [front, pay]\n")
    return Desk(tmp_path)


def test_the_first_row_is_the_cause_with_its_reason(desk):
    result = desk.run(
        "rca", str(desk.home / "series.csv"), "--onset", "2026-02-28T12:10:00Z",
        "--graph", str(desk.home / "edges.yaml"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    head, _, first, *_ = result.stdout.splitlines()
    assert head.startswith("Onset 2026-02-28 12:")
    assert first.split()[:2] == ["1", "pay"]
    assert "latency rose from" in first
    assert "12:10:00 UTC" in first


def test_the_whole_ranking_comes_as_json_and_the_onset_is_found(desk):
    answer = desk.read("rca", str(desk.home / "series.csv"), "--symptom", "front/latency")
    assert answer["onset_from"] == "found"
    assert answer["onset"] == pytest.approx(
        pd.Timestamp("2026-02-28T12:10:00Z").timestamp(), abs=12
    )
    assert {one["component"] for one in answer["components"]} == {"front", "cart", "pay"}
    assert json.dumps(answer["metrics"][0])


@pytest.mark.parametrize(
    ("edges", "problem"),
    [
        ("- [a, b]\n", "has to be a mapping of `flows` or `calls`"),
        ("calls: [[front, pay, db]]\n", "is no pair of names"),
        ("calls: front\n", "is no pair of names"),
    ],
)
def test_a_graph_that_is_none_is_refused(desk, edges, problem):
    (desk.home / "edges.yaml").write_text(edges)
    result = desk.run(
        "rca", str(desk.home / "series.csv"), "--graph", str(desk.home / "edges.yaml")
    )
    assert result.exit_code == 2
    assert problem in result.stderr


def test_hostile_names_reach_the_terminal_harmless(desk):
    table = pd.read_csv(desk.home / "series.csv").rename(columns={"pay_latency": "\x1b[2Jpay_cpu"})
    table.to_csv(desk.home / "series.csv", index=False)
    result = desk.run("rca", str(desk.home / "series.csv"), "--onset", "2026-02-28T12:10:00Z")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.stdout


def test_a_file_that_is_not_there_is_said(desk):
    result = desk.run("rca", str(desk.home / "nothing.csv"))
    assert result.exit_code == 2
    assert "there is no such file" in result.stderr
