"""Measures retrieval for each embedding that is here, and what each part of the search adds.

python -m evals.retrieval [--json]                   all tables
python -m evals.retrieval --predict QUERIES --corpus FOLDER   one JSON line a query, for a scorer
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.bootstrap.embedding import embedding_of
from agentops_graph.bootstrap.reranking import rerank_of
from agentops_graph.diagnosis.embedding import Embedding, Learner
from agentops_graph.diagnosis.hybrid import ALL_PARTS, Parts
from agentops_graph.diagnosis.reranking import Rerank
from agentops_graph.errors import AgentOpsError
from agentops_graph.settings import read_settings
from evals.retrieval.measure import RUNBOOKS, figures, ranks
from evals.shared_sets import folder, scorer

EMBEDDINGS = ("lexical", "minilm", "chroma-minilm", "ollama:nomic-embed-text")
ABLATION = {
    "BM25": Parts(likeness=False, expansion=False, titles=False),
    "BM25 + titles": Parts(likeness=False, expansion=False),
    "BM25 + titles + expansion": Parts(likeness=False),
    "vectors": Parts(words=False),
    "fusion without expansion": Parts(expansion=False),
    "fusion without ranks": Parts(ranks=False),
    "all": ALL_PARTS,
}
DEEP = 50  # sections that are looked at for the first ten documents


@contextmanager
def shelf_of(
    corpus: Path, embedding: Embedding | Learner, parts: Parts, rerank: Rerank | None = None
) -> Iterator[SqliteShelf]:
    with tempfile.TemporaryDirectory() as home:
        shelf = SqliteShelf(
            Path(home) / "knowledge.db", [corpus], embedding, parts=parts, rerank=rerank
        )
        try:
            shelf.sync()
            yield shelf
        finally:
            shelf.close()


def prediction(shelf: SqliteShelf, query: dict) -> dict:
    pages = shelf.search(query["query"], limit=DEEP)
    documents = list(dict.fromkeys(page.document for page in pages))
    sure = max((page.match for page in pages), default=0.0)
    return {"id": query["id"], "ranked": documents[:10], "score": sure}


def third_party(
    embedding: Embedding | Learner, parts: Parts, rerank: Rerank | None = None
) -> dict[str, dict[str, float]]:
    """Figures of each foreign set by its own scorer; empty where the data is not there."""
    judge = scorer("score_retrieval")
    if judge is None:
        return {}
    told = {}
    for place in sorted((folder() / "retrieval").iterdir()):
        asked = judge.read(place / "queries.jsonl")
        without = judge.read(place / "queries_no_runbook.jsonl")
        with shelf_of(place / "corpus", embedding, parts, rerank) as shelf:
            began = time.perf_counter()
            said = [prediction(shelf, query) for query in asked + without]
            took = (time.perf_counter() - began) / max(1, len(said))
        row = dict(judge.score({one["id"]: one["ranked"] for one in said}, asked))
        if without:
            sure = [one["score"] for one in said]
            row["AUROC"] = judge.auroc(sure[: len(asked)], sure[len(asked) :])
        told[place.name] = {k: round(float(v), 3) for k, v in row.items()} | {
            "ms a query": round(took * 1000, 1)
        }
    return told


def own(
    embedding: Embedding | Learner, parts: Parts, rerank: Rerank | None = None
) -> dict[str, float]:
    with shelf_of(RUNBOOKS, embedding, parts, rerank) as shelf:
        return {name: round(value, 3) for name, value in figures(ranks(shelf)).items()}


def tables(only: list[str], *, ablation: bool) -> dict[str, dict]:
    told: dict[str, dict] = {"embeddings": {}, "ablation": {}}
    for setting in only:
        try:
            embedding = embedding_of(read_settings(embedding=setting))
            row = {"own queries": own(embedding, ALL_PARTS)}
            told["embeddings"][setting] = row | third_party(embedding, ALL_PARTS)
        except AgentOpsError as error:
            told["embeddings"][setting] = {"skipped": str(error)}
    settings = read_settings(embedding="lexical")
    if settings.rerank != "none":
        embedding, rerank = embedding_of(settings), rerank_of(settings)
        row = {"own queries": own(embedding, ALL_PARTS, rerank)}
        told["rerank"] = {settings.rerank: row | third_party(embedding, ALL_PARTS, rerank)}
    for name, parts in ABLATION.items() if ablation else ():
        embedding = embedding_of(read_settings(embedding="lexical"))
        told["ablation"][name] = {"own queries": own(embedding, parts)} | third_party(
            embedding, parts
        )
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--embedding", action="append", help="only this one; may be repeated")
    parser.add_argument("--no-ablation", action="store_true")
    parser.add_argument("--predict", type=Path, help="queries as JSON lines: id, query")
    parser.add_argument("--corpus", type=Path)
    given = parser.parse_args()
    if given.predict:
        settings = read_settings()
        embedding, rerank = embedding_of(settings), rerank_of(settings)
        with shelf_of(given.corpus, embedding, ALL_PARTS, rerank) as shelf:
            for line in given.predict.read_text(encoding="utf-8").splitlines():
                print(json.dumps(prediction(shelf, json.loads(line))))
        return
    told = tables(given.embedding or list(EMBEDDINGS), ablation=not given.no_ablation)
    if given.json:
        print(json.dumps(told, indent=2))
        return
    for title, rows in told.items():
        for name, sets in rows.items():
            for place, row in sets.items():
                shown = (
                    row if isinstance(row, str) else "  ".join(f"{k} {v}" for k, v in row.items())
                )
                print(f"{title:10}  {name:26}  {place:12}  {shown}")


if __name__ == "__main__":
    main()
