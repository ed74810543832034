"""The ledger's table of what people said of incidents afterwards."""

from sqlalchemy import Column, Integer, String, Table

from agentops_graph.adapters.sqlalchemy_ledger.schema import Instant, metadata
from agentops_graph.adapters.sqlalchemy_ledger.sealed import Words

incident_verdicts = Table(
    "incident_verdicts",
    metadata,
    Column("verdict_id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("verdict", String(12), nullable=False),
    Column("of", String(40)),
    Column("actor", String(200), nullable=False),
    Column("via", String(12), nullable=False),
    Column("at", Instant, nullable=False),
    Column("comment", Words("incident_verdicts.comment"), nullable=False),
)
