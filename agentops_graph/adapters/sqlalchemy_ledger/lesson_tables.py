"""The ledger's tables of confirmed outcomes and of the calibrations made of them."""

from sqlalchemy import Column, Float, Integer, String, Table

from agentops_graph.adapters.sqlalchemy_ledger.schema import Instant, metadata

outcomes = Table(
    "outcomes",
    metadata,
    Column("outcome_id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("component", String(200), nullable=False),
    Column("alert_type", String(40), nullable=False),
    Column("named", String(200), nullable=False),
    Column("confidence", Float),
    Column("actual", String(200), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("via", String(12), nullable=False),
    Column("at", Instant, nullable=False),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("calibration_id", Integer, primary_key=True, autoincrement=True),
    Column("shift", Float, nullable=False),
    Column("slope", Float, nullable=False),
    Column("outcomes", Integer, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("via", String(12), nullable=False),
    Column("at", Instant, nullable=False),
)
