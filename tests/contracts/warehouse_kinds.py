"""Which warehouses a contract is held against."""

from contextlib import contextmanager

from tests.contracts.sql_warehouses import in_postgres, in_snowflake

SQL = ["postgres", "snowflake"]


@contextmanager
def made_in(kind, request):
    """An empty warehouse in a database server, with its tables."""
    place = (
        in_snowflake()
        if kind == "snowflake"
        else in_postgres(request.getfixturevalue("postgres_url"))
    )
    with place as warehouse:
        warehouse.create_tables()
        yield warehouse
