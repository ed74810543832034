"""Detection, retrieval and reasoning, each measured alone on inputs of a real size."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.data_folder import shipped
from agentops_graph.demo.world import FEATURES, MODEL, after_vendor_change, transactions
from agentops_graph.detection.profile import profile_of
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.component import Component
from agentops_graph.domain.diagnosis import Brief
from agentops_graph.domain.frames import Predictions
from agentops_graph.gathering.gather import gather
from agentops_graph.gathering.measure import measure
from benchmarks.story import START, claim, memory_ports

WINDOW_ROWS = 40_000
HEALTHY_MINUTES = 30
QUESTION = "model drift Aggregate PSI 0.47 V14 V17 vendor API change"
REPEATS = 9
LABELS = {
    "detection_ms": f"detection, {WINDOW_ROWS:,} rows of {len(FEATURES)} features",
    "retrieval_ms": "retrieval, one search over the runbooks",
    "reasoning_ms": "reasoning, evidence weights on a brief",
}


def measured(folder: Path) -> dict[str, float]:
    """Median milliseconds of each part."""
    store = drifted_hour()
    component = Component(name=MODEL)
    shelf = SqliteShelf(folder / "knowledge.db", [shipped("runbooks")], LexicalEmbedding())
    brief = brief_of(store, shelf)
    reasoner = EvidenceWeights()
    return {
        "detection_ms": median_ms(lambda: measure(store, component, START)),
        "retrieval_ms": median_ms(lambda: shelf.search(QUESTION, alert_type="model_drift")),
        "reasoning_ms": median_ms(lambda: reasoner.diagnose(brief)),
    }


def median_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def drifted_hour() -> WarehouseInMemory:
    """An hour of card transactions whose vendor changed units half way through it."""
    rng = np.random.default_rng(7)
    past = transactions(WINDOW_ROWS, rng)
    reference = profile_of(MODEL, "1", past.columns(), {"f1": 0.93}, START)
    batch = transactions(WINDOW_ROWS, rng)
    changed = after_vendor_change(batch).features
    minutes = np.linspace(-60, 0, WINDOW_ROWS, endpoint=False)
    is_changed = (minutes >= HEALTHY_MINUTES - 60)[:, None]
    mixed = replace(batch, features=np.where(is_changed, changed, batch.features))
    rows = Predictions(
        ids=[str(n) for n in range(WINDOW_ROWS)],
        timestamps=START.timestamp() + minutes * 60,
        features=mixed.columns(),
        prediction=batch.fraud,
        confidence=rng.random(WINDOW_ROWS),
        label=batch.fraud,
        latency_ms=rng.uniform(20, 60, WINDOW_ROWS),
        version=["1"] * WINDOW_ROWS,
    )
    return WarehouseInMemory({MODEL: rows}, references=[reference])


def brief_of(store: WarehouseInMemory, shelf: SqliteShelf) -> Brief:
    """The brief that the loop would make of that hour: gathered evidence, causes and pages."""
    ports = replace(memory_ports(MODEL), warehouse=store, shelf=shelf)
    admission = ports.incidents.admit(
        claim(MODEL, START - timedelta(seconds=1)), opened_by="monitor", at=START
    )
    incident = ports.incidents.get(admission.incident_id)
    return Brief(
        diagnosis_id="benchmark",
        incident_id=incident.incident_id,
        alert=admission.alert,
        evidence=tuple(gather(ports, incident, admission.alert, START)),
        causes=tuple(shelf.causes("model_drift")),
        pages=tuple(shelf.search(QUESTION, kind="runbook", alert_type="model_drift", limit=3)),
        precedents=tuple(shelf.search(QUESTION, kind="incident", limit=3)),
        asked_at=START,
    )
