"""Seconds of a scan for segments: a million labelled rows, thirty features, countries and devices.

`python -m benchmarks.segments [--rows N]`.
"""

import argparse
import time
from datetime import UTC, datetime

import numpy as np

from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.segment_baseline import Baselines
from agentops_graph.detection.segment_drift import segment_drift
from agentops_graph.detection.segment_scan import Bearing, Scan, scan
from agentops_graph.detection.segments import dimensions_of
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions
from agentops_graph.domain.metric import Metric
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.segment import SegmentLevel
from agentops_graph.gathering.segment_baselines import with_segments

AT = datetime(2026, 2, 28, tzinfo=UTC)
FEATURES = 30
REFERENCE_ROWS = 200_000
METRICS = {
    "binary F1": Metric(name="f1"),
    "binary AUC": Metric.model_validate("auc"),
    "multiclass F1 of 5 classes": Metric(name="f1", task="multiclass"),
    "regression MAE": Metric.model_validate("mae"),
}


def drawn(metric: Metric, rows: int, seed: int) -> Predictions:
    """Rows of 50 countries on 3 devices; those of C1 are wrong with seed 1."""
    rng = np.random.default_rng(seed)
    names = [f"country=C{c};device={d}" for c in range(50) for d in ("phone", "web", "api")]
    place = rng.integers(0, len(names), rows)
    label, prediction = _answers(metric, rng, rows)
    bad = (place // 3 == 1) & (rng.random(rows) < (0.4 if seed == 1 else 0))
    prediction = np.where(bad, label + 1 if metric.task != "binary" else 1 - label, prediction)
    score = np.where(bad, 0.5, 0.5 + (label - 0.5) * 0.4 + 0.2 * rng.normal(size=rows))
    return Predictions(
        ids=[""] * rows,
        timestamps=np.arange(rows, dtype=np.float64),
        features={f"f{n}": rng.normal(size=rows) for n in range(FEATURES)},
        prediction=prediction,
        confidence=np.clip(score, 0, 1),
        label=label,
        latency_ms=np.ones(rows),
        version=[""] * rows,
        segment=[names[i] for i in place],
    )


def _answers(metric: Metric, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    if metric.task == "regression":
        label = rng.normal(size=rows)
        return label, label + 0.3 * rng.normal(size=rows)
    classes = 2 if metric.task == "binary" else 5
    label = rng.integers(0, classes, rows) * 1.0
    return label, np.where(rng.random(rows) < 0.05, (label + 1) % classes, label)


def looked_at(reference: ReferenceProfile, metric: Metric, rows: Predictions) -> Scan:
    """What a look does: tells the rows apart, scans the metric, then the drift."""
    dimensions = dimensions_of(rows, (), reference, discover=True)
    whole = SegmentLevel(value=_whole(metric, rows), error=0.001, rows=len(rows))
    found = scan(
        rows,
        dimensions,
        Baselines(reference.segments, reference.rows, whole),
        Bearing(metric, 0.05, 50),
    )
    segment_drift(reference, rows.features, dimensions, 0.3)
    return found


def _whole(metric: Metric, rows: Predictions) -> float:
    if metric.task == "regression":
        return float(np.abs(rows.label - rows.prediction).mean())
    return 0.95


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    rows = options.parse_args().rows
    print(f"{rows:,} labelled rows x {FEATURES} features, 50 countries, 3 devices")
    for said, metric in METRICS.items():
        component = Component(name="m", metric=metric)
        healthy = drawn(metric, REFERENCE_ROWS, 0)
        began = time.perf_counter()
        profile = profile_of("m", "1", healthy.features, {}, AT)
        reference = with_segments(profile, component, healthy)
        stored = time.perf_counter() - began
        current = drawn(metric, rows, 1)
        began, busy = time.perf_counter(), time.process_time()
        found = looked_at(reference, metric, current)
        taken, busy = time.perf_counter() - began, time.process_time() - busy
        named = ", ".join(lost.label for lost in found.lost) or "nothing"
        size = len(reference.model_dump_json()) / 1e3
        print(f"  {said:28s} {taken:6.2f} s ({busy:.2f} s of processor)", end="")
        print(f" for {len(found.readings)} segments; found {named};", end="")
        print(f" {REFERENCE_ROWS:,} reference rows in {stored:.1f} s, {size:.0f} kB")


if __name__ == "__main__":
    main()
