"""Loading rows with all checks on: its speed beside plain sqlite-utils, and what a kill costs."""

import argparse
import csv
import json
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentops_graph.adapters.row_files import open_rows
from agentops_graph.adapters.sqlite_warehouse import SqliteIntake, create_tables
from agentops_graph.adapters.sqlite_warehouse.tables import writing
from agentops_graph.domain.rows import Reading
from benchmarks.peak import peak_mb

ROOT = Path(__file__).parent.parent
HEADER = [
    "timestamp",
    "prediction_id",
    "model_name",
    "model_version",
    "segment",
    "features",
    "prediction",
    "confidence",
    "actual_label",
    "latency_ms",
]
BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
FEATURES = 8
REPEATS = 3
BAD_EVERY = 100  # one row in a hundred
LOAD = "from benchmarks.ingest import load; load(*__import__('sys').argv[1:])"
# What is done to a row, and how its reason begins.
FAULTS: tuple[tuple[dict[str, str], str], ...] = (
    ({"timestamp": "yesterday"}, "timestamp is no ISO-8601 time"),
    ({"timestamp": "2126-03-01T00:00:00Z"}, "timestamp lies more than a day ahead"),
    ({"timestamp": "2026-03-01T00:00:00"}, "the times before it"),
    ({"prediction_id": ""}, "prediction_id is missing"),
    ({"model_name": " "}, "model_name is missing"),
    ({"features": "[1, 2]"}, "features is no JSON object"),
    ({"features": '{"V1": 1'}, "features is no JSON object"),
    ({"latency_ms": "fast"}, "latency_ms is no number"),
    ({"confidence": "inf"}, "confidence is not finite"),
    ({"segment": "one,too,many"}, "has 12 fields where the header has 10"),
    ({"segment": "caf\udce9"}, "the row is not UTF-8"),
)


