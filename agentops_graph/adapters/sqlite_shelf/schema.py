"""Tables of `knowledge.db`, and connections that fail in the product's words."""

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING

from agentops_graph.diagnosis.vocabulary import spelled_names, spoken
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_TIMEOUT_S = 30
# Older libraries can corrupt a WAL file when a reset races a writer.
WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)
LAYOUT = "3"  # raise it to have every document read again

TOKENS = "porter unicode61"
ADDED_COLUMNS: dict[str, dict[str, type]] = {
    "sections": {
        "spelled": str,  # joined names of the text as separate words
        "first_line": int,
        "last_line": int,
        "version": str,  # of the section's own text
    },
    "documents": {
        "source": str,  # the folder it was read from
        "git_commit": str,
        "also": str,  # other paths with the same content
        "read_at": str,
        "component": str,
        "guessed": int,
        "added": int,  # from a folder that was added by hand, not from one of the settings
    },
}


def opened(path: Path) -> Connection:
    """A connection to the file with its tables; UnavailableError when it can't be had."""
    with plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def tables_of(database: Connection) -> "Database":
    """The same connection for writing with sqlite-utils, which costs 75 MB where pandas is
    installed; so reading does without it."""
    from sqlite_utils import Database

    return Database(database, execute_plugins=False)


def _prepare(connection: Connection) -> None:
    mode = "WAL" if WAL_IS_SAFE else "TRUNCATE"
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # A replaced or deleted section leaves the full-text index by its triggers only with this.
    connection.execute("PRAGMA recursive_triggers=ON")
    if _is_arranged(connection):
        return
    with writing(connection):
        # Asked again under the lock: two processes may meet an empty file.
        if not _has_tables(connection):
            _make_tables(connection)
        elif not _is_arranged(connection):
            arrange(connection)


def _has_tables(connection: Connection) -> bool:
    query = "select 1 from sqlite_master where type = 'table' and name = 'state'"
    return connection.execute(query).fetchone() is not None


def _is_arranged(connection: Connection) -> bool:
    return _has_tables(connection) and read_state(connection, "layout") == LAYOUT


def _make_tables(connection: Connection) -> None:
    database = tables_of(connection)
    database["documents"].create(
        {
            "name": str,
            "path": str,
            "sha256": str,
            "kind": str,
            "title": str,
            "origin": str,  # "folder", or "incident" for a post-mortem kept here only
            "causes": str,
            "metadata": str,
        },
        pk="name",
    )
    database["sections"].create(
        {
            "section_id": int,
            "document": str,
            "reference": str,
            "position": int,
            "title": str,
            "context": str,
            "text": str,
            "kind": str,
            "confirmed": int,
            "alert_types": str,
        },
        pk="section_id",
        not_null={"document", "reference", "text"},
    )
    database["sections"].create_index(["reference"], unique=True)
    database["sections"].create_index(["document"])
    database["state"].create({"name": str, "value": str}, pk="name")
    arrange(connection)
    for name, value in (("corpus_id", uuid.uuid4().hex), ("counter", "0"), ("refused", "[]")):
        write_state(connection, name, value)
    write_state(connection, "generation", "0")


def arrange(connection: Connection) -> None:
    """Brings the tables of any earlier layout to this one; what was kept stays. Documents of
    folders are read again by the next sync, because their stamps hold the layout."""
    database = tables_of(connection)
    for table, columns in ADDED_COLUMNS.items():
        known = {column.name for column in database[table].columns}
        for name, kind in columns.items():
            if name not in known:
                database[table].add_column(name, kind)
    if database["sections"].detect_fts():
        database["sections"].disable_fts()
    database["sections"].enable_fts(
        ["title", "context", "text", "spelled"], tokenize=TOKENS, create_triggers=True
    )
    connection.execute("drop table if exists titles_fts")
    connection.execute(f"create virtual table titles_fts using fts5(spoken, tokenize='{TOKENS}')")
    for row, name, title in connection.execute("select rowid, name, title from documents"):
        write_spoken(connection, row, name, title)
    connection.execute(
        "create table if not exists sources (path text primary key, label text, added_at text)"
    )
    # Vectors of one embedding are nonsense to another, so each stands with its name.
    connection.execute(
        "create table if not exists vectors (section_id integer, embedding text, vector blob,"
        " primary key (section_id, embedding))"
    )
    connection.execute(
        "create trigger if not exists section_gone after delete on sections"
        " begin delete from vectors where section_id = old.section_id; end"
    )
    connection.execute(
        "create table if not exists bases (name text primary key, learnt_from integer, basis blob)"
    )
    if "vector" in {column.name for column in database["sections"].columns}:
        connection.execute("alter table sections drop column vector")
        write_state(connection, "embedding", "")
    write_state(connection, "layout", LAYOUT)


def write_spoken(connection: Connection, row: int, name: str, title: str) -> None:
    """Name and title of a document as words, for the search by titles."""
    said = spoken(name.rpartition("/")[2])
    if title and title.lower() not in said.lower():
        said = f"{said} {title} {spelled_names(title)}"
    connection.execute("insert into titles_fts (rowid, spoken) values (?, ?)", [row, said])


def read_state(database: Connection, name: str) -> str:
    row = database.execute("select value from state where name = ?", [name]).fetchone()
    return str(row[0]) if row else ""


def write_state(database: Connection, name: str, value: str) -> None:
    database.execute("insert or replace into state (name, value) values (?, ?)", [name, value])


def new_generation(database: Connection) -> None:
    """Counts the corpus on; the random part tells a restored file from the one that went on."""
    counter = int(read_state(database, "counter") or 0) + 1
    write_state(database, "counter", str(counter))
    write_state(database, "generation", f"{counter}-{uuid.uuid4().hex[:8]}")


def read_refused(database: Connection) -> list[str]:
    return [str(line) for line in json.loads(read_state(database, "refused") or "[]")]


@contextmanager
def writing(database: Connection) -> Iterator[None]:
    """One transaction that holds the write lock from its first statement."""
    database.execute("BEGIN IMMEDIATE")
    with database_transaction(database):
        yield


@contextmanager
def database_transaction(connection: Connection) -> Iterator[None]:
    """Commits the open transaction, or rolls it back when anything is raised."""
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """SQLite's and the file system's errors as UnavailableError with a next step."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnavailableError(
            f"{path}: {error}; the folder must be writable and its disk not full"
        ) from error
    except sqlite3.DatabaseError as error:
        raise UnavailableError(
            f"{path}: {error}; restore it from a backup, or move it away and the runbooks are "
            "read again"
        ) from error
    except OSError as error:
        raise UnavailableError(
            f"{path}: {error.strerror or error}; set AGENTOPS_HOME to a folder that can be written"
        ) from error
