"""The ledger's tables of lineage that was sent to us."""

from sqlalchemy import Column, String, Table, Text

from agentops_graph.adapters.sqlalchemy_ledger.schema import Instant, metadata

lineage_edges = Table(
    "lineage_edges",
    metadata,
    Column("edge_sha256", String(64), primary_key=True),
    Column("origin", String(200), nullable=False),
    Column("source", Text, nullable=False),
    Column("source_kind", String(12)),
    Column("target", Text, nullable=False),
    Column("target_kind", String(12)),
    Column("told_at", Instant, nullable=False, index=True),
)

lineage_failures = Table(
    "lineage_failures",
    metadata,
    Column("failure_sha256", String(64), primary_key=True),
    Column("claimed_at", Instant, nullable=False, index=True),
)
