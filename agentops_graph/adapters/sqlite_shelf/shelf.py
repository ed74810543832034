"""Finds sections by words and by likeness, and keeps post-mortems."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agentops_graph.adapters.sqlite_shelf import reading
from agentops_graph.adapters.sqlite_shelf.files import Folder, glance
from agentops_graph.adapters.sqlite_shelf.order import ordered_pages
from agentops_graph.adapters.sqlite_shelf.schema import (
    new_generation,
    opened,
    plain_errors,
    read_refused,
    read_state,
    writing,
)
from agentops_graph.adapters.sqlite_shelf.search import Search
from agentops_graph.adapters.sqlite_shelf.storing import Provenance, store
from agentops_graph.adapters.sqlite_shelf.sync import (
    FROM_INCIDENT,
    Progress,
    bring_in_step,
    folders_of,
)
from agentops_graph.adapters.sqlite_shelf.vectors import Earlier, VectorStore
from agentops_graph.diagnosis.embedding import Embedding, Learner, VectorIndex
from agentops_graph.diagnosis.hybrid import ALL_PARTS, Parts
from agentops_graph.diagnosis.runbook import Document, parse_document, sections_of
from agentops_graph.domain.knowledge import Cause, DocumentKind, Page
from agentops_graph.domain.plain_text import printable
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import (
    InputError,
    NotFoundError,
    PortError,
    RunbookError,
    UnavailableError,
)

log = logging.getLogger(__name__)

GLANCE_EVERY_S = 2.0  # how long a changed runbook may go unnoticed
GLANCE_SHARE = 50  # a glance at very many files comes seldom enough to take 2% of the time
CATCH_UP_S = 20.0  # opening waits so long for missing vectors; `runbooks sync` makes the rest
Noted = Callable[[str], None]  # told of a folder before its change counts
GUESSED_CAUSES = 2  # more of them would drown what people declared


class SqliteShelf:
    """Runbooks and incident reports in one file; implements `ports.Shelf`.

    `folders` are read in order, a later one's file replacing an earlier one's of the same name,
    and those added by hand after them; changes in them are picked up while running. With
    `folders=None` the file is taken as it is and never brought in step with anything. One
    connection serves all threads under a lock. Construction syncs and raises UnavailableError when
    the file can't be had.
    """

    def __init__(
        self,
        path: Path,
        folders: Sequence[Path] | None,
        embedding: Embedding | Learner,
        index: VectorIndex | None = None,
        *,
        parts: Parts = ALL_PARTS,
        earlier: Earlier | None = None,
    ) -> None:
        self._path = path
        self._given = None if folders is None else [Path(folder) for folder in folders]
        self._index = index
        self._lock = threading.RLock()
        self._causes: tuple[str, list[Cause]] = ("", [])
        self._glance: tuple[tuple[str, int, int], ...] | None = None
        self._glance_due = 0.0
        self._database = opened(path)
        self._vectors = VectorStore(self._database, embedding, earlier)
        self._search = Search(self._database, self._vectors, self._lock, index, parts)
        self.sync(seconds=CATCH_UP_S)

    def sync(
        self,
        *,
        seconds: float | None = None,
        progress: Progress | None = None,
        vector_progress: Progress | None = None,
    ) -> bool:
        """Brings the file in step with the folders; True when it changed. Missing vectors are
        made for `seconds` at most; without a limit, an embedding that fails is raised."""
        if self._given is None:
            return False
        with self._lock, plain_errors(self._path):
            folders = self._folders()
            # Taken before reading, so that a file changed meanwhile is seen at the next glance.
            seen = self._look(folders)
            changed = bring_in_step(self._database, folders, self._vectors.vectorised, progress)
            self._glance = seen
            return self._renewed(seconds, vector_progress) or changed

    def search(
        self,
        query: str,
        *,
        kind: DocumentKind | None = None,
        alert_type: str | None = None,
        component: str | None = None,
        limit: int = 5,
    ) -> list[Page]:
        """Sections by BM25 and by cosine, fused; those whose document serves `alert_type` come
        first, reports of `component` before others. Any text is a query: its words are searched,
        never its syntax."""
        with self._lock, plain_errors(self._path):
            self._keep_up()
        with plain_errors(self._path):
            found = self._search.pages(query, kind, 2 * limit if alert_type is None else 60)
        return ordered_pages(found, query, alert_type, component)[: max(0, limit)]

    def page(self, reference: str) -> Page:
        with self._lock, plain_errors(self._path):
            self._keep_up()
            page = reading.page(self._database, reference)
        if page is None:
            raise NotFoundError(f"no section {reference!r}; search for it by its words")
        return page

    def causes(self, alert_type: str, *, question: str = "") -> list[Cause]:
        """Candidate causes of runbooks that serve this alert type; a cause that two of them
        describe is taken from a folder of the settings before an added one, and then from the one
        that serves fewer types. Those guessed from plain runbooks
        are added only for a question, from the runbooks that answer it best."""
        with self._lock, plain_errors(self._path):
            self._keep_up()
            generation = read_state(self._database, "generation")
            if self._causes[0] != generation:
                self._causes = (generation, reading.causes(self._database))
            serving = [cause for cause in self._causes[1] if alert_type in cause.serves]
        guessed = {cause.runbook: cause for cause in serving if cause.guessed}
        declared = [cause for cause in serving if not cause.guessed]
        distinct = {cause.cause: cause for cause in reversed(declared)}
        chosen = sorted(distinct.values(), key=lambda cause: (-cause.prior, cause.cause))
        return chosen + self._guessed(guessed, question)

    def _guessed(self, guessed: dict[str, Cause], question: str) -> list[Cause]:
        if not (guessed and question):
            return []
        pages = self.search(question, kind="runbook", limit=GUESSED_CAUSES)
        names = dict.fromkeys(page.document for page in pages if page.document in guessed)
        return [guessed[name] for name in names]

    def add_folder(self, folder: Path, *, label: str = "", noted: Noted = lambda _: None) -> None:
        """Reads a folder from now on, beside those of the settings; NotFoundError when it is
        none. What is in it comes with the next sync. What `noted` raises leaves it undone."""
        place = folder.expanduser().resolve()
        if not place.is_dir():
            raise NotFoundError(f"{folder} is no folder")
        if not f"{place}{label}".isprintable():
            raise InputError(
                f"{str(place)!a} can't be written down; rename it to printable UTF-8 text",
                field="FOLDER",
            )
        with self._lock, plain_errors(self._path), writing(self._database):
            self._database.execute(
                "insert or replace into sources (path, label, added_at) values (?, ?, ?)",
                [str(place), label or place.name, datetime.now(UTC).isoformat()],
            )
            noted(str(place))

    def remove_folder(self, folder: Path, *, noted: Noted = lambda _: None) -> None:
        """Reads a folder no longer; the next sync drops what came from it."""
        place = str(folder.expanduser().resolve())
        if not place.isprintable():  # nor could it be asked for
            raise NotFoundError(f"{place!a} was never added")
        with self._lock, plain_errors(self._path), writing(self._database):
            gone = self._database.execute("delete from sources where path = ?", [place])
            if not gone.rowcount:
                raise NotFoundError(f"{place} was never added; `agentops runbooks list` shows all")
            noted(place)

    def documents(self) -> list[dict[str, Scalar]]:
        """Every document with its origin, in the order of their folders."""
        with self._lock, plain_errors(self._path):
            self._keep_up()
            return reading.listing(self._database)

    def add_incident(self, incident_id: str, markdown: str, *, confirmed: bool) -> None:
        """Keeps a post-mortem here, in place of an earlier one of that id; `confirmed` is the
        caller's word, whatever the text says."""
        document = _postmortem(incident_id, markdown, confirmed)
        sha256 = hashlib.sha256(markdown.encode("utf-8", "replace")).hexdigest()
        file = f"{incident_id}.md"
        kept = Provenance(path=file, sha256=sha256, origin=FROM_INCIDENT)
        with self._lock, plain_errors(self._path):
            vectors = self._vectors.vectorised([document])[0]
            with writing(self._database):
                store(self._database, document, kept, vectors)
                new_generation(self._database)

    def condition(self) -> dict[str, Scalar]:
        with self._lock, plain_errors(self._path):
            counted = reading.counts(self._database)
            refused = read_refused(self._database)
            missing = self._vectors.pending()
            generation = read_state(self._database, "generation")
            embedding = read_state(self._database, "embedding")
        return {
            **counted,
            "generation": int(generation.partition("-")[0]),
            "embedding": embedding,
            "vectors_missing": missing,
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

    def _folders(self) -> list[Folder]:
        return folders_of(self._given or (), self._database)

    def _look(self, folders: Sequence[Folder]) -> tuple[tuple[str, int, int], ...]:
        began = time.monotonic()
        seen = glance(folders)
        took = time.monotonic() - began
        self._glance_due = began + max(GLANCE_EVERY_S, GLANCE_SHARE * took * bool(GLANCE_EVERY_S))
        return seen

    def _keep_up(self) -> None:
        if self._given is None or time.monotonic() < self._glance_due:
            return
        if self._look(self._folders()) == self._glance:
            return
        try:
            self.sync(seconds=CATCH_UP_S)
        except UnavailableError as error:
            log.warning("changed runbooks are not taken yet, the earlier ones answer: %s", error)

    def _renewed(self, seconds: float | None, progress: Progress | None) -> bool:
        try:
            return self._vectors.renew(seconds=seconds, progress=progress)
        except PortError as error:
            if seconds is None:
                raise
            log.warning("sections without vectors are found by their words only: %s", error)
            return False


def _postmortem(incident_id: str, markdown: str, confirmed: bool) -> Document:
    """What was learnt is never lost to a slip of form: a report whose front matter can't be read
    is kept as plain text, without alert type and root cause."""
    file = f"{incident_id}.md"
    text = "\n".join(printable(line) for line in markdown.split("\n"))
    try:
        parsed = parse_document(f"incidents/{file}", text)
    except RunbookError:
        parsed = Document(file, "incident", incident_id, sections_of(file, text))
    return replace(parsed, name=incident_id, kind="incident", confirmed=confirmed)