def write_rows(path: Path, rows: int, *, bad_every: int = 0) -> Counter[str]:
    """A CSV of predictions; returns how many rows have to be refused, by reason."""
    rng, expected = random.Random(7), Counter[str]()
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for number in range(rows):
            row = _row(rng, number)
            if not bad_every or number % bad_every != bad_every // 2:
                writer.writerow(row)
                continue
            change, reason = FAULTS[number // bad_every % len(FAULTS)]
            expected[reason] += 1
            if "fields" in reason:
                file.write(",".join([*["x"] * (len(HEADER) - 1), change["segment"]]) + "\r\n")
            else:
                writer.writerow(row | change)
    return expected


def _row(rng: random.Random, number: int) -> dict[str, object]:
    features = {f"V{n}": round(rng.gauss(0, 1), 6) for n in range(1, FEATURES + 1)}
    at = BEGUN + timedelta(milliseconds=250 * number)
    return {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "prediction_id": f"p-{rng.getrandbits(64):016x}",
        "model_name": "fraud-detector",
        "model_version": "3",
        "segment": "country=DE",
        "features": json.dumps(features),
        "prediction": number % 2,
        "confidence": round(rng.random(), 6),
        "actual_label": "" if number % 3 else number % 2,
        "latency_ms": round(rng.gauss(40, 5), 3),
    }


def load(file: str, warehouse: str) -> dict[str, int]:
    with open_rows(Path(file), None, sys.stdin.buffer) as source:
        taken = SqliteIntake(Path(warehouse)).take(
            source, "predictions", Reading(), at=datetime.now(UTC)
        )
    return {"loaded": taken.loaded, "refused": taken.refused, "resumed_at": taken.resumed_at}


def load_plainly(file: str, warehouse: str) -> None:
    """Nothing is checked; all rows in one transaction, which suits sqlite-utils best."""
    create_tables(warehouse)
    load_bare(file, warehouse)


def load_bare(file: str, warehouse: str) -> None:
    """The same into a table that it makes itself: no types, no indexes, no times turned."""
    with writing(warehouse) as database, open(file, encoding="utf-8", newline="") as rows:
        database["PREDICTION_LOGS"].insert_all(csv.DictReader(rows), batch_size=1000)


def compared(folder: Path, rows: int) -> dict[str, float]:
    """Rows per second of both, by turns, each into a new warehouse; the median of each."""
    file = folder / "good.csv"
    write_rows(file, rows)
    ways = {"plain": load_plainly, "ingest": load, "bare": load_bare}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(REPEATS):
        for name, way in ways.items():
            warehouse = folder / f"{name}-{turn}.db"
            begun, cpu = time.perf_counter(), time.process_time()
            way(str(file), str(warehouse))
            spent[name].append((time.perf_counter() - begun, time.process_time() - cpu))
            warehouse.unlink()
    wall = {name: statistics.median(s for s, _ in runs) for name, runs in spent.items()}
    cpu_s = {name: statistics.median(c for _, c in runs) for name, runs in spent.items()}
    return {
        "rows": rows,
        "plain_rows_per_s": rows / wall["plain"],
        "ingest_rows_per_s": rows / wall["ingest"],
        "ratio": wall["plain"] / wall["ingest"],
        "cpu_ratio": cpu_s["plain"] / cpu_s["ingest"],
        "ratio_to_bare": wall["bare"] / wall["ingest"],
        "peak_mb": peak_mb(),
    }


def killed_and_resumed(folder: Path, rows: int, kills: int = 2) -> dict[str, float]:
    """Loads rows of which one in a hundred is bad, kills the process on the way, and loads again
    until it is through. Raises SystemExit where a row is lost, doubled or wrongly refused."""
    file, warehouse = folder / "mixed.csv", folder / "mixed.db"
    expected = write_rows(file, rows, bad_every=BAD_EVERY)
    begun, died = time.perf_counter(), 0
    for turn in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", LOAD, str(file), str(warehouse)], cwd=ROOT
        )
        while process.poll() is None and _read(warehouse) < rows * (turn + 1) / (kills + 2):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        died += process.wait() == -signal.SIGKILL
    figures = load(str(file), str(warehouse))
    _check(warehouse, rows, expected)
    again = load(str(file), str(warehouse))
    if again["loaded"] != figures["loaded"]:
        raise SystemExit("a load that had ended went on")
    return {
        "rows": rows,
        "bad": expected.total(),
        "killed": died,
        "resumed_at": figures["resumed_at"],
        "seconds": time.perf_counter() - begun,
    }


def _read(warehouse: Path) -> int:
    if not warehouse.exists():
        return 0
    with closing(sqlite3.connect(warehouse, timeout=30)) as connection:
        try:
            row = connection.execute("SELECT read FROM ROW_LOADS").fetchone()
        except sqlite3.OperationalError:
            return 0
    return int(row[0]) if row else 0


def _check(warehouse: Path, rows: int, expected: Counter[str]) -> None:
    with closing(sqlite3.connect(warehouse)) as connection:
        good, different = connection.execute(
            "SELECT count(*), count(DISTINCT prediction_id) FROM PREDICTION_LOGS"
        ).fetchone()
        refused = connection.execute("SELECT reason FROM QUARANTINE").fetchall()
    seen = Counter[str]()
    for (reason,) in refused:
        told = reason.removeprefix("timestamp ") if "before it" in reason else reason
        seen[next((start for start in expected if told.startswith(start)), reason)] += 1
    if good != different or good != rows - expected.total() or seen != expected:
        raise SystemExit(f"{good} rows ({different} ids) and {seen}, instead of {expected}")


def _lines(figures: dict[str, float]) -> Iterator[str]:
    for name, value in figures.items():
        yield f"{name:<20}{value:>14,.2f}" if value < 100 else f"{name:<20}{value:>14,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--killed", type=int, metavar="ROWS", help="with 1% bad rows, and kills")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.killed:
            figures = killed_and_resumed(folder, options.killed)
        else:
            figures = compared(folder, options.rows)
    print(json.dumps(figures) if options.json else "\n".join(_lines(figures)))


if __name__ == "__main__":
    main()
