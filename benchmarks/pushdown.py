"""Bytes that one tick reads from a Postgres warehouse while its window grows."""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agentops_graph.adapters.sql_warehouse import open_warehouse
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.component import Component
from agentops_graph.gathering.measure import measure
from tests.contracts.conftest import started
from tests.contracts.sql_warehouses import source_of
from tests.contracts.stalling_line import StallingLine

MODEL = Component(name="busy", discover_segments=False)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEATURES = [f"f{number}" for number in range(8)]
SAMPLE_ROWS = 5000
# Made by the server itself: a million rows would take minutes over the line.
FILL = """
INSERT INTO prediction_logs
  (timestamp, prediction_id, model_name, model_version, features, prediction, confidence,
   actual_label, latency_ms)
SELECT CAST('2026-03-01T11:00:00Z' AS TIMESTAMPTZ) + n * INTERVAL '1 hour' / {rows},
  'p' || n, 'busy', '1', JSONB_BUILD_OBJECT({features}),
  CAST(random() < 0.1 AS INT), 0.9, CAST(random() < 0.1 AS INT), 20 + 10 * random()
FROM GENERATE_SERIES(0, {rows} - 1) AS n
"""


def figures(sizes):
    """Per size of the window: rows, bytes that came from the server, seconds of the tick."""
    with tempfile.TemporaryDirectory() as folder:
        server = started(Path(folder))
        try:
            return [figure(server.get_uri(), rows) for rows in sizes]
        finally:
            server.cleanup()


def figure(url, rows):
    near, password = source_of(url, statement_timeout_s=600)
    direct = open_warehouse(near, password)
    direct.create_tables()
    members = ", ".join(f"'{name}', random()" for name in FEATURES)
    direct.session.change(
        [
            ("TRUNCATE prediction_logs, model_reference", {}),
            (FILL.format(rows=rows, features=members), {}),
            ("ANALYZE prediction_logs", {}),
        ]
    )
    rng = np.random.default_rng(1)
    columns = {name: rng.random(20_000) for name in FEATURES}
    direct.save_reference(profile_of("busy", "1", columns, {"f1": 0.1}, NOW))
    direct.session.close()
    with StallingLine(near.host, near.port) as line:
        more = {"host": "127.0.0.1", "port": line.port, "sslmode": "disable"}
        more |= {"statement_timeout_s": 600, "sample_rows": SAMPLE_ROWS}
        far, _ = source_of(url, **more)
        warehouse = open_warehouse(far, password)
        began = time.perf_counter()
        seen = measure(warehouse, MODEL, NOW, since=NOW - timedelta(hours=1))
        lasted = time.perf_counter() - began
        warehouse.session.close()
        return {
            "rows": int(seen.readings["rows"]),
            "bytes": line.received,
            "seconds": round(lasted, 2),
            "findings": [finding.metric for finding in seen.findings],
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    for each in figures(parser.parse_args().sizes):
        print(json.dumps(each))


if __name__ == "__main__":
    main()
