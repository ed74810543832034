"""Injects faults into real streams, watches them with the product, and prints what was found.

`python -m evals.detection [--seeds N] [--quick] [--design] [--json]`; exit code 1 when an aim is
missed. After the table of faults come those of the third-party sets and of every task.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

from evals.detection.judged import Judged, failed_aims, judged
from evals.detection.watched import TRUNKS, Outcome, lived

DESIGN, HELD_BACK = 0, 1000  # first seeds: of the ones the methods were mended on, and of the rest
FULL, QUICK = (20, 72), (2, 24)  # seeds, healthy hours before the fault
TABLES = ("time_series", "third_party_drift", "third_party_quality", "every_task")


def outcomes(seeds: range, healthy: int, trunks: tuple[str, ...] = TRUNKS) -> list[Outcome]:
    """Every kind with every seed, on two cores."""
    # Each look is small; threads of the linear algebra would only get in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=context) as workers:
        running = [
            workers.submit(lived, trunk, seed, healthy) for trunk in trunks for seed in seeds
        ]
        return [outcome for future in running for outcome in future.result()]


def line(row: Judged) -> str:
    said = f"{row.kind:34}{row.cases:4}"
    if row.recall is None:
        return said + f"{'':31}{row.false_alarms:5}{row.a_month:8.2f}"
    if row.delay is None or row.onset_error is None or row.onset_worst is None:
        return said + f"{row.recall:8.2f}"
    return said + f"{row.recall:8.2f}{row.delay:8.1f}{row.onset_error:8.0f}{row.onset_worst:7.0f}"


def printed(rows: list[Judged], failed: list[str], seeds: range, healthy: int) -> None:
    which = "held back" if seeds.start >= HELD_BACK else "that the methods were mended on"
    print(f"{len(seeds)} seeds {which}, {healthy} healthy hours, one look an hour over an hour")
    print("delay in hours to the look that found it; onset error in minutes: median and 90%")
    print(f"\n{'kind':34}{'n':>4}{'recall':>8}{'delay':>8}{'onset':>8}{'90%':>7}{'false':>9}")
    for row in rows:
        print(line(row))
    looks = sum(row.looks for row in rows)
    false = sum(row.false_alarms for row in rows)
    print(f"\n{false} false alarms in {looks / 720:.1f} component-months of hourly looks")
    for row in rows:
        for alarm in row.alarms[:5]:
            print(f"  false alarm, {row.kind}: {alarm}")
        if row.missed:
            print(f"  missed, {row.kind}: seeds {', '.join(map(str, row.missed))}")
    print("\nAIMS MISSED\n  " + "\n  ".join(failed) if failed else "\nall aims met")


def others() -> dict[str, str]:
    """What the other evaluations print; one that is not there is said, not left out."""
    found: dict[str, str] = {}
    for name in TABLES:
        full = f"evals.detection.{name}"
        if importlib.util.find_spec(full) is None:
            found[name] = f"ABSENT: {full} is not part of this tree"
            continue
        run = subprocess.run([sys.executable, "-m", full], capture_output=True, text=True)
        found[name] = run.stdout.strip() or f"FAILED: {run.stderr.strip()[-500:]}"
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, help=f"default {FULL[0]}")
    parser.add_argument("--quick", action="store_true", help="few seeds, a short healthy time")
    parser.add_argument("--design", action="store_true", help="the seeds used for mending")
    parser.add_argument("--faults-only", action="store_true", help="without the other tables")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    count, healthy = QUICK if asked.quick else FULL
    first = DESIGN if asked.design else HELD_BACK
    seeds = range(first, first + (asked.seeds or count))
    rows = judged(outcomes(seeds, healthy))
    failed = failed_aims(rows)
    further = {} if asked.quick or asked.faults_only else others()
    if asked.json:
        print(json.dumps({"faults": [vars(r) for r in rows], "failed": failed, **further}))
    else:
        printed(rows, failed, seeds, healthy)
        for name, found in further.items():
            print(f"\n{name}\n{found}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
