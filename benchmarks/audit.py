"""How fast the audit is verified and exported: rows a second, and the memory it takes.

`python benchmarks/audit.py --rows 1000000` builds a chain in a folder of its own and walks it.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerAudit
from agentops_graph.adapters.sqlalchemy_ledger.audit import FIRST, link_of
from agentops_graph.adapters.sqlalchemy_ledger.database import iso
from agentops_graph.adapters.sqlalchemy_ledger.tables import audit as table
from benchmarks.peak import peak_mb

BATCH = 20_000
KEY = b"a key for measuring"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def build(database: Database, rows: int) -> None:
    """The rows that a busy ledger has, in batches: one transaction each would take an hour."""
    previous = FIRST
    for start in range(1, rows + 1, BATCH):
        batch = []
        for seq in range(start, min(start + BATCH, rows + 1)):
            row = {
                "seq": seq,
                "at": iso(NOON + timedelta(seconds=seq)),
                "what": ("request", "effect.done", "approval.approved")[seq % 3],
                "actor": "runner-7:4242",
                "via": "http",
                "incident_id": f"INC-2026-{1000 + seq // 20}",
                "fields": json.dumps({"key": f"A-{seq}:do", "status": 200, "result": "3 -> 4"}),
            }
            previous = link_of(KEY, previous, row)
            batch.append(row | {"hash": previous})
        with database.write() as connection:
            connection.execute(table.insert(), batch)


def measure(rows: int, folder: Path) -> dict[str, float]:
    """Seconds and rows a second of verifying and of reading for an export."""
    database = Database(f"sqlite:///{folder / 'ledger.db'}", audit_key=KEY)
    build(database, rows)
    audit = LedgerAudit(database, folder / "audit.head")
    audit.anchor()
    before = peak_mb()
    start = time.perf_counter()
    fault = audit.verify()
    verify_s = time.perf_counter() - start
    if fault is not None:
        raise SystemExit(f"the chain does not hold: {fault}")
    start = time.perf_counter()
    exported = sum(1 for _ in audit.exported())
    export_s = time.perf_counter() - start
    database.close()
    return {
        "rows": exported,
        "verify_s": round(verify_s, 2),
        "verify_rows_per_s": round(rows / verify_s),
        "export_s": round(export_s, 2),
        "export_rows_per_s": round(rows / export_s),
        "memory_growth_mb": round(peak_mb() - before, 1),
        "file_mb": round((folder / "ledger.db").stat().st_size / 1e6, 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments.parse_args().rows, Path(folder)), indent=2))


if __name__ == "__main__":
    main()
