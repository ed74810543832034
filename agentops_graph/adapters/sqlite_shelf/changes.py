"""What syncs did since a shelf was opened, and the folders that are not there now."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection

from agentops_graph.adapters.sqlite_shelf.files import Folder
from agentops_graph.adapters.sqlite_shelf.schema import plain_errors, read_state, write_state

MISSING = "missing_folders"


@dataclass
class Changes:
    """Names of documents that came, changed or went."""

    new: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def counts(self, documents: int) -> dict[str, int]:
        """How many of each, and how many of `documents` stayed as they were."""
        unchanged = max(0, documents - len(self.new) - len(self.changed))
        return {
            "new": len(self.new),
            "changed": len(self.changed),
            "gone": len(self.gone),
            "unchanged": unchanged,
        }

    def came(self, name: str, *, known: bool) -> None:
        """Notes a document that was written; `known` when one of its name was replaced."""
        if name in self.gone:  # of two folders, the other one's file took its place
            self.gone.discard(name)
            known = True
        if name not in self.new:
            (self.changed if known else self.new).add(name)

    def went(self, name: str) -> None:
        if name in self.new:
            self.new.discard(name)
        else:
            self.changed.discard(name)
            self.gone.add(name)


def absent(folders: Sequence[Folder]) -> list[str]:
    """Folders that can't be seen now: deleted, moved, or on a share that is not mounted."""
    return [str(folder.path) for folder in folders if not folder.path.is_dir()]


def kept_of(database: Connection, places: Sequence[str]) -> set[str]:
    """Documents that were read from these folders; they stay while the folder can't be seen."""
    marks = ",".join("?" * len(places))
    rows = database.execute(f"select name from documents where source in ({marks})", places)
    return {str(row[0]) for row in rows}


def write_missing(database: Connection, places: Sequence[str]) -> None:
    if list(places) != read_missing(database):
        write_state(database, MISSING, json.dumps(list(places)))


def read_missing(database: Connection) -> list[str]:
    return [str(place) for place in json.loads(read_state(database, MISSING) or "[]")]


def added_folders(file: Path) -> list[tuple[Path, str]]:
    """Folders that were added to this file, with their labels; none where there is no file.
    Nothing is written or made."""
    if not file.is_file():
        return []
    with plain_errors(file), closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as one:
        known = one.execute("select 1 from sqlite_master where name = 'sources'").fetchone()
        rows = one.execute("select path, label from sources order by added_at") if known else ()
        return [(Path(path), str(label)) for path, label in rows]
