"""The ledger's table of components: when each is looked at, by whom, and how well it is seen."""

from sqlalchemy import Column, Float, Integer, String, Table, Text

from agentops_graph.adapters.sqlalchemy_ledger.schema import Instant, metadata
from agentops_graph.adapters.sqlalchemy_ledger.sealed import Document, Words

sights = Table(
    "sights",
    metadata,
    Column("component", String(200), primary_key=True),
    Column("due_at", Instant),
    Column("looked_at", Instant),
    Column("seen_at", Instant),
    Column("readings", Document("sights.readings"), nullable=False, server_default="{}"),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("blind_since", Instant, index=True),
    Column("source", String(200)),
    Column("fault", String(10)),
    Column("why", Words("sights.why"), nullable=False, server_default=""),
    Column("gap_from", Instant),
    Column("back_at", Instant),
    Column("token", Integer, nullable=False, server_default="0"),
    Column("holder", Text, nullable=False, server_default=""),  # a Writer; empty between turns
    Column("boot_id", String(60), nullable=False, server_default=""),
    Column("until", Float, nullable=False, server_default="0"),  # by the clock `boot_id` names
)
