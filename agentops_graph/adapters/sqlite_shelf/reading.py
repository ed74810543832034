"""Reads of `knowledge.db`: pages with where they came from, causes and counts."""

import json
import sqlite3
from collections.abc import Mapping
from sqlite3 import Connection

from agentops_graph.domain.knowledge import Cause, Page
from agentops_graph.domain.record import Scalar

PAGES = """
select s.section_id, s.reference, s.document, s.kind, s.title, s.context, s.text, s.confirmed,
    s.alert_types, s.first_line, s.last_line, s.version, d.path, d.source, d.git_commit, d.read_at,
    d.also, d.guessed, d.component
from sections s join documents d on d.name = s.document
"""
Row = sqlite3.Row | tuple[object, ...]


def pages(database: Connection, scores: Mapping[int, float]) -> dict[int, Page]:
    """Pages of section ids in the order of `scores`; ids deleted meanwhile are left out."""
    marks = ",".join("?" * len(scores))
    rows = database.execute(f"{PAGES} where s.section_id in ({marks})", list(scores))
    by_id = {int(row[0]): row for row in rows}
    return {key: _page(by_id[key], score) for key, score in scores.items() if key in by_id}


def documents_of(database: Connection, keys: list[int]) -> dict[int, str]:
    marks = ",".join("?" * len(keys))
    query = f"select section_id, document from sections where section_id in ({marks})"
    return {int(key): str(name) for key, name in database.execute(query, keys)}


def page(database: Connection, reference: str) -> Page | None:
    row = database.execute(f"{PAGES} where s.reference = ?", [reference]).fetchone()
    return None if row is None else _page(row, 1.0)


def causes(database: Connection) -> list[Cause]:
    """Those of the settings' folders before those of added ones; within each, causes that serve
    fewer alert types come first."""
    rows = database.execute(
        "select causes, coalesce(added, 0) from documents where causes != '[]' order by name"
    )
    found = [(added, Cause.model_validate(e)) for row, added in rows for e in json.loads(row)]
    found.sort(key=lambda pair: (pair[0], len(pair[1].serves)))
    return [cause for _, cause in found]


def listing(database: Connection) -> list[dict[str, Scalar]]:
    """One row for each document: what it is, where it came from, and how many sections it has."""
    rows = database.execute(
        "select d.name, d.kind, d.title, d.source, d.path, d.git_commit, d.read_at, d.guessed,"
        " d.also, (select count(*) from sections s where s.document = d.name)"
        " from documents d order by d.source, d.name"
    )
    return [
        {
            "document": str(name),
            "kind": str(kind),
            "title": str(title),
            "source": None if source is None else str(source),
            "path": str(path),
            "git_commit": commit,
            "read_at": read_at,
            "guessed": bool(guessed),
            "copies": len(str(also or "").split("\n")) if also else 0,
            "sections": int(sections),
        }
        for name, kind, title, source, path, commit, read_at, guessed, also, sections in rows
    ]


def counts(database: Connection) -> dict[str, Scalar]:
    row = database.execute(
        "select (select count(*) from sections), (select count(*) from documents),"
        " (select count(*) from documents where kind = 'incident')"
    ).fetchone()
    journal = database.execute("PRAGMA journal_mode").fetchone()
    return {
        "sections": int(row[0]),
        "documents": int(row[1]),
        "incidents": int(row[2]),
        "journal": str(journal[0]),
    }


def _page(row: Row, score: float) -> Page:
    _, reference, document, kind, title, context, text, confirmed, alert_types = row[:9]
    first, last, version, path, source, commit, read_at, also, guessed, component = row[9:]
    shown = f"{context}: {title}" if context and context != title else str(title)
    place = f"{str(source).rpartition('/')[2]}/{path}" if source else str(path)
    origin = version and {
        "path": place,
        "first_line": first or 1,
        "last_line": last or first or 1,
        "version": version,
        "git_commit": commit,
        "read_at": read_at,
        "copies": tuple(str(also).split("\n")) if also else (),
    }
    return Page.model_validate(
        {
            "reference": reference,
            "document": document,
            "kind": kind,
            "title": shown,
            "text": text,
            "score": score,
            "confirmed": bool(confirmed),
            "alert_types": json.loads(str(alert_types)),
            "guessed": bool(guessed),
            "component": component,
            "origin": origin or None,
        }
    )
