"""Reads of `knowledge.db`: matches, pages, causes and the corpus of vectors."""

import json
import re
import sqlite3
from collections.abc import Mapping
from sqlite3 import Connection

from agentops_graph.adapters.sqlite_shelf.schema import read_state
from agentops_graph.diagnosis.embedding import Corpus, Embedding
from agentops_graph.domain.knowledge import Cause, Page
from agentops_graph.domain.record import Scalar

WORDS = re.compile(r"[^\W_]+")
MAX_TERMS = 64
PAGE_COLUMNS = "section_id, reference, document, kind, title, context, text, confirmed, alert_types"


def matching(database: Connection, query: str, kind: str | None, limit: int) -> list[int]:
    """Section ids by BM25, best first; a title's word counts three times, the document's twice."""
    terms = fts_terms(query)
    if not terms:
        return []
    rows = database.execute(
        "select s.section_id from sections_fts join sections s on s.section_id = sections_fts.rowid"
        " where sections_fts match :terms and (:kind is null or s.kind = :kind)"
        " order by bm25(sections_fts, 3.0, 2.0, 1.0), s.section_id limit :limit",
        {"terms": terms, "kind": kind, "limit": limit},
    )
    return [int(row[0]) for row in rows]


def fts_terms(query: str) -> str:
    """The words of any text as quoted FTS5 terms joined by OR; operators and quotes are text."""
    words = dict.fromkeys(word.lower() for word in WORDS.findall(query))
    return " OR ".join(f'"{word}"' for word in list(words)[:MAX_TERMS])


def pages(database: Connection, scores: Mapping[int, float]) -> list[Page]:
    """Pages of section ids in the order of `scores`; ids deleted meanwhile are left out."""
    marks = ",".join("?" * len(scores))
    rows = database.execute(
        f"select {PAGE_COLUMNS} from sections where section_id in ({marks})", list(scores)
    )
    by_id = {int(row[0]): row for row in rows}
    return [_page(by_id[key], score) for key, score in scores.items() if key in by_id]


def page(database: Connection, reference: str) -> Page | None:
    row = database.execute(
        f"select {PAGE_COLUMNS} from sections where reference = ?", [reference]
    ).fetchone()
    return None if row is None else _page(row, 1.0)


def causes(database: Connection) -> list[Cause]:
    rows = database.execute("select causes from documents order by name")
    return [Cause.model_validate(entry) for row in rows for entry in json.loads(row[0])]


def corpus(database: Connection, embedding: Embedding) -> Corpus:
    """All vectors in one matrix, read in one transaction with the generation they belong to."""
    import numpy as np

    database.execute("BEGIN")
    try:
        rows = database.execute(
            "select section_id, kind, vector from sections order by section_id"
        ).fetchall()
        corpus_id = read_state(database, "corpus_id")
        generation = read_state(database, "generation")
        name = read_state(database, "embedding")
    finally:
        database.execute("ROLLBACK")
    size = embedding.dimensions * 4
    # Another process may have renewed the vectors for its own embedding; those are not ours.
    usable = [row for row in rows if name == embedding.name and len(row[2]) == size]
    blob = b"".join(row[2] for row in usable)
    return Corpus(
        corpus_id=corpus_id,
        generation=generation,
        embedding=embedding.name,
        keys=tuple(int(row[0]) for row in usable),
        kinds=tuple(str(row[1]) for row in usable),
        vectors=np.frombuffer(blob, dtype=np.float32).reshape(-1, embedding.dimensions),
    )


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


def _page(row: sqlite3.Row | tuple[object, ...], score: float) -> Page:
    _, reference, document, kind, title, context, text, confirmed, alert_types = row
    shown = f"{context}: {title}" if context and context != title else str(title)
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
        }
    )
