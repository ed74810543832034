"""Seconds a root-cause ranking takes, beside the baseline scorer.

`python -m benchmarks.rca [--json]`
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from agentops_graph import rank_root_causes
from evals.rca.robust_scorer import robust_scorer

SIZES = ((100, 1000), (500, 1000), (100, 10_000))  # series, rows
REPEATS = 5
BEGIN = 1.7e9


def measured(series: int, rows: int) -> dict[str, float]:
    """Median milliseconds on noise with one fault in the middle."""
    dice = np.random.default_rng(series + rows)
    frame = {"time": BEGIN + np.arange(rows)}
    for number in range(series):
        metric = ("cpu", "mem", "latency-90", "error", "load")[number % 5]
        frame[f"svc{number // 5}_{metric}"] = dice.normal(10, 1, rows)
    frame["svc3_cpu"] = frame["svc3_cpu"] + np.where(np.arange(rows) >= rows // 2, 20, 0)
    onset = float(BEGIN + rows // 2)
    return {
        "series": series,
        "rows": rows,
        "ranking_ms": _median_ms(lambda: rank_root_causes(frame, onset)),
        "robust_scorer_ms": _median_ms(lambda: robust_scorer(frame, onset)),
    }


def _median_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [measured(*size) for size in SIZES]
    if asked.json:
        print(json.dumps(rows))
        return 0
    print(f"{'series':>7}{'rows':>8}{'ranking':>12}{'robust scorer':>16}")
    for row in rows:
        print(
            f"{row['series']:7.0f}{row['rows']:8,.0f}{row['ranking_ms']:9.1f} ms"
            f"{row['robust_scorer_ms']:13.1f} ms"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
