"""Times a tick of the monitor over hundreds of components, and watches its memory over thousands.

`python -m benchmarks.detection --ticks` runs it: models, pipelines and agents with about 30 metrics
each in a real SQLite warehouse, a real ledger beside it, and the monitor's own `tick`.
"""

import json
import resource
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.bootstrap import Workshop
from agentops_graph.detection.profile import profile_of
from agentops_graph.monitor import Tick, tick
from agentops_graph.ports import Ports
from agentops_graph.settings import read_settings

COMPONENTS, METRICS = 500, 30
ROWS = 300  # of a model, in the window
FEATURES = 24  # with rates, latency, volume and the metric that makes 30 readings
BATCH_S, POINT_S = 900, 300
LEAD_S = 600  # rows reach that far past now, so that the last ticks still see fresh ones
SMALL = 10  # components of the run of thousands of ticks
TICKS = 10_000
AIM_S = 5.0

Rows = Iterable[tuple[object, ...]]


def kinds(count: int) -> dict[str, list[str]]:
    """Half of them models, a quarter pipelines, a quarter agents."""
    half, quarter = count // 2, count // 4
    return {
        "model": [f"model-{n}" for n in range(half)],
        "pipeline": [f"feed-{n}" for n in range(quarter)],
        "agent": [f"agent-{n}" for n in range(count - half - quarter)],
    }


def folder_of(home: Path, count: int, rows: int = ROWS) -> Ports:
    """A data folder with that many healthy components and what they logged until now."""
    home.mkdir(parents=True, exist_ok=True)
    names = kinds(count)
    listed = [f"  - {{name: {n}, kind: {kind}}}" for kind, many in names.items() for n in many]
    (home / "components.yaml").write_text("components:\n" + "\n".join(listed) + "\n")
    workshop = Workshop(read_settings({}, home=home, mlflow=False))
    warehouse = workshop.warehouse
    warehouse.create_tables()
    now = datetime.now(UTC)
    models(warehouse, names["model"], now, rows)
    insert(warehouse, "DATA_QUALITY", batches(names["pipeline"], now))
    insert(warehouse, "AGENT_METRICS", points(names["agent"], now))
    return workshop.ports


def insert(warehouse: SqliteWarehouse, table: str, rows: Rows, columns: str = "") -> None:
    listed = list(rows)
    marks = ", ".join("?" for _ in listed[0])
    with sqlite3.connect(warehouse.path) as connection:
        connection.executemany(f"INSERT INTO {table} {columns} VALUES ({marks})", listed)
    connection.close()


def models(warehouse: SqliteWarehouse, names: list[str], now: datetime, rows: int) -> None:
    rng = np.random.default_rng(0)
    features = {f"f{n}": np.round(rng.normal(size=5000), 4) for n in range(FEATURES)}
    table = np.column_stack(list(features.values()))
    label = (table[:, 0] > 0).astype(float)
    wrong = rng.uniform(size=len(label)) < 0.05
    predicted = np.where(wrong, 1 - label, label)
    texts = [json.dumps(dict(zip(features, row, strict=True))) for row in table.tolist()]
    logged = []
    for name in names:
        warehouse.save_reference(profile_of(name, "1", features, {"f1": 0.95}, now))
        picked = rng.integers(0, len(texts), rows)
        ago = np.linspace(3590, -LEAD_S, rows)
        for n, (place, back) in enumerate(zip(picked.tolist(), ago.tolist(), strict=True)):
            at = time_text(now - timedelta(seconds=back))
            scored = (float(predicted[place]), 0.9, float(label[place]), 20.0 + n % 7)
            logged.append((at, f"{name}-{n}", name, "1", None, texts[place], *scored))
    insert(warehouse, "PREDICTION_LOGS", logged)


def batches(names: list[str], now: datetime) -> Rows:
    """Fifteen days, as seasons are learnt from."""
    for name in names:
        for back in range(-LEAD_S, 15 * 86_400, BATCH_S):
            at = time_text(now - timedelta(seconds=back + 1))
            yield at, name, 0.001, 3, 5000 + back % 7, "ok"


def points(names: list[str], now: datetime) -> Rows:
    for name in names:
        for back in range(-LEAD_S, 15 * 86_400, POINT_S):
            at = time_text(now - timedelta(seconds=back + 1))
            wave = 1 + 0.01 * (back % 5)
            yield at, name, 200 * wave, 0.01, 0.02, 100, 1500.0, 600 * wave, 6.0, 0.01, 2.0


def timed(count: int = COMPONENTS, times: int = 3) -> tuple[list[tuple[float, float]], Tick]:
    """Seconds, and those of the processor, of that many ticks, the first of them cold; and what
    the last one saw."""
    seconds: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as home:
        ports = folder_of(Path(home), count)
        for _ in range(times):
            began, busy = time.perf_counter(), time.process_time()
            seen = tick(ports)
            seconds.append((time.perf_counter() - began, time.process_time() - busy))
    return seconds, seen


def grown(count: int = TICKS) -> dict[str, float]:
    """Traced and resident MB after a hundredth of the ticks and after all of them."""
    with tempfile.TemporaryDirectory() as home:
        ports = folder_of(Path(home), SMALL, rows=20)
        for _ in range(max(1, count // 100)):
            tick(ports)
        tracemalloc.start()
        tick(ports)
        before, resident = tracemalloc.get_traced_memory()[0], _resident_mb()
        for _ in range(count):
            tick(ports)
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    return {"traced_mb": (after - before) / 1e6, "resident_mb": _resident_mb() - resident}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def report(ticks: int = TICKS) -> None:
    seconds, seen = timed()
    readings = sum(len(found) for found in seen.readings.values())
    said = ", ".join(f"{wall:.2f} s ({busy:.2f} of processor)" for wall, busy in seconds)
    print(
        f"\na tick over {len(seen.readings)} components, {readings:,} readings: {said}, the "
        f"first one cold (aim: under {AIM_S:.0f}); {len(seen.admissions)} admitted"
    )
    more = grown(ticks)
    print(
        f"memory after {ticks:,} ticks over {SMALL} components: {more['traced_mb']:+.2f} MB held, "
        f"{more['resident_mb']:+.1f} MB resident"
    )
