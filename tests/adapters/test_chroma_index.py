"""The Chroma index: derived, owned by one process, and dispensable."""

import multiprocessing
import subprocess
import sys

import numpy as np
import pytest

from agentops_graph.adapters.chroma_index import ChromaIndex
from agentops_graph.diagnosis.embedding import Corpus, LexicalEmbedding, nearest_exactly
from agentops_graph.errors import InputError

LEXICAL = LexicalEmbedding()
TEXTS = [
    "schema change in the vendor feed",
    "latency of the gateway rose",
    "the vendor feed sent empty values",
    "cost per request doubled",
]


def corpus(texts=TEXTS, generation="1-a"):
    return Corpus(
        corpus_id="0123456789abcdef",
        generation=generation,
        embedding=LEXICAL.name,
        keys=tuple(range(10, 10 + len(texts))),
        kinds=tuple("incident" if n % 2 else "runbook" for n in range(len(texts))),
        vectors=LEXICAL.embed(texts),
    )


def ask(index, query, held, kind=None):
    return index.nearest(held, LEXICAL.embed([query])[0], kind=kind, limit=3)


@pytest.fixture
def index(tmp_path):
    one = ChromaIndex(tmp_path / "chroma")
    yield one
    one.close()


def test_chroma_finds_what_exact_search_finds(index):
    held = corpus()
    for query in ("vendor feed", "gateway latency", "cost"):
        exact = nearest_exactly(held, LEXICAL.embed([query])[0], kind=None, limit=3)
        assert ask(index, query, held) == exact
    assert ask(index, "vendor feed", held, kind="incident") == nearest_exactly(
        held, LEXICAL.embed(["vendor feed"])[0], kind="incident", limit=3
    )
    assert index.condition() == "chroma"


def test_a_new_generation_is_rebuilt_and_the_old_one_goes(index):
    ask(index, "vendor", corpus())
    renewed = corpus(["a zebra crossing"], generation="2-b")
    assert ask(index, "zebra", renewed) == [10]
    assert [c.name for c in index._client.list_collections()] == [
        "agentops-0123456789ab-2-b-lexical-1-1024"
    ]


def test_a_rebuild_that_was_cut_off_is_finished_before_it_is_searched(tmp_path):
    held = corpus()
    first = ChromaIndex(tmp_path / "chroma")
    ask(first, "vendor", held)
    collection = first._collection[1]
    collection.delete(ids=["10"])
    collection.modify(metadata={"complete": "no"})
    first.close()
    second = ChromaIndex(tmp_path / "chroma")
    assert 10 in ask(second, "schema change", held)
    second.close()


def test_only_the_owner_opens_the_folder(index, tmp_path):
    held = corpus()
    other = ChromaIndex(tmp_path / "chroma")
    assert ask(index, "vendor", held)
    assert ask(other, "vendor", held) is None
    assert other.condition().startswith("exact (another process")
    assert other._client is None
    index.close()
    assert ask(other, "vendor", held)
    other.close()


def _other_process(folder, answers):
    index = ChromaIndex(folder)
    answers.put((ask(index, "vendor", corpus()), index.condition(), "chromadb" in sys.modules))


def test_a_second_process_searches_exactly_without_loading_chroma(index, tmp_path):
    ask(index, "vendor", corpus())
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_other_process, args=(tmp_path / "chroma", answers))
    process.start()
    found, condition, loaded = answers.get(timeout=240)
    process.join()
    assert found is None
    assert condition.startswith("exact")
    assert not loaded


def test_nothing_is_loaded_or_opened_before_the_first_search(tmp_path):
    code = (
        "import sys, pathlib;"
        "from agentops_graph.adapters.chroma_index import ChromaIndex;"
        f"ChromaIndex(pathlib.Path({str(tmp_path / 'chroma')!r})).condition();"
        "sys.exit('chromadb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 0
    assert not (tmp_path / "chroma").exists()


def test_damaged_files_are_told_and_the_search_goes_on_without(tmp_path):
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"garbage " * 1000)
    index = ChromaIndex(tmp_path / "chroma")
    assert ask(index, "vendor", corpus()) is None
    assert index.condition().startswith("exact (chroma failed: ")
    index.close()


def test_a_folder_that_can_not_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    index = ChromaIndex(tmp_path / "file" / "chroma")
    assert ask(index, "vendor", corpus()) is None
    assert index.condition().startswith("exact (chroma failed: NotADirectoryError")


def test_a_server_that_is_gone_is_told_and_the_folder_is_left_alone(tmp_path):
    index = ChromaIndex(tmp_path / "chroma", url="http://127.0.0.1:9")
    assert ask(index, "vendor", corpus()) is None
    assert not (tmp_path / "chroma").exists()
    assert index.condition().startswith("exact (chroma failed")
    index.close()


def test_a_server_elsewhere_needs_permission():
    with pytest.raises(InputError, match="AGENTOPS_ALLOW_REMOTE_HOSTS"):
        ChromaIndex(url="http://chroma.example.com:8000")
    ChromaIndex(url="http://chroma.example.com:8000", allow_remote=True).close()
    with pytest.raises(InputError, match="no http address"):
        ChromaIndex(url="ftp://127.0.0.1")


def test_a_corpus_of_one_kind_gives_nothing_for_the_other(index):
    held = corpus(["only a runbook"])
    assert ask(index, "runbook", held, kind="incident") == []
    assert np.isfinite(held.vectors).all()


def test_a_small_corpus_is_left_to_the_exact_search_and_nothing_is_opened(tmp_path):
    index = ChromaIndex(tmp_path / "chroma", at_least=5_000)
    assert ask(index, "vendor feed", corpus()) is None
    assert index.condition() == "exact (fewer than 5,000 sections need no Chroma)"
    assert not (tmp_path / "chroma").exists()
    index.close()
