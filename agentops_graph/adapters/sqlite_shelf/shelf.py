"""Finds sections by words and by likeness, and keeps post-mortems."""

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agentops_graph.adapters.sqlite_shelf import reading
from agentops_graph.adapters.sqlite_shelf.schema import (
    new_generation,
    opened,
    plain_errors,
    read_refused,
    read_state,
    writing,
)
from agentops_graph.adapters.sqlite_shelf.sync import (
    FROM_INCIDENT,
    apply_change,
    find_change,
    glance,
    store,
)
from agentops_graph.diagnosis.embedding import Corpus, Embedding, VectorIndex, nearest_exactly
from agentops_graph.diagnosis.fusion import fused
from agentops_graph.diagnosis.runbook import Document, parse_document, sections_of
from agentops_graph.domain.knowledge import Cause, DocumentKind, Page
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import NotFoundError, RunbookError, UnavailableError

log = logging.getLogger(__name__)

WORD_CANDIDATES = 50
# Likeness always finds something; past this rank it is noise that a metadata match would lift.
LIKENESS_CANDIDATES = 20
GLANCE_EVERY_S = 2.0  # how long a changed runbook may go unnoticed
QUERY_CHARACTERS = 4000


class SqliteShelf:
    """Runbooks and incident reports in one file; implements `ports.Shelf`.

    `folders` are read in order, a later one's file replacing an earlier one's of the same name;
    changes in them are picked up while running. With `folders=None` the file is taken as it is and
    never brought in step with anything. One connection serves all threads under a lock.
    Construction syncs and raises UnavailableError when the file can't be had.
    """

    def __init__(
        self,
        path: Path,
        folders: Sequence[Path] | None,
        embedding: Embedding,
        index: VectorIndex | None = None,
    ) -> None:
        self._path = path
        self._folders = None if folders is None else [Path(folder) for folder in folders]
        self._embedding, self._index = embedding, index
        self._lock = threading.RLock()
        self._corpus: Corpus | None = None
        self._causes: tuple[str, list[Cause]] = ("", [])
        self._glance: tuple[tuple[str, int, int], ...] | None = None
        self._glanced_at = 0.0
        self._database = opened(path)
        self.sync()

    def sync(self) -> bool:
        """Brings the file in step with the folders, in one transaction; True when it changed."""
        if self._folders is None:
            return False
        with self._lock, plain_errors(self._path), writing(self._database):
            # Taken before reading, so that a file changed meanwhile is seen at the next glance.
            seen, self._glanced_at = glance(self._folders), time.monotonic()
            change = find_change(self._database, self._folders)
            changed = apply_change(self._database, change, self._embedding)
            self._glance = seen
            return changed

    def search(
        self,
        query: str,
        *,
        kind: DocumentKind | None = None,
        alert_type: str | None = None,
        limit: int = 5,
    ) -> list[Page]:
        """Sections by BM25 and by cosine, fused by reciprocal rank; those whose document serves
        `alert_type` come first. Any text is a query: its words are searched, never its syntax."""
        query = query[:QUERY_CHARACTERS]
        with self._lock, plain_errors(self._path):
            self._keep_up()
            corpus = self._current()
            by_words = reading.matching(self._database, query, kind, WORD_CANDIDATES)
        by_likeness = self._nearest(corpus, query, kind)
        scores = dict(fused([by_words, by_likeness]))
        with self._lock, plain_errors(self._path):
            pages = reading.pages(self._database, scores)
        return _ordered(pages, alert_type)[: max(0, limit)]

    def page(self, reference: str) -> Page:
        with self._lock, plain_errors(self._path):
            self._keep_up()
            page = reading.page(self._database, reference)
        if page is None:
            raise NotFoundError(f"no section {reference!r}; search for it by its words")
        return page

    def causes(self, alert_type: str) -> list[Cause]:
        """Candidate causes of runbooks that serve this alert type; a cause that two of them
        describe is taken from the one that serves fewer types."""
        with self._lock, plain_errors(self._path):
            self._keep_up()
            generation = read_state(self._database, "generation")
            if self._causes[0] != generation:
                self._causes = (generation, reading.causes(self._database))
            serving = [cause for cause in self._causes[1] if alert_type in cause.serves]
        serving.sort(key=lambda cause: len(cause.serves))
        distinct = {cause.cause: cause for cause in reversed(serving)}
        return sorted(distinct.values(), key=lambda cause: (-cause.prior, cause.cause))

    def add_incident(self, incident_id: str, markdown: str, *, confirmed: bool) -> None:
        """Keeps a post-mortem here, in place of an earlier one of that id; `confirmed` is the
        caller's word, whatever the text says."""
        document = _postmortem(incident_id, markdown, confirmed)
        sha256 = hashlib.sha256(markdown.encode("utf-8", "replace")).hexdigest()
        file = f"{incident_id}.md"
        with self._lock, plain_errors(self._path), writing(self._database):
            store(self._database, document, file, sha256, FROM_INCIDENT, self._embedding)
            new_generation(self._database)

    def condition(self) -> dict[str, Scalar]:
        with self._lock, plain_errors(self._path):
            counted = reading.counts(self._database)
            refused = read_refused(self._database)
            generation = read_state(self._database, "generation")
        return {
            **counted,
            "generation": int(generation.partition("-")[0]),
            "embedding": self._embedding.name,
            "index": self._index.condition() if self._index else "exact",
            "refused": "\n".join(refused),
        }

    def refused(self) -> list[str]:
        """`file:line: reason` of every document that was not taken."""
        with self._lock, plain_errors(self._path):
            return read_refused(self._database)

    def close(self) -> None:
        with self._lock:
            self._database.close()
        if self._index is not None:
            self._index.close()

    def _keep_up(self) -> None:
        if self._folders is None or time.monotonic() - self._glanced_at < GLANCE_EVERY_S:
            return
        self._glanced_at = time.monotonic()
        if glance(self._folders) == self._glance:
            return
        try:
            self.sync()
        except UnavailableError as error:
            log.warning("changed runbooks are not taken yet, the earlier ones answer: %s", error)

    def _current(self) -> Corpus:
        """The vectors, read again when this or another process wrote a new generation."""
        generation = read_state(self._database, "generation")
        if self._corpus is None or self._corpus.generation != generation:
            self._corpus = reading.corpus(self._database, self._embedding)
        return self._corpus

    def _nearest(self, corpus: Corpus, query: str, kind: str | None) -> list[int]:
        vector = self._embedding.embed([query])[0]
        if not corpus.keys or not vector.any():
            return []
        found = None
        if self._index is not None:
            found = self._index.nearest(corpus, vector, kind=kind, limit=LIKENESS_CANDIDATES)
        if found is None:
            found = nearest_exactly(corpus, vector, kind=kind, limit=LIKENESS_CANDIDATES)
        return found


def _ordered(pages: list[Page], alert_type: str | None) -> list[Page]:
    """Pages of the alert type first; of each incident its best section before any second one, so
    that a few places show several incidents."""
    seen: set[str] = set()
    keyed = []
    for page in sorted(pages, key=lambda page: -page.score):
        repeated = page.kind == "incident" and page.document in seen
        seen.add(page.document)
        keyed.append(((alert_type not in page.alert_types, repeated, -page.score), page))
    return [page for _, page in sorted(keyed, key=lambda pair: pair[0])]


def _postmortem(incident_id: str, markdown: str, confirmed: bool) -> Document:
    """What was learnt is never lost to a slip of form: a report whose front matter can't be read
    is kept as plain text, without alert type and root cause."""
    file = f"{incident_id}.md"
    text = "".join(c if c.isprintable() or c == "\n" else " " for c in markdown)
    try:
        parsed = parse_document(f"incidents/{file}", text)
    except RunbookError:
        parsed = Document(file, "incident", incident_id, sections_of(file, text))
    return replace(parsed, name=incident_id, kind="incident", confirmed=confirmed)
