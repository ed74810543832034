"""The ledger's tables of what other systems pushed to us."""

from sqlalchemy import Column, Index, String, Table, text

from agentops_graph.adapters.sqlalchemy_ledger.schema import Instant, metadata
from agentops_graph.domain.delivery import LONGEST_SOURCE

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("source", String(LONGEST_SOURCE), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)

# When the newest end of an alert was, also of one that nobody told us of yet.
outside_ends = Table(
    "outside_ends",
    metadata,
    Column("source", String(LONGEST_SOURCE), primary_key=True),
    Column("fingerprint", String(200), primary_key=True),
    Column("over_at", Instant, nullable=False, index=True),
)

outside_alerts = Table(
    "outside_alerts",
    metadata,
    Column("alert_id", String(60), primary_key=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("source", String(LONGEST_SOURCE), nullable=False),
    Column("fingerprint", String(200), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("over_at", Instant),
    Column("look_at", Instant),  # when to see whether its incident is over; none: not to be seen
)
Index("outside_alerts_by_name", outside_alerts.c.source, outside_alerts.c.fingerprint)
Index(
    "outside_alerts_to_look_at",
    outside_alerts.c.look_at,
    sqlite_where=text("look_at IS NOT NULL"),
    postgresql_where=text("look_at IS NOT NULL"),
)
