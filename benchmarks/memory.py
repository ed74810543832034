"""What the service holds in memory: idle, asked for its readiness, asked a question, watching."""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.peak import mb, peak_mb

ROOT = Path(__file__).parent.parent
QUESTION = "what is wrong?"
PATIENCE_S = 120.0
# A service at rest uses under 2% of a core.
QUIET_CPU_S, QUIET_WINDOWS, WINDOW_S = 0.1, 3, 1.0
STEPS = {
    "start_mb": "after start",
    "readyz_mb": "after GET /readyz",
    "question_mb": "after a question to /invocations",
    "tick_mb": "after a tick of the monitor",
    "tick_peak_mb": "peak with that tick",
    "all_mb": "after tick, readiness and question",
}


@dataclass(frozen=True)
class Served:
    """A service in a process of its own."""

    pid: int
    client: httpx.Client

    def ask_readiness(self) -> None:
        self.client.get("/readyz").raise_for_status()

    def ask_question(self) -> None:
        message = {"messages": [{"role": "user", "content": QUESTION}]}
        self.client.post("/invocations", json=message).raise_for_status()

    def settle(self) -> None:
        """Waits until it has had nothing to do for a while."""
        quiet, spent = 0, self._cpu_s()
        while quiet < QUIET_WINDOWS:
            time.sleep(WINDOW_S)
            before, spent = spent, self._cpu_s()
            quiet = quiet + 1 if spent - before < QUIET_CPU_S else 0

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[Served]:
    """`python serve.py` on a data folder, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment |= {"AGENTOPS_HOME": str(home), "AGENTOPS_HTTP_PORT": str(port)}
    with open(home / "serve.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "serve.py"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            _await_answer(process, client, home / "serve.log")
            yield Served(process.pid, client)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _await_answer(process: subprocess.Popen[bytes], client: httpx.Client, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            client.get("/healthz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        return
    raise SystemExit(f"the service did not start:\n{log.read_text('utf-8', 'replace')}")


def asked(home: Path) -> dict[str, float]:
    """A service that watches nothing, step by step."""
    unwatched = home / "nothing.yaml"
    unwatched.write_text("components: []\n", "utf-8")
    with serving(home, AGENTOPS_COMPONENTS_FILE=str(unwatched)) as service:
        service.settle()
        figures = {"start_mb": mb(pid=service.pid)}
        service.ask_readiness()
        figures["readyz_mb"] = mb(pid=service.pid)
        service.ask_question()
        figures["question_mb"] = mb(pid=service.pid)
    return figures


def watching(home: Path) -> dict[str, float]:
    """A service that looks at its components once, which it does as it starts."""
    with serving(home, AGENTOPS_MONITOR_EVERY_S="3600") as service:
        service.settle()
        figures = {"tick_mb": mb(pid=service.pid), "tick_peak_mb": peak_mb(service.pid)}
        service.ask_readiness()
        service.ask_question()
        return figures | {"all_mb": mb(pid=service.pid)}


def prepared(home: Path) -> None:
    """The demo's world in good health, made by a process whose memory doesn't count here."""
    made = (
        "import sys; from pathlib import Path; from agentops_graph.demo.setup import prepare; "
        "prepare(Path(sys.argv[1]), fault=False)"
    )
    subprocess.run(
        [sys.executable, "-c", made, str(home)], cwd=ROOT, check=True, capture_output=True
    )


def measured(folder: Path) -> dict[str, dict[str, float]]:
    """Megabytes by home and step. `again` is the empty home opened a second time."""
    empty, demo = folder / "empty", folder / "demo"
    empty.mkdir()
    prepared(demo)
    return {
        "empty": asked(empty),
        "again": asked(empty),
        "demo": asked(demo) | watching(demo),
    }


def shown(figures: dict[str, dict[str, float]]) -> str:
    lines = [f"{'resident memory, MB':<36}" + "".join(f"{home:>10}" for home in figures)]
    for key, label in STEPS.items():
        cells = (f"{f[key]:>10.0f}" if key in f else f"{'-':>10}" for f in figures.values())
        lines.append(f"{label:<36}" + "".join(cells))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name))
    figures = {h: {k: round(mb, 1) for k, mb in steps.items()} for h, steps in found.items()}
    print(json.dumps(figures) if options.json else shown(figures))


if __name__ == "__main__":
    main()
