"""Debian's Prometheus scrapes a small exporter; what it measured becomes an alert."""

import math
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections import deque
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentops_graph.bootstrap import Workshop
from agentops_graph.errors import UnavailableError
from agentops_graph.monitor import tick
from agentops_graph.settings import read_settings

PROMETHEUS = shutil.which("prometheus")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROMETHEUS is None,
        reason="THE REAL PROMETHEUS IS NOT TESTED: `apt-get install prometheus` puts it here",
    ),
]
LIMITS_S = (0.05, 0.1, 0.5, 1.0, 2.5, 5.0, math.inf)
CONFIGURATION = """\
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: bot
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""
COMPONENTS = """\
components:
  - name: support-bot
    kind: agent
    thresholds: {drift_window_s: 20}
  - name: other-bot
    kind: agent
"""
SOURCES = """\
prometheus:
  servers:
    - url: {url}
  components:
    support-bot:
      step_s: 5
      agent_metrics:
        latency_p95:
          query: histogram_quantile(0.95, sum by (le) (rate(bot_latency_seconds_bucket[4s])))
          scale: 1000
        requests: sum(increase(bot_requests_total[$step]))
        error_rate: >-
          sum(rate(bot_requests_total{{code="500"}}[4s])) / sum(rate(bot_requests_total[4s]))
      infrastructure:
        memory_mb: {{query: process_resident_memory_bytes, scale: 1e-6, aggregate: max}}
    other-bot:
      agent_metrics:
        requests: bot_requests_total
        error_rate: sum(rate(bot_requests_total[1m]
"""


class Bot:
    """An agent's exporter; 20 requests a second, each as slow as `latency_s` is then."""

    def __init__(self):
        self.latency_s, self.counts = 0.08, dict.fromkeys(LIMITS_S, 0)
        self.total, self._last = 0, time.monotonic()
        self.lock = threading.Lock()

    def text(self):
        with self.lock:
            now = time.monotonic()
            new, self._last = int((now - self._last) * 20), now
            self.total += new
            for limit in LIMITS_S:
                self.counts[limit] += new if self.latency_s <= limit else 0
            rows = [
                f'bot_latency_seconds_bucket{{le="{limit}"}} {held}'.replace("inf", "+Inf")
                for limit, held in self.counts.items()
            ]
        by_code = {200: self.total, 500: 0}
        rows += [f'bot_requests_total{{code="{code}"}} {n}' for code, n in by_code.items()]
        rows += [f'process_resident_memory_bytes{{worker="{n}"}} {n}e8' for n in (1, 2)]
        return "\n".join(["# TYPE bot_latency_seconds histogram", *rows, ""])


class Exporter(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.bot.text().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def bot():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    server.bot = Bot()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    server.bot.port = server.server_port
    yield server.bot
    server.shutdown()
    thread.join()
    server.server_close()


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.fixture(scope="module")
def prometheus(bot, tmp_path_factory):
    """The address of a running server, and the process."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=bot.port))
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        PROMETHEUS,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--log.level=warn",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: is_ready(url), 20)
        yield url, process
    finally:
        process.terminate()
        process.wait(10)


def is_ready(url):
    try:
        return urllib.request.urlopen(f"{url}/-/ready", timeout=1).status == 200
    except OSError:
        return False


def wait_until(happened, patience_s):
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture(scope="module")
def workshop(prometheus, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "components.yaml").write_text(COMPONENTS)
    (home / "sources.yaml").write_text(SOURCES.format(url=prometheus[0]))
    return Workshop(read_settings({}, home=home, mlflow=False))


def points(ports, name="support-bot"):
    now = datetime.now(UTC)
    return ports.warehouse.series("agent_metrics", name, now - timedelta(minutes=2), now)


def test_a_latency_that_rises_is_an_alert_at_the_next_tick(bot, prometheus, workshop):
    ports = workshop.ports
    wait_until(lambda: len(points(ports)) >= 3, 40)
    assert 50 < points(ports).columns["latency_p95"][-1] <= 100
    assert "latency" not in {a.alert.alert_type for a in tick(ports).admissions}
    bot.latency_s = 2.0
    seen = deque()
    wait_until(lambda: seen.append(tick(ports)) or seen[-1].admissions, 40)
    (admission,) = seen[-1].admissions
    assert (admission.alert.affected_component, admission.alert.alert_type) == (
        "support-bot",
        "latency",
    )
    assert admission.alert.metrics["latency_p95"] > 1000
    assert "support-bot" not in seen[0].unjudged


def test_queries_are_tried_against_the_real_parser(workshop):
    (source,) = workshop.ports.sources()
    found = {trial.what: trial for trial in source.trials()}
    assert found["server prometheus"].seen.startswith("Prometheus 2.")
    assert found["support-bot latency_p95"].state == "ok"
    assert found["support-bot memory_mb"].newest == 200
    assert "2 series (__name__=bot_requests_total, code=" in found["other-bot requests"].seen
    bad = found["other-bot error_rate"]
    assert (bad.state, bad.place) == ("broken", "sources.yaml:19")
    assert "parse error" in bad.seen


def test_a_fortnight_of_short_steps_is_within_what_the_server_gives(workshop):
    now = datetime.now(UTC)
    found = workshop.ports.warehouse.series(
        "agent_metrics", "support-bot", now - timedelta(days=14), now
    )
    assert len(found) >= 3


def test_a_server_that_stops_is_no_all_clear(prometheus, workshop):
    prometheus[1].terminate()
    prometheus[1].wait(10)
    with pytest.raises(UnavailableError, match="gave no answer"):
        points(workshop.ports)
    assert "support-bot" in tick(workshop.ports).unjudged
