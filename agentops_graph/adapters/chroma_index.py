"""A Chroma index derived from the shelf's vectors; it may always decline, the truth is elsewhere.

Embedded Chroma is not safe for several processes on one folder: readers go stale for good and two
writers lose vectors, without an error. So only the process holding the lock on `.owner` opens it.
"""

import fcntl
import logging
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agentops_graph.diagnosis.embedding import Corpus, Vectors
from agentops_graph.domain.address import refuse_remote
from agentops_graph.errors import InputError

log = logging.getLogger(__name__)

ADD_BATCH = 1000
COMPLETE = {"complete": "yes"}
# Below this an exact search takes under a millisecond; loading Chroma takes a second.
WORTH_IT = 5_000


class ChromaFolder:
    """An embedded client, held by at most one process per folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock_file: int | None = None
        self._owner_pid = 0

    def client(self) -> Any:
        import chromadb

        return chromadb.PersistentClient(str(self._folder), settings=_quiet_settings())

    def release(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def claimed(self) -> bool:
        """True when this process owns the folder; a fork of the owner shares the lock and must
        not share the folder. Raises OSError when the folder can't be made."""
        if self._lock_file is not None:
            return self._owner_pid == os.getpid()
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / ".owner", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock_file, self._owner_pid = descriptor, os.getpid()
        return True


class ChromaServer:
    """A client of a Chroma server; many processes may use one."""

    def __init__(self, url: str, *, allow_remote: bool = False) -> None:
        whole = url if "://" in url else f"http://{url}"
        refuse_remote(
            whole,
            field="AGENTOPS_CHROMA_URL",
            allow_remote=allow_remote,
            sent="runbooks and incidents",
        )
        self._parts = urlsplit(whole)

    def client(self) -> Any:
        import chromadb

        secure = self._parts.scheme == "https"
        return chromadb.HttpClient(
            host=str(self._parts.hostname),
            port=self._parts.port or (443 if secure else 8000),
            ssl=secure,
            settings=_quiet_settings(),
        )

    def claimed(self) -> bool:
        return True

    def release(self) -> None:
        return None


class ChromaIndex:
    """Nearest sections by Chroma; implements `diagnosis.embedding.VectorIndex`.

    Each generation of a corpus has a collection of its own, marked complete when all vectors are
    in, so an interrupted rebuild is never searched. A `url` wins over a `folder`.
    Nothing is opened or imported before the first search, nor for a corpus of fewer than
    `at_least` sections; any failure is told once in the log and
    answered with None.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        url: str | None = None,
        allow_remote: bool = False,
        at_least: int = 0,
    ) -> None:
        if url is None and folder is None:
            raise InputError("give a folder or a url", field="chroma")
        self._place: ChromaFolder | ChromaServer = (
            ChromaServer(url, allow_remote=allow_remote)
            if url
            else ChromaFolder(Path(folder or ""))
        )
        self._at_least = at_least
        self._lock = threading.Lock()
        self._client: Any = None
        self._collection: tuple[str, Any] | None = None
        self._condition = "chroma (opens at the first search)"

    def nearest(
        self, corpus: Corpus, vector: Vectors, *, kind: str | None, limit: int
    ) -> list[int] | None:
        if len(corpus.keys) < self._at_least:
            self._condition = f"exact (fewer than {self._at_least:,} sections need no Chroma)"
            return None
        with self._lock:
            try:
                if not self._place.claimed():
                    self._condition = "exact (another process owns the Chroma folder)"
                    return None
            except OSError as error:
                return self._declined(error)
            return self._guarded(lambda: self._search(corpus, vector, kind, limit))

    def condition(self) -> str:
        return self._condition

    def close(self) -> None:
        with self._lock:
            client, self._client, self._collection = self._client, None, None
            if client is not None and self._place.claimed():
                client.close()
            self._place.release()

    def _guarded(self, search: Callable[[], list[int]]) -> list[int] | None:
        failures = _failures()  # imported here, by the owner only
        try:
            return search()
        except failures as error:
            return self._declined(error)

    def _declined(self, error: BaseException) -> list[int] | None:
        condition = f"exact (chroma failed: {type(error).__name__}: {str(error)[:200]})"
        if condition != self._condition:
            log.warning("searching without Chroma: %s", condition)
        self._condition, self._collection = condition, None
        return None

    def _search(self, corpus: Corpus, vector: Vectors, kind: str | None, limit: int) -> list[int]:
        if self._client is None:
            self._client = self._place.client()
        collection = self._current(corpus)
        found = collection.query(
            query_embeddings=[vector.tolist()],
            n_results=min(limit, len(corpus.keys)),
            where={"kind": kind} if kind else None,
            include=["distances"],
        )
        self._condition = "chroma"
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        # A cosine distance of 1 is a right angle: nothing in common.
        return [int(key) for key, distance in pairs if distance < 1.0]

    def _current(self, corpus: Corpus) -> Any:
        """The collection of this very corpus, made when it is not there or not complete."""
        prefix = f"agentops-{corpus.corpus_id[:12]}-"
        name = re.sub(r"[^A-Za-z0-9._-]", "-", f"{prefix}{corpus.generation}-{corpus.embedding}")
        if self._collection is not None and self._collection[0] == name:
            return self._collection[1]
        collection = self._client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        complete = (collection.metadata or {}).get("complete") == "yes"
        if not complete or collection.count() != len(corpus.keys):
            self._fill(collection, corpus)
        for other in self._client.list_collections():
            if other.name.startswith(prefix) and other.name != name:
                self._client.delete_collection(other.name)
        self._collection = (name, collection)
        return collection

    def _fill(self, collection: Any, corpus: Corpus) -> None:
        for start in range(0, len(corpus.keys), ADD_BATCH):
            part = slice(start, start + ADD_BATCH)
            collection.upsert(
                ids=[str(key) for key in corpus.keys[part]],
                embeddings=corpus.vectors[part],
                metadatas=[{"kind": kind} for kind in corpus.kinds[part]],
            )
        collection.modify(metadata=COMPLETE)


def _quiet_settings() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _failures() -> tuple[type[BaseException], ...]:
    """What Chroma raises when its files are damaged or its server is gone."""
    import httpx
    from chromadb.errors import ChromaError

    return (ChromaError, httpx.HTTPError, OSError, ValueError, RuntimeError)
