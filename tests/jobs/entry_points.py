"""What a team's entry points may do wrong, for jobs that are real processes."""

import signal
import subprocess
import sys
import time

from agentops_graph.jobs.order import OutOfSightError, WorkResult


def hangs(order):
    """Starts a helper, says so, and never comes back."""
    helper = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    (order.home / "helper.pid").write_text(str(helper.pid))
    order.report(0.3, "reading rows")
    while True:
        signal.pause()


def is_deaf(order):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    order.report(0.3, "reading rows")
    while True:
        signal.pause()


def ends_when_told(order):
    order.report(0.3, "reading rows")
    while not (order.home / "end").exists():
        time.sleep(0.01)
    return WorkResult(summary="trained after all", version="2")


def loses_sight(order):
    order.follows("airflow.example")
    raise OutOfSightError("airflow.example did not answer")
