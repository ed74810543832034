"""A ledger that an older version left is brought up to this one's tables."""

import sqlite3
from datetime import UTC, datetime

from agentops_graph.adapters.sqlalchemy_ledger import (
    Database,
    LedgerJobs,
    LedgerSilences,
    LedgerTimers,
    tables,
)
from agentops_graph.adapters.sqlalchemy_ledger.database import iso
from agentops_graph.domain.approval import Edit
from agentops_graph.domain.ledger import Silence
from tests.contracts.desk import POLICY, after, sql_desk

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


def test_waits_that_an_older_version_wrote_end_at_their_time(tmp_path):
    file = tmp_path / "ledger.db"
    Database(f"sqlite:///{file}", audit_key=b"k").close()
    with sqlite3.connect(file) as older:
        for column in ("set_at", "back_due_at"):
            older.execute(f"ALTER TABLE timers DROP COLUMN {column}")
        older.execute("ALTER TABLE jobs DROP COLUMN put_off_at")
        older.execute(
            "INSERT INTO timers (timer_id, kind, incident_id, due_at) VALUES (?, ?, ?, ?)",
            ("A-1:look:1", "look", "INC-1", iso(NOON)),
        )
        older.execute(
            "INSERT INTO jobs (incident_id, why, attempts, not_before) VALUES (?, ?, ?, ?)",
            ("INC-1", "alert", 1, iso(NOON)),
        )
        older.execute("PRAGMA user_version = 0")
    older.close()

    database = Database(f"sqlite:///{file}", audit_key=b"k")
    timers, jobs = LedgerTimers(database), LedgerJobs(database)
    before = NOON.replace(hour=11)

    assert (timers.due(before), jobs.waiting(before)) == ([], [])
    assert [timer.timer_id for timer in timers.due(NOON)] == ["A-1:look:1"]
    assert [job.incident_id for job in jobs.waiting(NOON)] == ["INC-1"]


def test_approvals_that_an_older_version_wrote_are_carried_out_decided_and_edited(tmp_path):
    file = tmp_path / "ledger.db"
    database = Database(f"sqlite:///{file}", audit_key=b"k")
    older = sql_desk(database)
    approved, lease = older.approved()
    other = older.report("churn").incident_id
    pending = older.propose_for("churn", other, "2")
    third = older.propose_for("spam", older.report("spam").incident_id, "2")
    database.close()
    with sqlite3.connect(file) as connection:
        for column in ("revision", "quorum", "four_eyes", "requested_with"):
            connection.execute(f"ALTER TABLE approvals DROP COLUMN {column}")
        connection.execute("DROP TABLE votes")
        connection.execute("PRAGMA user_version = 0")
    connection.close()

    desk = sql_desk(Database(f"sqlite:///{file}", audit_key=b"k"))
    assert desk.begin(approved, lease).state == "intent"
    decided = desk.decide(pending)
    assert (decided.status, decided.so_far, decided.approvers) == ("approved", "", ("mia",))
    words = {"approval_id": third.approval_id, "actor": "tom", "via": "cli"}
    edited = desk.approvals.edit(
        Edit(**words, change="version 2 -> 7"),
        third.proposal.model_copy(
            update={"action": third.proposal.action.model_copy(update={"version": "7"})}
        ),
        policy=POLICY,
        reason="changes production",
        notes=(),
        at=after(60),
    )
    assert (edited.status, edited.revision) == ("pending", 1)
    assert desk.approvals.get(third.approval_id).superseded_by == edited.approval_id
