"""A warehouse for what a team declared."""

from agentops_graph.adapters.sql_warehouse.dialect import DIALECTS
from agentops_graph.adapters.sql_warehouse.session import Session
from agentops_graph.adapters.sql_warehouse.warehouse import SqlWarehouse
from agentops_graph.domain.sources.warehouse import PostgresWarehouse, RemoteWarehouse


def open_warehouse(source: RemoteWarehouse, secret: str | None) -> SqlWarehouse:
    """`secret` is the password, or the passphrase of the private key. Nothing is asked yet."""
    return SqlWarehouse(
        _session(source, secret),
        DIALECTS[source.kind],
        db_schema=source.db_schema,
        sample_rows=source.sample_rows,
    )


def _session(source: RemoteWarehouse, secret: str | None) -> Session:
    if isinstance(source, PostgresWarehouse):
        from agentops_graph.adapters.sql_warehouse.postgres import PostgresSession

        return PostgresSession(source, secret)
    from agentops_graph.adapters.sql_warehouse.snowflake import SnowflakeSession

    return SnowflakeSession(source, secret)
