"""A ledger that an older version left is brought up to this one's tables."""

import sqlite3
from datetime import UTC, datetime

from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerSilences, tables
from agentops_graph.domain.ledger import Silence

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW = {"component": "fraud", "by": "mia", "reason": "a move", "silence_id": "new"}


def test_columns_and_tables_that_are_missing_are_added_and_rows_stay(tmp_path):
    file = tmp_path / "ledger.db"
    Database(f"sqlite:///{file}", audit_key=b"k").close()
    with sqlite3.connect(file) as older:
        older.execute("INSERT INTO counters VALUES ('silence', 4)")
        older.execute("ALTER TABLE silences DROP COLUMN kind")
        older.execute("DROP TABLE outbox")
        older.execute("PRAGMA user_version = 0")
    older.close()

    database = Database(f"sqlite:///{file}", audit_key=b"k")
    made = LedgerSilences(database).add(
        Silence(kind="maintenance", starts_at=NOON, ends_at=NOON.replace(hour=13), **NEW)
    )

    assert made.kind == "maintenance"
    assert made.silence_id.endswith("5")
    with database.read() as connection:
        assert connection.execute(tables.outbox.select()).all() == []
