"""One search of the shelf: candidates by words and by likeness, fused, with their pages."""

from collections.abc import Collection, Mapping
from heapq import nlargest
from sqlite3 import Connection
from threading import RLock

from agentops_graph.adapters.sqlite_shelf import reading
from agentops_graph.adapters.sqlite_shelf.schema import read_state
from agentops_graph.adapters.sqlite_shelf.scope import Scope
from agentops_graph.adapters.sqlite_shelf.vectors import VectorStore
from agentops_graph.adapters.sqlite_shelf.words import WordSearch
from agentops_graph.diagnosis.embedding import (
    Corpus,
    Embedding,
    VectorIndex,
    Vectors,
    nearest_exactly,
)
from agentops_graph.diagnosis.hybrid import Found, Parts, answer_strength, ordered
from agentops_graph.diagnosis.one_thread import ONE_THREAD
from agentops_graph.domain.knowledge import DocumentKind, Page
from agentops_graph.errors import InputError, UnavailableError

# Likeness always finds something; past this rank it is noise that a metadata match would lift.
LIKENESS_CANDIDATES = 30
PAGES = 20  # sections whose texts are read at least; what is known of them may change the order
QUERY_CHARACTERS = 4000


class Search:
    """Hybrid search over one file; the lock guards the connection, never the arithmetic."""

    def __init__(
        self,
        database: Connection,
        vectors: VectorStore,
        lock: RLock,
        index: VectorIndex | None,
        parts: Parts,
    ) -> None:
        self._database, self._vectors, self._lock = database, vectors, lock
        self._index, self._parts = index, parts
        self._words = WordSearch(database)
        self._corpus: Corpus | None = None

    def pages(
        self,
        query: str,
        kind: DocumentKind | None,
        number: int = PAGES,
        *,
        components: Collection[str] | None = None,
    ) -> list[Page]:
        """At least `number` of the best pages, if so many are found, best first."""
        query, scope = query[:QUERY_CHARACTERS], Scope.of(kind, components)
        with self._lock:
            words, owners = self._words.scores(query, scope, self._parts)
            information = self._words.information(query)
            serving = self._vectors.serving()
            corpus = None if serving is None else self._current(serving)
        likeness = {} if corpus is None else self._likeness(corpus, query, scope, words)
        keys = list(words | likeness)
        with self._lock:
            unknown = [key for key in keys if key not in owners]
            owners |= reading.documents_of(self._database, unknown)
            found = {
                key: Found(owners[key], words.get(key, 0.0), likeness.get(key, 0.0))
                for key in keys
                if key in owners
            }
            scores = dict(list(ordered(found, self._parts).items())[: max(PAGES, number)])
            pages = reading.pages(self._database, scores)
        return [
            page.model_copy(update={"match": self._match(found[key], information, likeness)})
            for key, page in pages.items()
        ]

    def _match(self, found: Found, information: float, likeness: Mapping[int, float]) -> float:
        return answer_strength(found.words, found.likeness if likeness else 1.0, information)

    def _current(self, serving: Embedding) -> Corpus:
        """The vectors, read again when this or another process wrote a new generation."""
        generation = read_state(self._database, "generation")
        held = self._corpus
        if held is None or held.generation != generation or held.embedding != serving.name:
            held = self._corpus = self._vectors.corpus(serving)
        return held

    def _likeness(
        self, corpus: Corpus, query: str, scope: Scope, words: dict[int, float]
    ) -> dict[int, float]:
        """Cosines of the nearest sections and of those found by words."""
        serving = self._vectors.serving()
        if serving is None or not corpus.keys or not self._parts.likeness:
            return {}
        with ONE_THREAD:
            return self._cosines(serving, corpus, query, scope, words)

    def _cosines(
        self, serving: Embedding, corpus: Corpus, query: str, scope: Scope,
        words: dict[int, float],
    ) -> dict[int, float]:  # fmt: skip
        try:
            vector = serving.embed([query])[0]
        except (UnavailableError, InputError):
            return {}  # words alone answer; the doctor says what is wrong with the embedding
        if not vector.any() or len(vector) != corpus.vectors.shape[1]:
            return {}
        found = self._nearest(corpus, vector, scope)
        return corpus.likeness(list(dict.fromkeys([*found, *words])), vector)

    def _nearest(self, corpus: Corpus, vector: Vectors, scope: Scope) -> list[int]:
        """An index knows kinds and no components, so a search of some is exact."""
        if scope.components is not None:
            with self._lock:
                inside = scope.sections(self._database)
            scores = corpus.likeness(inside, vector)
            alike = [key for key, score in scores.items() if score > 0]
            return nlargest(LIKENESS_CANDIDATES, alike, key=lambda key: scores[key])
        found, limit = None, LIKENESS_CANDIDATES
        if self._index is not None:
            found = self._index.nearest(corpus, vector, kind=scope.kind, limit=limit)
        if found is None:
            found = nearest_exactly(corpus, vector, kind=scope.kind, limit=limit)
        return found
