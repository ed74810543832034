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


ONSET = "2026-02-28T12:10:00Z"


def series(desk):
    return pd.read_csv(desk.home / "series.csv")


def ranked(desk, table, *more, **said):
    table.to_csv(desk.home / "other.csv", index=False)
    return desk.read("rca", str(desk.home / "other.csv"), "--onset", ONSET, *more, **said)


def refusal(desk, *more, code=2, file="series.csv"):
    result = desk.run("rca", str(desk.home / file), *more)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    return result.stderr


@pytest.mark.parametrize(
    ("symptom", "problem"),
    [
        ("foo/latency", "there is no component 'foo'; known are cart, front, pay"),
        ("frnt", "there is no component 'frnt'; did you mean front?"),
        ("front/latncy", "no component has a metric 'latncy'; did you mean latency?"),
    ],
)
def test_a_symptom_that_nobody_knows_is_refused(desk, symptom, problem):
    assert problem in refusal(desk, "--onset", ONSET, "--symptom", symptom)


def test_a_symptom_may_be_a_component_of_the_graph_without_series(desk):
    (desk.home / "edges.yaml").write_text("calls:\n  - [shop, front]\n  - [front, pay]\n")
    graph = ("--graph", str(desk.home / "edges.yaml"))
    answer = ranked(desk, series(desk), *graph, "--symptom", "shop")
    assert answer["components"][0]["component"] == "pay"


def test_an_edge_to_a_component_without_series_is_said_and_the_rest_counts(desk):
    (desk.home / "edges.yaml").write_text("calls:\n  - [front, pya]\n  - [front, pay]\n")
    asked = ("rca", str(desk.home / "series.csv"), "--graph", str(desk.home / "edges.yaml"))
    result = desk.run(*asked)
    assert result.exit_code == 0
    assert "--graph: 'pya' has no series; did you mean pay?" in result.stderr
    warnings = json.loads(desk.run(*asked, "--json").stdout)["warnings"]
    assert warnings == ["--graph: 'pya' has no series; did you mean pay?"]


@pytest.mark.parametrize("onset", ["2026-03-28T12:00:00Z", "2026-01-28T12:00:00Z"])
def test_an_onset_outside_the_rows_is_too_little_data_and_no_ranking(desk, onset):
    said = refusal(desk, "--onset", onset, code=6)
    assert f"the onset {onset[:10]}" in said
    assert "nothing can be ranked" in said


def test_times_under_another_name_are_recognised(desk):
    answer = ranked(desk, series(desk).rename(columns={"time": "zeit"}))
    assert answer == ranked(desk, series(desk))
    assert {one["component"] for one in answer["components"]} == {"front", "cart", "pay"}


def test_of_two_columns_of_times_one_has_to_be_named(desk):
    table = series(desk).rename(columns={"time": "zeit"})
    table["stored"] = "2026-03-01T00:00:00Z"
    table.to_csv(desk.home / "two.csv", index=False)
    said = refusal(desk, "--onset", ONSET, file="two.csv")
    assert "columns zeit, stored all hold times; name it with --time-column" in said
    assert ranked(desk, table, "--time-column", "zeit") == ranked(desk, series(desk))
    assert "did you mean zeit?" in refusal(desk, "--time-column", "zeti", file="two.csv")


def test_numbers_are_no_times_unless_they_are_named(desk):
    table = series(desk).drop(columns="time")
    table["n"] = [pd.Timestamp("2026-02-28T12:00:00Z").timestamp() + 6 * i for i in range(200)]
    table.to_csv(desk.home / "n.csv", index=False)
    assert "no column is called `time` or holds dates" in refusal(desk, file="n.csv")
    assert ranked(desk, table, "--time-column", "n") == ranked(desk, series(desk))


def test_one_row_per_value_is_pivoted(desk):
    wide = ranked(desk, series(desk))
    long = series(desk).melt("time", var_name="metric", value_name="value")
    assert ranked(desk, long) == wide
    parts = long["metric"].str.split("_", expand=True)
    apart = long.assign(component=parts[0], metric=parts[1])
    assert ranked(desk, apart[["time", "component", "metric", "value"]]) == wide


def test_a_file_without_rows_says_so(desk):
    (desk.home / "empty.csv").write_text("time,pay_latency\n")
    assert "empty.csv: has no rows" in refusal(desk, file="empty.csv")


def test_times_that_cannot_be_read_are_shown(desk):
    table = series(desk).assign(time="28 Feb at noon")
    table.to_csv(desk.home / "noon.csv", index=False)
    assert "column 'time' holds no times: '28 Feb at noon'" in refusal(desk, file="noon.csv")
