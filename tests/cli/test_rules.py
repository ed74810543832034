"""Verdicts, noise and back-tests at the terminal."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.cli.sparkline import GAP, in_words, sparkline
from agentops_graph.domain.alert import Chart, Finding, claim_from

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_verdict_is_kept_shown_and_may_be_changed(desk):
    first, second = desk.incident(), desk.incident(segment="eu")
    told = desk.read("verdict", first, "right", "--as", "mia")
    assert (told["verdict"], told["actor"], told["via"]) == ("right", "mia", "cli")
    again = desk.run("verdict", first, "duplicate", "--of", second.lower(), "--comment", "the same")
    assert f"duplicate of {second}" in again.stdout
    case = desk.read("show", first)
    assert [v["verdict"] for v in case["verdicts"]] == ["right", "duplicate"]
    text = desk.run("show", first).stdout
    assert text.index(f"duplicate of {second}") < text.index("mia")
    assert "the same" in text
    assert "incident.judged" in [r["what"] for r in desk.workshop.ports.audit.rows(first)]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("maybe",), 2, "false-alarm"),
        (("duplicate",), 2, "names the incident"),
        (("right", "--of", "INC-2026-1"), 2, "names the incident"),
        (("duplicate", "--of", "INC-2026-1"), 3, "INC-2026-1"),
    ],
)
def test_a_verdict_that_can_not_be_is_refused(desk, words, code, said):
    result = desk.run("verdict", desk.incident(), *words)
    assert result.exit_code == code
    assert said in result.stderr


def test_an_incident_is_no_duplicate_of_itself(desk):
    incident_id = desk.incident()
    result = desk.run("verdict", incident_id, "duplicate", "--of", incident_id)
    assert result.exit_code == 2
    assert "itself" in result.stderr


def drift(desk, level, word):
    ports, now = desk.workshop.ports, datetime.now(UTC)
    finding = Finding(
        component="ghost-model",
        alert_type="model_drift",
        severity="critical",
        metric="drift_score",
        value=level,
        threshold=0.3,
        window_start=now - timedelta(hours=1),
        window_end=now,
        summary="drift",
    )
    admitted = ports.incidents.admit(claim_from([finding]), opened_by="monitor", at=now)
    ports.incidents.update(admitted.incident_id, status="closed", ended_at=now)
    assert desk.run("verdict", admitted.incident_id, word).exit_code == 0


def test_noise_gives_precision_and_a_better_line(desk):
    assert "No rule raised" in desk.run("noise").stdout
    for level in (0.6, 0.8, 0.9):
        drift(desk, level, "right")
    for level in (0.31, 0.35, 0.4):
        drift(desk, level, "false-alarm")
    (row,) = desk.read("noise")["rules"]
    assert (row["precision"], row["suggested"]) == (0.5, 0.5)
    text = desk.run("noise", "--days", "7").stdout
    assert "aggregate_psi 0.5" in text
    assert "50% (19% to 81%)" in text
    assert desk.run("noise", "--days", "0").exit_code == 2


def test_a_back_test_tells_what_would_have_been_and_what_says_nothing(desk):
    desk.watch_agent(error_rate=0.4)
    found = desk.read("backtest", "--days", "0.3", "--every", "15m")
    (outage,) = [r for r in found["rules"] if r["alert_type"] == "provider_outage"]
    assert (outage["paged"], outage["unmatched"]) == (1, 1)
    text = desk.run("backtest", "--days", "0.3", "--every", "15m").stdout
    assert "would have opened 1 incidents, paged 1 times, 1 without a later incident" in text
    assert "says nothing: support-bot: never had the data to judge memory_bloat" in text
    laxer = ("--set", "thresholds.agent_error_rate=0.9")
    assert desk.read("backtest", "--days", "0.3", *laxer)["paged"] == 0
    assert desk.read("incidents") == []


@pytest.mark.parametrize(
    "words",
    [
        ("--every", "often"),
        ("--days", "-1"),
        ("--since", "yesterday"),
        ("--set", "aggregate_psi"),
        ("--set", "thresholds.nothing=1"),
    ],
)
def test_a_back_test_that_is_malformed_is_refused(desk, words):
    desk.watch_agent(error_rate=0.01)
    result = desk.run("backtest", *words)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("agentops: ")


def test_a_back_test_of_what_is_not_watched_is_refused(desk):
    desk.watch_agent(error_rate=0.01)
    assert desk.run("backtest", "--component", "nobody").exit_code == 3


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ((0.0, 0.5, 1.0), "▁▅█"),
        ((1.0, None, 2.0), f"▁{GAP}█"),
        ((3.0, 3.0), "▅▅"),
        ((), ""),
        ((None, None), GAP * 2),
    ],
)
def test_a_chart_is_a_line_of_bars(values, bars):
    assert sparkline(values) == bars


def test_a_chart_in_words_says_range_line_stretch_and_onset():
    chart = Chart(
        metric="drift_score",
        begins_at=NOW,
        every_s=360,
        values=tuple(np.linspace(0.02, 1.1, 8)),
        threshold=0.3,
        onset_at=NOW + timedelta(minutes=5),
    )
    said = "▁▂▃▄▅▆▇█  0.02 to 1.1, line 0.3, each bar 6 min, since 12:05 UTC"
    assert in_words(chart) == said


def test_an_alert_is_shown_with_its_chart(desk):
    desk.watch_agent(error_rate=0.4)
    desk.run("monitor", "--once")
    (incident,) = desk.read("incidents")
    text = desk.run("show", incident["incident_id"]).stdout
    assert "█" in text
    assert "line 0.05" in text
    (alert,) = desk.read("show", incident["incident_id"])["alerts"]
    assert len(alert["findings"][0]["chart"]["values"]) == 60
