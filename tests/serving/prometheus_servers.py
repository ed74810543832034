"""Debian's Prometheus and Alertmanager, a small exporter, and our service, all as processes."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

PACKAGES = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
METRICS_TOKEN = "metrics-token-of-the-test"


def need_prometheus():
    """Skips, and says what to install, where they are not there."""
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing:
        pytest.skip(
            "PROMETHEUS WAS NOT TESTED: apt-get install -y --no-install-recommends "
            + " ".join(missing)
        )


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Exporter:
    """Exposes one gauge, which the test sets."""

    def __init__(self):
        self.latency = 0.1
        exporter = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self):
                text = f'model_latency_seconds{{model="fraud_model"}} {exporter.latency}\n'
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.port = self._server.server_address[1]

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class Servers:
    """Everything that is started, with one folder for what it writes; stopped in the end."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.exporter = stack.enter_context(Exporter().running())
        self.home = folder / "home"
        self.port, self.prometheus_port = free_port(), free_port()
        self.alertmanager_ports = [free_port(), free_port()]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, name, *command, **environment):
        log = self.stack.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=self.folder, env=os.environ | environment
        )
        self.stack.callback(self._stop, process)

    @staticmethod
    def _stop(process):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)

    def agentops(self, *words, **environment):
        """One command; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "agentops_graph.cli", "--home", str(self.home), *words],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def serve(self):
        root = self._token("root", "admin")
        self.sender = self._token("alertmanager", "sender", root)
        self.viewer = self._token("vic", "viewer", root)
        command = (sys.executable, "-m", "agentops_graph.cli", "--home", str(self.home), "serve")
        environment = {"AGENTOPS_HTTP_PORT": str(self.port), "AGENTOPS_MLFLOW": "false"}
        self.start("agentops", *command, AGENTOPS_METRICS_TOKEN=METRICS_TOKEN, **environment)
        self.until(lambda: httpx.get(f"{self.url}/healthz", trust_env=False).is_success)

    def _token(self, name, role, by=""):
        words = ("token", "create", name, "--role", role, "--json")
        return json.loads(self.agentops(*words, AGENTOPS_TOKEN=by))["token"]

    def monitor(self, alertmanager_yml, prometheus_yml, rules_yml):
        """Two Alertmanagers that know nothing of each other, and a Prometheus that tells both."""
        for name, text in (
            ("alertmanager.yml", alertmanager_yml),
            ("prometheus.yml", prometheus_yml),
            ("rules.yml", rules_yml),
        ):
            (self.folder / name).write_text(text)
        for number, port in enumerate(self.alertmanager_ports):
            self.start(
                f"alertmanager-{number}",
                "prometheus-alertmanager",
                "--config.file=alertmanager.yml",
                f"--storage.path={self.folder / f'am-{number}'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            )
        self.start(
            "prometheus",
            "prometheus",
            "--config.file=prometheus.yml",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
        )

    def incidents(self):
        return self.asked("/api/v1/incidents")["incidents"]

    def asked(self, path):
        headers = {"authorization": f"Bearer {self.viewer}"}
        answer = httpx.get(f"{self.url}{path}", headers=headers, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def queried(self, query):
        """The value that Prometheus gives now; None while it gives none."""
        answer = httpx.get(
            f"http://127.0.0.1:{self.prometheus_port}/api/v1/query",
            params={"query": query},
            trust_env=False,
        )
        found = answer.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def until(self, look, patience_s=30.0):
        """What the look gives as soon as it gives anything."""
        ends, seen = time.monotonic() + patience_s, None
        while time.monotonic() < ends:
            try:
                seen = look()
            except httpx.HTTPError as error:
                seen = error
            if seen and not isinstance(seen, Exception):
                return seen
            time.sleep(0.3)
        logs = "\n".join(f"{f.name}: {f.read_text()[-1500:]}" for f in self.folder.glob("*.log"))
        raise AssertionError(f"nothing came of it in {patience_s} s (last: {seen!r})\n{logs}")


@contextmanager
def servers(folder):
    with ExitStack() as stack:
        yield Servers(folder, stack)
