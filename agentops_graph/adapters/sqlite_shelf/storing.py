"""Writes one document with its sections, where it came from, and the vectors it already has."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from agentops_graph.adapters.sqlite_shelf.schema import write_spoken
from agentops_graph.diagnosis.precedents import stamped
from agentops_graph.diagnosis.runbook import Document, Section
from agentops_graph.diagnosis.vocabulary import spelled_names, spoken

# Vectors by the version of their section; those that are missing are made later.
Vectorised = Callable[[Sequence[Document]], list[dict[str, bytes]]]


@dataclass(frozen=True)
class Provenance:
    """Where a document was read, and when."""

    path: str
    sha256: str
    origin: str  # "folder", or "incident" for a post-mortem kept here only
    source: str | None = None  # the folder
    git_commit: str | None = None
    read_at: str | None = None
    added: bool = False  # its folder was added by hand


def embedded_text(document: Document, section: Section) -> str:
    """What a section's vector is made of; its title counts twice."""
    text = stamped(document, section)
    return text_to_embed(section.heading, document.title, text, document.name)


def version_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def text_to_embed(heading: str, title: str, body: str, name: str) -> str:
    said = spoken(name.rpartition("/")[2])
    context = title if said.lower() == title.lower() else f"{said}\n{title}"
    return f"{context}\n{heading}\n{heading}\n{body}"


def store(
    database: Connection, document: Document, found: Provenance, vectors: dict[str, bytes]
) -> None:
    """Writes a document in place of the one of its name."""
    remove(database, document.name)
    row = _insert(
        database,
        "documents",
        {
            "name": document.name,
            "path": found.path,
            "sha256": found.sha256,
            "kind": document.kind,
            "title": document.title,
            "origin": found.origin,
            "causes": json.dumps([cause.model_dump(mode="json") for cause in document.causes]),
            "metadata": json.dumps(document.metadata),
            "source": found.source,
            "git_commit": found.git_commit,
            "read_at": found.read_at,
            "component": document.metadata.get("component"),
            "guessed": int(document.guessed),
            "added": int(found.added),
        },
    )
    write_spoken(database, row, document.name, document.title)
    for position, section in enumerate(document.sections):
        _insert(database, "sections", _row(document, section, position))
    _keep_vectors(database, document.name, vectors)


def remove(database: Connection, name: str) -> None:
    database.execute(
        "delete from titles_fts where rowid = (select rowid from documents where name = ?)", [name]
    )
    database.execute("delete from sections where document = ?", [name])
    database.execute("delete from documents where name = ?", [name])


def _insert(database: Connection, table: str, values: dict[str, object]) -> int:
    """The number of the new row. A report kept here and a file may come to share a reference; the
    one written last has it."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    query = f"insert or replace into {table} ({names}) values ({marks})"
    return int(database.execute(query, list(values.values())).lastrowid or 0)


def _row(document: Document, section: Section, position: int) -> dict[str, object]:
    text = stamped(document, section)
    named = spoken(document.name.rpartition("/")[2])
    first, last = section.lines
    return {
        "document": document.name,
        "reference": section.reference,
        "position": position,
        "title": section.heading,
        "context": document.title,
        "text": text,
        "kind": document.kind,
        "confirmed": int(document.confirmed),
        "alert_types": json.dumps(document.alert_types),
        "spelled": f"{named} {spelled_names(text)}".strip(),
        "first_line": first,
        "last_line": last,
        "version": version_of(embedded_text(document, section)),
    }


def _keep_vectors(database: Connection, name: str, vectors: dict[str, bytes]) -> None:
    if not vectors:
        return
    serving = database.execute("select value from state where name = 'embedding'").fetchone()[0]
    rows = database.execute("select section_id, version from sections where document = ?", [name])
    database.executemany(
        "insert or replace into vectors (section_id, embedding, vector) values (?, ?, ?)",
        [(key, serving, vectors[v]) for key, v in rows.fetchall() if v in vectors],
    )
