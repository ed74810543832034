"""A thousand incidents through runners that are killed at random: none lost, nothing twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.invariants import violations
from tests.races.soak import component_names, ports_of

ROOT = Path(__file__).parents[2]
INCIDENTS = 1000


@pytest.fixture
def home():
    # A kill loses nothing that was written, so a disk in memory shows the same as a slow one.
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_a_thousand_incidents_survive_their_runners(home, capsys):
    soak = subprocess.Popen(
        [sys.executable, "-m", "tests.races.soak", str(home), str(INCIDENTS), "7"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        assert soak.wait(timeout=1500) == 0
    finally:  # its runners must not outlive a test that gave up
        with suppress(ProcessLookupError):
            os.killpg(soak.pid, signal.SIGKILL)
    seen = json.loads((home / "soak.json").read_text())
    with capsys.disabled():
        print(f"\nsoak: {seen}")
    assert violations(home) == []
    names = component_names(INCIDENTS)
    ports = ports_of(home, names)
    incidents = ports.log.listed(limit=INCIDENTS * 2)
    assert Counter(i.component for i in incidents) == Counter(names)
    ends = Counter(i.status for i in incidents)
    assert set(ends) == {"resolved", "escalated"}
    approved = {a.approval_id for a in ports.approval_log.listed(status="approved")}
    done = Path(home / "effects.txt").read_text().split()
    assert Counter(done) == Counter(f"{approval_id}:do" for approval_id in approved)
    assert {effect.state for effect in ports.effect_log.listed()} == {"done"}
    assert seen["killed"] > 20
    assert seen["exits"] == [0, 0, 0, 0]
