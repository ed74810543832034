"""The shelf on one SQLite file: sections, full-text search, vectors and causes."""

from agentops_graph.adapters.sqlite_shelf.changes import added_folders
from agentops_graph.adapters.sqlite_shelf.shelf import SqliteShelf

__all__ = ["SqliteShelf", "added_folders"]
