"""Vectors of the sections: those that serve, and those of a new embedding until it is complete."""

import time
from collections.abc import Callable, Sequence
from sqlite3 import Connection

from agentops_graph.adapters.sqlite_shelf.schema import (
    new_generation,
    read_state,
    write_state,
    writing,
)
from agentops_graph.adapters.sqlite_shelf.storing import embedded_text, text_to_embed, version_of
from agentops_graph.diagnosis.embedding import Corpus, Embedding, Learner
from agentops_graph.diagnosis.runbook import Document
from agentops_graph.errors import InputError, UnavailableError

BATCH = 256  # sections of one transaction: what a killed re-index has to make again at most
SAMPLE = 1500  # sections a learner reads
OUTGROWN = 2.0  # a learner learns anew when the corpus is this many times what it had learnt from
WITHOUT = (
    "from sections s left join vectors v on v.section_id = s.section_id and v.embedding = ?"
    " where v.section_id is null"
)
Progress = Callable[[int, int], None]
# An embedding that was set before, by its name and by what it had learnt.
Earlier = Callable[[str, bytes | None], Embedding | None]


class VectorStore:
    """The vectors in `knowledge.db`. Each stands with the name of its embedding; the one named in
    the state serves until every section has a vector of the wanted one."""

    def __init__(
        self,
        database: Connection,
        wanted: Embedding | Learner,
        earlier: Earlier | None = None,
    ) -> None:
        self._database, self._wanted, self._earlier = database, wanted, earlier
        self._made: dict[str, Embedding | None] = {}

    def serving(self) -> Embedding | None:
        """The embedding of the vectors that are searched; None when it can't be had here."""
        name = read_state(self._database, "embedding")
        if name not in self._made:
            self._made[name] = self._named(name)
        return self._made[name]

    def vectorised(self, documents: Sequence[Document]) -> list[dict[str, bytes]]:
        """For each document the vectors of its sections by version, as far as the serving
        embedding answers; a section that has not changed keeps its own."""
        texts = [{version_of(t): t for t in _texts(document)} for document in documents]
        kept = [self._kept(document.name) for document in documents]
        missing = {
            v: t for of, have in zip(texts, kept, strict=True) for v, t in of.items()
            if v not in have
        }  # fmt: skip
        made = self._made_now(missing)
        return [
            {v: have.get(v) or made[v] for v in of if v in have or v in made}
            for of, have in zip(texts, kept, strict=True)
        ]

    def renew(self, *, seconds: float | None, progress: Progress | None = None) -> bool:
        """Gives every section a vector of the wanted embedding, then lets it serve; True when
        another one serves than before. Ends after `seconds` and goes on at the next call; raises
        what the embedding raises, and what was made until then stays."""
        ends_at = None if seconds is None else time.monotonic() + seconds
        target = self._target()
        total = self._count("select count(*) from sections")
        done, behind = total - self.pending(target.name), 0
        while True:
            rows = self._database.execute(
                f"select s.section_id, s.title, s.context, s.text, s.document {WITHOUT}"
                " and s.section_id > ? order by s.section_id limit ?",
                [target.name, behind, BATCH],
            ).fetchall()
            if rows:
                self._fill(target, rows)
                done, behind = done + len(rows), int(rows[-1][0])
            if progress is not None:
                progress(done, total)
            if not rows:
                return self._serve(target)
            if ends_at is not None and time.monotonic() > ends_at:
                return False

    def pending(self, name: str | None = None) -> int:
        """Sections without a vector of the wanted embedding."""
        return self._count(f"select count(*) {WITHOUT}", name or self._wanted_name())

    def corpus(self, serving: Embedding) -> Corpus:
        """All vectors in one matrix, read in one transaction with the generation they belong to."""
        import numpy as np

        self._database.execute("BEGIN")
        try:
            rows = self._database.execute(
                "select s.section_id, s.kind, v.vector from vectors v join sections s"
                " on s.section_id = v.section_id where v.embedding = ? order by s.section_id",
                [serving.name],
            ).fetchall()
            corpus_id = read_state(self._database, "corpus_id")
            generation = read_state(self._database, "generation")
        finally:
            self._database.execute("ROLLBACK")
        # By what is kept: a server that is gone can't be asked for the size of its vectors.
        size = len(rows[0][2]) if rows else 4
        usable = [row for row in rows if len(row[2]) == size]
        blob = b"".join(row[2] for row in usable)
        return Corpus(
            corpus_id=corpus_id,
            generation=generation,
            embedding=serving.name,
            keys=tuple(int(row[0]) for row in usable),
            kinds=tuple(str(row[1]) for row in usable),
            vectors=np.frombuffer(blob, dtype=np.float32).reshape(-1, size // 4),
        )

    def _fill(self, target: Embedding, rows: list[tuple[int, str, str, str, str]]) -> None:
        vectors = target.embed([text_to_embed(*row[1:]) for row in rows])
        with writing(self._database):
            # A section that was replaced meanwhile is not there any more.
            self._database.executemany(
                "insert or replace into vectors (section_id, embedding, vector)"
                " select section_id, ?, ? from sections where section_id = ?",
                [(target.name, v.tobytes(), row[0]) for v, row in zip(vectors, rows, strict=True)],
            )
            if read_state(self._database, "embedding") == target.name:
                new_generation(self._database)

    def _serve(self, target: Embedding) -> bool:
        if read_state(self._database, "embedding") == target.name:
            return False
        with writing(self._database):
            write_state(self._database, "embedding", target.name)
            self._database.execute("delete from vectors where embedding != ?", [target.name])
            self._database.execute(
                "delete from bases where name not in (?, ?)",
                [target.name, read_state(self._database, "learnt")],
            )
            new_generation(self._database)
        return True

    def _target(self) -> Embedding:
        if not isinstance(self._wanted, Learner):
            return self._wanted
        count = self._count("select count(*) from sections")
        learnt, basis = self._learnt()
        if basis is not None and learnt / OUTGROWN <= count <= learnt * OUTGROWN:
            return self._wanted.recalled(basis)
        step = max(1, -(-count // SAMPLE))
        rows = self._database.execute(
            "select title, context, text, document from sections where section_id % ? = 0"
            " order by section_id limit ?",
            [step, SAMPLE],
        ).fetchall()
        embedding, basis = self._wanted.learnt([text_to_embed(*row) for row in rows])
        with writing(self._database):
            self._database.execute(
                "insert or replace into bases (name, learnt_from, basis) values (?, ?, ?)",
                [embedding.name, count, basis],
            )
            write_state(self._database, "learnt", embedding.name)
        return embedding

    def _wanted_name(self) -> str:
        if not isinstance(self._wanted, Learner):
            return self._wanted.name
        return read_state(self._database, "learnt")

    def _learnt(self) -> tuple[int, bytes | None]:
        row = self._database.execute(
            "select learnt_from, basis from bases where name = ?",
            [read_state(self._database, "learnt")],
        ).fetchone()
        return (0, None) if row is None else (int(row[0]), bytes(row[1]))

    def _named(self, name: str) -> Embedding | None:
        if not name:
            return None
        if not isinstance(self._wanted, Learner) and self._wanted.name == name:
            return self._wanted
        query = "select basis from bases where name = ?"
        row = self._database.execute(query, [name]).fetchone()
        basis = None if row is None else bytes(row[0])
        if basis is not None and isinstance(self._wanted, Learner):
            return self._wanted.recalled(basis)
        return None if self._earlier is None else self._earlier(name, basis)

    def _made_now(self, missing: dict[str, str]) -> dict[str, bytes]:
        serving = self.serving()
        if serving is None or not missing:
            return {}
        try:
            vectors = serving.embed(list(missing.values()))
        except (UnavailableError, InputError):
            return {}  # found by words; `renew` says why and makes them later
        return {v: vector.tobytes() for v, vector in zip(missing, vectors, strict=True)}

    def _kept(self, document: str) -> dict[str, bytes]:
        rows = self._database.execute(
            "select s.version, v.vector from sections s join vectors v"
            " on v.section_id = s.section_id where s.document = ? and v.embedding = ?",
            [document, read_state(self._database, "embedding")],
        )
        return {str(version): bytes(vector) for version, vector in rows}

    def _count(self, query: str, *values: str) -> int:
        return int(self._database.execute(query, values).fetchone()[0])


def _texts(document: Document) -> list[str]:
    return [embedded_text(document, section) for section in document.sections]
