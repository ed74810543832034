"""The service as a whole: its runner, its monitor, its port."""

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from agentops_graph.errors import InputError, UnavailableError
from agentops_graph.serving.api import create_app
from agentops_graph.serving.api.background import Background
from agentops_graph.serving.api.server import serve

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60


def reached(client, incident_id, statuses):
    """Waits, by the service's own clock of requests, until the runner has carried it so far."""
    waited = threading.Event()
    for _ in range(PATIENCE_S * 10):
        status = client.get(f"/api/v1/incidents/{incident_id}").json()["incident"]["status"]
        if status in statuses:
            return status
        waited.wait(0.1)
    raise AssertionError(f"{incident_id} is still {status}")


def test_service_runs_incidents_and_stops_cleanly(desk):
    before = set(threading.enumerate())
    often = {"requests_per_minute": 1000}  # this test asks ten times a second
    desk.workshop.settings = desk.workshop.settings.model_copy(update=often)
    app = create_app(desk.workshop)
    with TestClient(app, base_url="http://localhost") as client:
        ready = client.get("/readyz").json()["parts"]
        assert ready["runner"]["detail"].startswith("service@")
        incident_id = desk.report()
        assert reached(client, incident_id, {"escalated"}) == "escalated"
        case = client.get(f"/api/v1/incidents/{incident_id}").json()
        assert case["diagnosis"] is not None
    assert desk.service.runners_alive() == []
    left = {t.name for t in set(threading.enumerate()) - before}
    assert not {name for name in left if name.startswith(("agentops", "heartbeat", "lease"))}


class FaultyClock:
    """A clock that fails whoever asks it, and counts them."""

    def __init__(self):
        self.asked = threading.Semaphore(0)

    def now(self):
        self.asked.release()
        raise ZeroDivisionError("a fault of the monitor")


def test_monitor_goes_on_after_a_round_that_failed(desk, caplog):
    clock = FaultyClock()
    workshop = desk.workshop
    workshop.settings = workshop.settings.model_copy(update={"monitor_every_s": 0.01})
    workshop.ports = replace(workshop.ports, clock=clock)
    background = Background(workshop)
    watching = threading.Thread(target=background._watch)
    watching.start()
    assert all(clock.asked.acquire(timeout=PATIENCE_S) for _ in range(3))
    background.stop()
    watching.join(PATIENCE_S)
    assert not watching.is_alive()
    assert "a round of the monitor failed" in caplog.text


def test_port_in_use_is_named_with_how_to_choose_another(desk):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} .*--port or AGENTOPS_HTTP_PORT"):
            serve(desk.workshop, port=port)


def test_address_that_other_machines_reach_is_refused(desk):
    with pytest.raises(InputError, match="asks nobody for a token"):
        serve(desk.workshop, host="0.0.0.0", port=0)


def started(tmp_path, **environment):
    return subprocess.Popen(
        [sys.executable, str(ROOT / "serve.py")],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AGENTOPS_HOME": str(tmp_path / "home"),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_program_ends_with_code_2_when_its_port_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with started(tmp_path, AGENTOPS_HTTP_PORT=port) as program:
            _, errors = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == 2
    assert f"port {port}" in errors
    assert "Traceback" not in errors


def test_program_says_which_data_folder_it_can_not_use(tmp_path):
    (tmp_path / "home").write_text("a file, not a folder")
    with started(tmp_path) as program:
        _, errors = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == UnavailableError.exit_code
    assert "AGENTOPS_HOME" in errors
    assert "Traceback" not in errors


def test_program_answers_and_stops_on_a_signal(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with started(tmp_path, AGENTOPS_HTTP_PORT=str(port)) as program:
        try:
            for line in program.stderr:
                if "Application startup complete" in line:
                    break
            parts = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE_S).json()["parts"]
            assert parts["runner"]["status"] == "ok"
        finally:
            program.terminate()
            _, errors = program.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in errors
    assert program.returncode in (0, -15)
