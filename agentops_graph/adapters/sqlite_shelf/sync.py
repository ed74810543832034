"""Brings the shelf in step with its folders: new, changed and deleted documents."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection

from agentops_graph.adapters.sqlite_shelf.schema import (
    LAYOUT,
    new_generation,
    read_state,
    tables_of,
    write_state,
)
from agentops_graph.diagnosis.embedding import Embedding
from agentops_graph.diagnosis.precedents import stamped
from agentops_graph.diagnosis.runbook import Document, parse_document
from agentops_graph.errors import RunbookError

MAX_BYTES = 1_000_000  # a longer document is a log or a dump, not a runbook
FROM_FOLDER, FROM_INCIDENT = "folder", "incident"


@dataclass(frozen=True)
class Draft:
    """A document file as found, before it is known to be readable."""

    path: str  # below its folder
    file: Path
    sha256: str
    content: bytes

    def parsed(self) -> Document:
        """Raises RunbookError."""
        try:
            return parse_document(self.path, self.content.decode("utf-8"))
        except UnicodeDecodeError as error:
            line = self.content[: error.start].count(b"\n") + 1
            raise RunbookError(self.file.name, line, "is not UTF-8 text") from None


@dataclass
class Change:
    """What a sync found: documents to write, names that stay, and refusals."""

    fresh: list[tuple[Draft, Document]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


def glance(folders: Sequence[Path]) -> tuple[tuple[str, int, int], ...]:
    """Path, time and size of every document file; equal glances need no sync."""
    seen = []
    for file in _files(folders):
        try:
            status = file.stat()
        except OSError:  # deleted since it was listed
            continue
        seen.append((str(file), status.st_mtime_ns, status.st_size))
    return tuple(seen)


def find_change(database: Connection, folders: Sequence[Path]) -> Change:
    """Compares folders and tables. A later folder's file replaces an earlier one of the same
    name, unless it is refused: then the earlier one stands."""
    rows = database.execute(
        "select path, sha256, name from documents where origin = ?", [FROM_FOLDER]
    )
    known = {(path, sha256): str(name) for path, sha256, name in rows}
    change = Change()
    taken: dict[str, str] = {}  # document name -> path
    for drafts in _drafts(folders, change).values():
        for draft in reversed(drafts):
            if (draft.path, draft.sha256) in known:
                name = known[draft.path, draft.sha256]
                change.kept.add(name)
                taken[name] = draft.path
                break
            if _accepted(draft, taken, change):
                break
    return change


def _accepted(draft: Draft, taken: dict[str, str], change: Change) -> bool:
    try:
        document = draft.parsed()
        if document.name in taken:
            other = taken[document.name]
            raise RunbookError(draft.path, 1, f"{document.name} is already told by {other}")
    except RunbookError as error:
        change.refused.append(str(error))
        return False
    taken[document.name] = draft.path
    change.fresh.append((draft, document))
    return True


def apply_change(database: Connection, change: Change, embedding: Embedding) -> bool:
    """Writes a change inside the caller's transaction; True when the corpus is a new one."""
    renewed = _embed_again(database, embedding)
    gone = _gone(database, change)
    for name in gone:
        remove(database, name)
    for draft, document in change.fresh:
        store(database, document, draft.path, draft.sha256, FROM_FOLDER, embedding)
    refused = json.dumps(change.refused)
    if refused != read_state(database, "refused"):
        write_state(database, "refused", refused)
    if not (renewed or gone or change.fresh):
        return False
    new_generation(database)
    return True


def store(
    database: Connection, document: Document, path: str, sha256: str, origin: str,
    embedding: Embedding,
) -> None:  # fmt: skip
    """Writes a document in place of the one of its name."""
    remove(database, document.name)
    tables = tables_of(database)
    tables["documents"].insert(
        {
            "name": document.name,
            "path": path,
            "sha256": sha256,
            "kind": document.kind,
            "title": document.title,
            "origin": origin,
            "causes": json.dumps([cause.model_dump(mode="json") for cause in document.causes]),
            "metadata": json.dumps(document.metadata),
        }
    )
    texts = [stamped(document, section) for section in document.sections]
    titles = [section.heading for section in document.sections]
    vectors = embedding.embed(_embedded(titles, [document.title] * len(titles), texts))
    rows = [
        {
            "document": document.name,
            "reference": section.reference,
            "position": position,
            "title": titles[position],
            "context": document.title,
            "text": texts[position],
            "kind": document.kind,
            "confirmed": int(document.confirmed),
            "alert_types": json.dumps(document.alert_types),
            "vector": vectors[position].tobytes(),
        }
        for position, section in enumerate(document.sections)
    ]
    # A report kept here and a file may come to share a reference; the one written last has it.
    tables["sections"].insert_all(rows, replace=True)


def remove(database: Connection, name: str) -> None:
    database.execute("delete from sections where document = ?", [name])
    database.execute("delete from documents where name = ?", [name])


def _gone(database: Connection, change: Change) -> list[str]:
    query = "select name from documents where origin = ?"
    names = [str(row[0]) for row in database.execute(query, [FROM_FOLDER])]
    fresh = {document.name for _, document in change.fresh}
    return [name for name in names if name not in change.kept and name not in fresh]


def _embed_again(database: Connection, embedding: Embedding) -> bool:
    """Vectors of one embedding are nonsense to another: a changed name renews them all."""
    if read_state(database, "embedding") == embedding.name:
        return False
    rows = database.execute("select section_id, title, context, text from sections").fetchall()
    if rows:
        _, titles, contexts, texts = (list(column) for column in zip(*rows, strict=True))
        vectors = embedding.embed(_embedded(titles, contexts, texts))
        database.executemany(
            "update sections set vector = ? where section_id = ?",
            [(vector.tobytes(), row[0]) for vector, row in zip(vectors, rows, strict=True)],
        )
    write_state(database, "embedding", embedding.name)
    return bool(rows)


def _embedded(titles: list[str], contexts: list[str], texts: list[str]) -> list[str]:
    return [f"{c}\n{t}\n{t}\n{body}" for c, t, body in zip(contexts, titles, texts, strict=True)]


def _files(folders: Iterable[Path]) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.rglob("*.md")) if file.is_file()]


def _drafts(folders: Sequence[Path], change: Change) -> dict[str, list[Draft]]:
    """Drafts by file name, each in the order of the folders."""
    drafts: dict[str, list[Draft]] = {}
    for folder in folders:
        if not folder.is_dir():
            change.refused.append(f"{folder}: is no folder")
        for file in _files([folder]):
            path = file.relative_to(folder).as_posix()
            try:
                content = file.read_bytes()
            except OSError as error:
                change.refused.append(f"{path}:1: can't be read: {error.strerror}")
                continue
            if len(content) > MAX_BYTES:
                change.refused.append(f"{path}:1: is longer than {MAX_BYTES} bytes")
                continue
            earlier = drafts.setdefault(file.name, [])
            if earlier and earlier[-1].file.is_relative_to(folder):
                change.refused.append(f"{path}:1: {earlier[-1].path} has the same file name")
                continue
            sha256 = hashlib.sha256(LAYOUT.encode() + content).hexdigest()
            earlier.append(Draft(path, file, sha256, content))
    return drafts
