"""Commands that run incidents."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.cli.signals import until_told


def test_work_once_carries_forward_what_waits(desk):
    incident_id = desk.incident()
    told = desk.read("work", "--once")
    assert told["done"] >= 1
    assert told["runner"].startswith("work@")
    assert desk.workshop.service.case(incident_id).incident.status == "escalated"
    assert desk.read("work", "--once")["done"] == 0


def test_a_runner_told_to_end_drains_and_is_no_longer_alive(desk):
    incident_id = desk.incident()
    command = [sys.executable, "-m", "agentops_graph.cli", "--home", str(desk.home), "work"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert "is working" in process.stderr.readline()
        log = desk.workshop.ports.log
        until = time.monotonic() + 60
        while not log.timeline(incident_id) and time.monotonic() < until:
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert out == "stopped\n"
    assert desk.workshop.service.runners_alive() == []


def test_a_quiet_monitor_shows_its_figures_and_ends_with_zero(desk):
    desk.watch_agent(error_rate=0.01)
    result = desk.run("monitor", "--once")
    assert result.exit_code == 0, result.output
    assert "error_rate 0.01" in result.stdout
    assert "Nothing new crossed its threshold" in result.stdout
    assert desk.read("incidents") == []


def test_the_monitor_prints_the_feed_line_and_runs_what_it_opened(desk):
    desk.watch_agent(error_rate=0.3)
    result = desk.run("monitor", "--once")
    assert result.exit_code == 0, result.output
    assert "CRITICAL: Agent error rate" in result.stdout
    [incident] = desk.read("incidents")
    assert incident["component"] == "support-bot"
    assert incident["status"] in ("awaiting_approval", "escalated")
    again = desk.read("monitor", "--once")
    assert again["feed"] == []
    assert again["readings"]["support-bot"]["error_rate"] > 0.05


def test_a_monitor_that_can_measure_nothing_gives_no_all_clear(desk):
    (desk.home / "components.yaml").write_text("components:\n  - name: bot\n    kind: agent\n")
    result = desk.run("monitor", "--once")
    assert result.exit_code == 6
    assert "no all-clear" in result.stderr
    assert "crossed" not in result.stderr


def test_a_monitor_without_components_says_where_to_describe_them(desk):
    result = desk.run("monitor", "--once")
    assert result.exit_code == 2
    assert "components.yaml" in result.stderr


def test_the_monitor_goes_on_until_it_is_told_to_end(desk):
    desk.watch_agent(error_rate=0.3)
    command = [sys.executable, "-m", "agentops_graph.cli", "--home", str(desk.home)]
    process = subprocess.Popen(
        [*command, "monitor", "--every", "0.1", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        looks, lines = [], ""
        while len(looks) < 2:
            lines += process.stdout.readline()
            if lines.endswith("\n}\n"):
                looks.append(json.loads(lines))
                lines = ""
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert looks[0]["feed"]
    assert looks[1]["feed"] == []


def test_a_healthy_component_is_said_to_be_so_with_its_figures(desk):
    desk.watch_agent(error_rate=0.01)
    result = desk.run("investigate", "is support-bot well?")
    assert result.exit_code == 0
    assert "support-bot is healthy" in result.stdout
    assert "error_rate 0.01" in result.stdout
    told = desk.read("investigate", "support-bot")
    assert told["healthy"] is True
    assert told["cases"] == []


def test_an_unhealthy_component_is_investigated_here_and_its_case_shown(desk):
    desk.watch_agent(error_rate=0.3)
    result = desk.run("investigate", "support-bot", "--as", "mia")
    assert result.exit_code == 0, result.output
    assert "CRITICAL: Agent error rate" in result.stdout
    assert "root_cause" in result.stdout
    told = desk.read("investigate", "support-bot")
    assert told["healthy"] is False
    assert told["cases"][0]["incident"]["opened_by"] == "mia"
    assert told["cases"][0]["diagnosis"]["root_cause"]


def test_an_investigation_that_shall_not_run_only_opens_the_incident(desk):
    desk.watch_agent(error_rate=0.3)
    told = desk.read("investigate", "support-bot", "--no-run")
    assert told["cases"][0]["incident"]["status"] == "detected"


def test_a_component_without_data_is_not_called_healthy(desk):
    desk.watch_agent(error_rate=0.01)
    (desk.home / "components.yaml").write_text("components:\n  - name: other\n    kind: agent\n")
    result = desk.run("investigate", "other")
    assert result.exit_code == 6
    assert "healthy" not in result.stdout
    assert "no agent metrics" in result.stdout


def test_a_component_nobody_knows_is_not_found(desk):
    desk.watch_agent(error_rate=0.01)
    result = desk.run("investigate", "frobnicator")
    assert result.exit_code == 3
    assert "support-bot" in result.stderr


def test_an_investigation_is_watched_while_another_runner_does_it(desk):
    desk.watch_agent(error_rate=0.3)
    runner, stop = desk.workshop.runner("work"), threading.Event()
    thread = threading.Thread(target=runner.run, args=(stop,), kwargs={"every_s": 0.05})
    thread.start()
    try:
        while not desk.workshop.service.runners_alive():
            os.sched_yield()
        told = desk.read("investigate", "support-bot")
    finally:
        stop.set()
        thread.join()
    assert told["cases"][0]["incident"]["status"] in ("awaiting_approval", "escalated")
    nodes = [event["node"] for event in told["cases"][0]["timeline"]]
    assert nodes.count("diagnose") == 1


@pytest.fixture
def at_a_terminal():
    """A process begun in the background ignores Ctrl-C; one at a terminal does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("at_a_terminal")
def test_the_first_ctrl_c_lets_the_step_end_and_the_second_does_not():
    with until_told() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_investigation_shows_the_segments_worst_first(desk):
    rows, now = desk.workshop.ports.warehouse, datetime.now(UTC)
    (desk.home / "components.yaml").write_text("components:\n  - name: fraud\n")
    for days, bad in ((3, False), (0, True)):
        first = now - timedelta(days=days, minutes=50)
        rows.write("PREDICTION_LOGS", (_scored(n, first, bad) for n in range(2000)))
    day, until = ((now - ago).date() for ago in (timedelta(days=4), timedelta(days=2)))
    taken = desk.run("reference", "fraud", "--from", str(day), "--until", str(until))
    assert taken.exit_code == 0, taken.output
    told = desk.read("investigate", "fraud", "--no-run")
    assert told["findings"][-1]["segment"] == "country=DE"
    assert told["segments"][0]["segment"] == "country=DE"
    assert told["segments"][0]["is_lost"]
    shown = desk.run("investigate", "fraud", "--no-run")
    assert "segments, worst first: country=DE 0." in " ".join(shown.stdout.split())


def _scored(n, first, bad):
    """Every tenth class is wrong, and half of those from DE if they are bad."""
    country = ("DE", "FR", "US", "UK", "US")[n % 5]
    wrong = n % 10 == 3 or (bad and country == "DE" and n % 2 == 0)
    return {
        "timestamp": first + timedelta(seconds=n),
        "prediction_id": f"{first:%d}-{n}",
        "model_name": "fraud",
        "model_version": "1",
        "segment": f"country={country}",
        "features": {"amount": float(n % 37)},
        "prediction": (n // 5) % 2 if not wrong else 1 - (n // 5) % 2,
        "actual_label": (n // 5) % 2,
    }
