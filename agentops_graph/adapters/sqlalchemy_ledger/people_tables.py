"""The ledger's tables of people: how they prove who they are, and what they said of approvals."""

from sqlalchemy import Column, String, Table

from agentops_graph.adapters.sqlalchemy_ledger.schema import Instant, metadata

credentials = Table(
    "credentials",
    metadata,
    Column("credential_id", String(40), primary_key=True),
    Column("kind", String(12), nullable=False),  # token | session | link
    Column("name", String(200), nullable=False),
    Column("role", String(12), nullable=False),
    Column("tenant", String(200)),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("approval_id", String(40)),
    Column("parent_id", String(40), index=True),
    Column("created_by", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)

votes = Table(
    "votes",
    metadata,
    Column("approval_id", String(40), primary_key=True),
    Column("actor", String(200), primary_key=True),
    Column("verdict", String(8), nullable=False),
    Column("via", String(12), nullable=False),
    Column("at", Instant, nullable=False),
    Column("credential_id", String(40)),
    Column("role", String(12)),
)
