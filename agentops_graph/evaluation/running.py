"""Runs one evaluation as a process of its own and reads the figures it printed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

from pydantic import Field

from agentops_graph.domain.record import Record
from agentops_graph.domain.redaction import redacted
from agentops_graph.evaluation.figures import figures_of, skipped_of
from agentops_graph.evaluation.suites import Suite
from agentops_graph.settings import model_key, without_secrets

LONGEST_S, LONGEST_SMALL_S = 3 * 3600, 900
LOOK_S = 0.2
TOLD = 300
MOST_SAID = 20
LONGEST_OUTPUT = 64 * 1024 * 1024
VERDICTS = (0, 1)  # every other code is a process that came to none

Ticks = Callable[[float], None]
State = Literal["passed", "failed", "could not run"]


class Outcome(Record):
    """What became of one evaluation. One that could not run is never counted as wrong, and one
    without a figure is no success."""

    suite: str
    state: State
    figures: dict[str, float] = Field(default_factory=dict)
    skipped: dict[str, str] = Field(default_factory=dict)  # parts that were not measured, and why
    said: tuple[str, ...] = ()  # aims that were missed, or why it could not run
    seconds: float = 0.0


def run_suite(
    root: Path,
    suite: Suite,
    *,
    small: bool,
    timeout_s: float | None = None,
    tick: Ticks = lambda _: None,
) -> Outcome:
    """`tick` gets the seconds so far, several times a second."""
    longest = timeout_s or (LONGEST_SMALL_S if small else LONGEST_S)
    command = [sys.executable, "-m", suite.module, "--json", *(suite.small if small else ())]
    begun = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = _ended(command, root, out, err, begun + longest, tick)
        seconds = round(time.monotonic() - begun, 1)
        if code is None:
            return _could_not(suite, f"it took over {longest:g} s and was stopped", seconds)
        return _read(suite, code, _text(out), _text(err), seconds)


def _ended(
    command: list[str],
    root: Path,
    out: IO[bytes],
    err: IO[bytes],
    deadline: float,
    tick: Ticks,
) -> int | None:
    """Its exit code; None when it had to be stopped. It and what it started are gone then."""
    begun = time.monotonic()
    environment = without_secrets() | model_key()
    way = f"{root}{os.pathsep}{environment.get('PYTHONPATH', '')}".rstrip(os.pathsep)
    run = subprocess.Popen(
        command,
        cwd=root,
        env=environment | {"PYTHONPATH": way},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,
    )
    try:
        while time.monotonic() < deadline:
            try:
                return run.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                tick(time.monotonic() - begun)
        return None
    finally:
        _stop(run)


def _stop(run: "subprocess.Popen[bytes]") -> None:
    """Its workers go with it; those of one that ended by itself, too."""
    with suppress(ProcessLookupError, PermissionError):  # the group is gone
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(LONGEST_OUTPUT).decode("utf-8", "replace")


def _could_not(suite: Suite, why: str, seconds: float) -> Outcome:
    return Outcome(suite=suite.name, state="could not run", said=(why,), seconds=seconds)


def _read(suite: Suite, code: int, out: str, err: str, seconds: float) -> Outcome:
    if code not in VERDICTS:
        killed = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return _could_not(suite, f"{killed}: {_last(err)}".rstrip(": "), seconds)
    try:
        document = json.loads(out)
    except ValueError:
        return _could_not(suite, _last(err) or "it printed no JSON", seconds)
    figures = figures_of(document)
    if not figures:
        return _could_not(suite, "it printed no figure", seconds)
    missed = document.get("failed", ()) if isinstance(document, dict) else ()
    told = missed if isinstance(missed, list) else ()
    said = tuple(redacted(str(one)[:TOLD]) for one in told[:MOST_SAID])
    if code and not said:
        said = (f"exit code {code}, without a word of what was missed",)
    return Outcome(
        suite=suite.name,
        state="failed" if said else "passed",
        figures=figures,
        skipped=skipped_of(document),
        said=said,
        seconds=seconds,
    )


def _last(err: str) -> str:
    return redacted(err.strip()[-TOLD:])
