"""Warehouses in a real Postgres and in an emulated Snowflake, each test in a schema of its own."""

import itertools
from contextlib import contextmanager
from urllib.parse import urlsplit

from agentops_graph.adapters.sql_warehouse import SqlWarehouse, open_warehouse
from agentops_graph.domain.sources.warehouse import PostgresWarehouse, SnowflakeWarehouse

NUMBERS = itertools.count()


def source_of(url, **more):
    """The declared source of a server's own URL, which may name a socket's folder as its host."""
    from psycopg.conninfo import conninfo_to_dict

    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    held = conninfo_to_dict(plain)
    given = {
        "kind": "postgres",
        "host": held.get("host", "127.0.0.1"),
        "port": held.get("port", 5432),
        "database": held["dbname"],
        "user": held["user"],
    }
    return PostgresWarehouse.model_validate(given | more), urlsplit(plain).password


@contextmanager
def in_postgres(url, **more):
    schema = f"w{next(NUMBERS)}"
    source, password = source_of(url, schema=schema, **more)
    warehouse = open_warehouse(source, password)
    warehouse.session.change([(f"CREATE SCHEMA {schema}", {})])
    try:
        yield warehouse
    finally:
        warehouse.session.change([(f"DROP SCHEMA {schema} CASCADE", {})])
        warehouse.session.close()


@contextmanager
def in_snowflake(**more):
    import fakesnow

    source = SnowflakeWarehouse.model_validate(
        {
            "kind": "snowflake",
            "account": "acme",
            "user": "agentops",
            "database": "ML",
            "password_env": "SNOWFLAKE_PASSWORD",
        }
        | more
    )
    with fakesnow.patch():
        warehouse = open_warehouse(source, "secret")
        yield warehouse
        warehouse.session.close()


__all__ = ["SqlWarehouse", "in_postgres", "in_snowflake", "source_of"]
