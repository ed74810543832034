"""The columns of detached work."""

from sqlalchemy import Column, Float, String, Text

from agentops_graph.adapters.sqlalchemy_ledger.sealed import Document, Sealed, Words

Instant = String(32)  # as in the other tables
WORK_COLUMNS: tuple[Column[str] | Column[float], ...] = (
    Column("key", String(60), primary_key=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("action", Sealed("work.action"), nullable=False),
    Column("entry_point", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("writer", Text),
    Column("share", Float, nullable=False, server_default="0"),
    Column("progress", Words("work.progress"), nullable=False, server_default=""),
    Column("beat_clock", String(60)),  # names the clock of `beat` and `told`, as in leases
    Column("beat", Float),  # of open work: when it was opened
    Column("ran_s", Float, nullable=False, server_default="0"),
    Column("longest_s", Float),
    Column("told", Float),  # when its process was told to end; without end once it was made to
    Column("done_by", Words("work.done_by")),
    Column("late", Words("work.late")),
    Column("result", Document("work.result"), nullable=False, server_default="{}"),
    Column("error", Words("work.error")),
    Column("opened_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
