"""What every table of the ledger belongs to, and how it stores a time."""

from sqlalchemy import MetaData, String

metadata = MetaData()
Instant = String(32)  # ISO 8601 in UTC with microseconds: sorts as text on every database
