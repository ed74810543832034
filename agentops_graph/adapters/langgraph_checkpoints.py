"""Checkpoints of the graph: a cache of progress in a file of its own."""

import os
import sqlite3
from pathlib import Path

# Must be set before the serializer is imported: then unknown types are refused on load.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agentops_graph.errors import UnavailableError

WAL_SAFE = (3, 51, 3)


class Checkpoints(SqliteSaver):
    """SqliteSaver with the journal that is safe for the SQLite library at hand."""

    def setup(self) -> None:
        if self.is_setup:
            return
        super().setup()
        if sqlite3.sqlite_version_info < WAL_SAFE:
            self.conn.execute("PRAGMA journal_mode = TRUNCATE")
        self.conn.execute("PRAGMA synchronous = FULL")


def open_checkpoints(path: Path) -> Checkpoints:
    """The saver on a file; state holds JSON scalars only, so no other type may be loaded."""
    try:
        connection = sqlite3.connect(path, check_same_thread=False, timeout=30)
        saver = Checkpoints(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=[]))
        saver.setup()
    except sqlite3.Error as error:
        raise UnavailableError(f"the checkpoints at {path} can't be opened: {error}") from error
    return saver
