"""Runs one evaluation as a process of its own and reads the figures it printed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from pydantic import Field

from agentops_graph.domain.record import Record
from agentops_graph.domain.redaction import redacted
from agentops_graph.evaluation.suites import Suite, figures_of
from agentops_graph.settings import without_secrets

LONGEST_S = 3 * 3600
TOLD = 300


class Outcome(Record):
    """What became of one evaluation. One that could not run is never counted as wrong, and one
    without a figure is no success."""

    suite: str
    state: Literal["passed", "failed", "could not run", "absent"]
    figures: dict[str, float] = Field(default_factory=dict)
    said: tuple[str, ...] = ()  # aims that were missed, or why it could not run
    seconds: float = 0.0


def run_suite(root: Path, suite: Suite, *, small: bool, timeout_s: float = LONGEST_S) -> Outcome:
    """Runs it without credentials: every evaluation makes the servers that it asks."""
    begun = time.monotonic()
    command = [sys.executable, "-m", suite.module, "--json", *(suite.small if small else ())]
    environment = without_secrets()
    environment["PYTHONPATH"] = f"{root}{os.pathsep}{environment.get('PYTHONPATH', '')}"
    try:
        run = subprocess.run(
            command,
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(suite=suite.name, state="could not run", said=(f"over {timeout_s:.0f} s",))
    return _read(suite, run, round(time.monotonic() - begun, 1))


def _read(suite: Suite, run: "subprocess.CompletedProcess[str]", seconds: float) -> Outcome:
    try:
        document = json.loads(run.stdout)
    except ValueError:
        why = redacted((run.stderr.strip() or "it printed no JSON")[-TOLD:])
        return Outcome(suite=suite.name, state="could not run", said=(why,), seconds=seconds)
    missed = document.get("failed", ()) if isinstance(document, dict) else ()
    said = tuple(str(one)[:TOLD] for one in missed) if isinstance(missed, list) else ()
    figures = figures_of(document)
    if not figures:
        empty = ("it printed no figure",)
        return Outcome(suite=suite.name, state="could not run", said=empty, seconds=seconds)
    state: Literal["passed", "failed"] = "failed" if said or run.returncode else "passed"
    return Outcome(suite=suite.name, state=state, figures=figures, said=said, seconds=seconds)
