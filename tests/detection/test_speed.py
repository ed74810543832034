"""The benchmark's own roads agree, and a streamed file does not fill the memory."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agentops_graph.detection.drift import drift_by_feature
from agentops_graph.detection.profile import profile_of
from benchmarks import detection

ROOT = Path(__file__).parent.parent.parent


def test_the_index_written_by_hand_is_ours():
    reference, current = detection.table(40_000, 4, 0), detection.table(40_000, 4, 1)
    found = drift_by_feature(profile_of("m", "1", reference, {}, detection.AT), current)
    for name, psi in detection.plain_psi(reference, current).items():
        assert found[name].psi == pytest.approx(psi, abs=0.002)


def test_a_library_that_is_not_installed_is_said_and_not_timed(capsys):
    detection.compare(2000, 3, None)
    printed = capsys.readouterr().out
    assert printed.count("not measured: no environment") == 2
    assert "plain numpy, PSI only" in printed


@pytest.mark.slow
def test_a_file_of_half_a_gigabyte_is_measured_in_less_memory_than_its_size(tmp_path):
    path = tmp_path / "rows.parquet"
    detection.write(path, 2_500_000)
    command = [sys.executable, "-m", "benchmarks.detection", "--stream", str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    peak = int(re.search(r"peak (\d+) MB", run.stdout)[1])
    assert peak < path.stat().st_size / 1e6
