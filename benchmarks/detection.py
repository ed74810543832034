"""Drift profiles against plain numpy and other libraries, on wide, long and streamed tables.

`python -m benchmarks.detection [--full] [--peers build/peers] [--ticks] [--wide]`; peers.sh makes
the environment of the other libraries. Without --full every table has a tenth of its rows. --ticks
times the monitor instead, --wide measures 3,000,000 x 1,000.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agentops_graph.detection.drift import (
    FeatureDrift,
    drift_between_profiles,
    drift_by_feature,
)
from agentops_graph.detection.parquet import parquet_profile
from agentops_graph.detection.profile import profile_of
from benchmarks import ticks
from benchmarks import wide as widest
from benchmarks.peak import peak_mb

AT = datetime(2026, 2, 28, tzinfo=UTC)
REPEATS = 3
GROUP_ROWS = 250_000
AGREES = {"evidently": ("psi", 0.005), "nannyml": ("js", 0.01)}
PEERS = {"evidently": "Evidently, PSI preset", "nannyml": "NannyML, Jensen-Shannon"}

Table = Mapping[str, npt.NDArray[np.float64]]


def table(rows: int, columns: int, seed: int) -> Table:
    """Normal columns; seed 1 is moved by a tenth of a standard deviation against seed 0."""
    rng = np.random.default_rng(seed)
    return {f"f{n}": rng.normal(0.1 * seed, size=rows) for n in range(columns)}


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the best of three runs: the others waited for something else."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def plain_psi(reference: Table, current: Table) -> dict[str, float]:
    """What people write by hand: deciles, two histograms, the sum. PSI only."""
    found = {}
    for name, before in reference.items():
        edges = np.quantile(before, np.linspace(0, 1, 11))
        edges[0], edges[-1] = -np.inf, np.inf
        p = np.histogram(before, edges)[0] / len(before) + 1e-4
        q = np.histogram(current[name], edges)[0] / len(current[name]) + 1e-4
        found[name] = float(np.sum((q - p) * np.log(q / p)))
    return found


def compare(rows: int, columns: int, peers: Path | None) -> None:
    reference, current = table(rows, columns, 0), table(rows, columns, 1)
    stored = profile_of("m", "1", reference, {}, AT)
    both = fastest(lambda: drift_by_feature(profile_of("m", "1", reference, {}, AT), current))
    against = fastest(lambda: drift_by_feature(stored, current))
    seconds: dict[str, float | None] = {
        "full profile, reference and current": both,
        "full profile, stored reference": against,
        "plain numpy, PSI only": fastest(lambda: plain_psi(reference, current)),
    }
    mine = drift_by_feature(stored, current)
    apart = max(abs(mine[n].psi - psi) for n, psi in plain_psi(reference, current).items())
    others = {name: peer(peers, name, rows, columns) for name in PEERS}
    seconds |= {PEERS[name]: found["seconds"] if found else None for name, found in others.items()}
    print(f"\n{rows:,} x {columns} floats (PSI, KS, JS, Wasserstein, missing)")
    for said, taken in seconds.items():
        print(line(said, taken, both, against))
    print(f"  largest difference of PSI from plain numpy: {apart:.4f}")
    for name, found in others.items():
        if found:
            print(agreement(name, found["figures"], mine))


def line(said: str, taken: float | None, both: float, against: float) -> str:
    if taken is None:
        return f"  {said:<38}    not measured: no environment (benchmarks/peers.sh, --peers)"
    return f"  {said:<38}{taken:8.3f} s{taken / both:8.1f}x{taken / against:8.1f}x stored"


def agreement(name: str, figures: Mapping[str, float], mine: Mapping[str, FeatureDrift]) -> str:
    """The libraries place their bins otherwise, so their figures are near ours and not the same."""
    measure, tolerance = AGREES[name]
    apart = max(abs(getattr(mine[n], measure) - value) for n, value in figures.items())
    verdict = "within" if apart <= tolerance else "NOT within"
    return (
        f"  largest difference of {measure} from {PEERS[name]}: {apart:.4f}, {verdict} {tolerance}"
    )


def peer(peers: Path | None, name: str, rows: int, columns: int) -> dict[str, Any] | None:
    """Seconds and figures of another library on the same rows in its own environment."""
    if peers is None:
        return None
    script = str(Path(__file__).with_name("peer_drift.py"))
    command = [str(peers / "bin" / "python"), script, name, str(rows), str(columns)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def wide(rows: int) -> None:
    reference, current = table(rows, 100, 0), table(rows, 100, 1)
    taken = fastest(lambda: drift_by_feature(profile_of("m", "1", reference, {}, AT), current))
    print(f"\n{rows:,} x 100, reference and current: {taken:.2f} s (aim: under 10 s)")


def streamed(rows: int) -> None:
    """In a process of its own, so that its peak memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write(path, rows)
        command = [sys.executable, "-m", "benchmarks.detection", "--stream", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        size = path.stat().st_size / 1e9
    print(f"\n{rows:,} x 30 Parquet ({size:.1f} GB), streamed: {done.stdout.strip()}")


def write(path: Path, rows: int) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    group = pa.table(dict(table(GROUP_ROWS, 30, 0)))
    with ParquetWriter(path, group.schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, GROUP_ROWS):
            writer.write_table(group.slice(0, min(GROUP_ROWS, rows - start)))


def stream(path: Path) -> None:
    began = time.perf_counter()
    reference = parquet_profile(path, "m", "1", AT)
    made = time.perf_counter() - began
    began = time.perf_counter()
    drift_between_profiles(reference, parquet_profile(path, "m", "1", AT, like=reference))
    taken = time.perf_counter() - began
    print(
        f"{made:.1f} s to profile, {taken:.1f} s to measure, peak {peak_mb():.0f} MB (aim: < 1000)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes named, not a tenth of them")
    parser.add_argument("--peers", type=Path, help="folder made by peers.sh")
    parser.add_argument("--ticks", action="store_true", help="a monitor's tick, and its memory")
    parser.add_argument("--wide", action="store_true", help="3,000,000 x 1,000; takes minutes")
    parser.add_argument("--stream", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stream:
        stream(asked.stream)
        return
    part = 1 if asked.full else 10
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; the ratio is to our two figures")
    if asked.ticks:
        ticks.report(ticks.TICKS // part)
    if asked.wide:
        widest.report(widest.PASSES // part)
    if asked.ticks or asked.wide:
        return
    compare(1_000_000 // part, 30, asked.peers)
    wide(356_000 // part)
    streamed(10_000_000 // part)


if __name__ == "__main__":
    main()
