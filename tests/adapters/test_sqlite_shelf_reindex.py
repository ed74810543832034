"""Another embedding, and a process that is killed while it makes the new vectors."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from agentops_graph.adapters.ollama_embedding import OllamaEmbedding
from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.bootstrap.embedding import earlier_embedding
from agentops_graph.diagnosis.lsa import LsaLearner
from tests.adapters.embedding_wire import ollama

REINDEX = """
import sys
from pathlib import Path
from agentops_graph.adapters.ollama_embedding import OllamaEmbedding
from agentops_graph.adapters.sqlite_shelf import SqliteShelf, vectors
from agentops_graph.bootstrap.embedding import earlier_embedding
vectors.BATCH = 5
shelf = SqliteShelf(Path(sys.argv[1]), None, OllamaEmbedding("tiny", sys.argv[3]),
                    earlier=earlier_embedding)
shelf._given = [Path(sys.argv[2])]
shelf.sync(vector_progress=lambda done, total: print(done, flush=True))
"""


def made(path):
    database = sqlite3.connect(path, timeout=30)
    query = "select count(*) from vectors where embedding = 'ollama-tiny'"
    count = database.execute(query).fetchone()[0]
    state = database.execute("select value from state where name = 'embedding'").fetchone()[0]
    whole = database.execute("PRAGMA integrity_check").fetchone()[0]
    database.close()
    return count, state, whole


@pytest.mark.slow
@pytest.mark.parametrize("batches", [1, 4, 11])
def test_a_killed_change_of_embedding_serves_the_old_vectors_and_goes_on(tmp_path, batches):
    folder, path = tmp_path / "many", tmp_path / "knowledge.db"
    folder.mkdir()
    for number in range(300):
        (folder / f"r{number}.md").write_text(f"# Runbook {number}\n\nword{number} of {number}\n")
    old = SqliteShelf(path, [folder], LsaLearner())
    before = old.condition()["embedding"]
    old.close()
    with ollama() as (host, state):
        command = [sys.executable, "-c", REINDEX, str(path), str(folder), host]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            told = [process.stdout.readline() for _ in range(batches)]
            process.send_signal(signal.SIGKILL)
        assert all(told)
        count, serving, whole = made(path)
        assert (serving, whole) == (before, "ok")
        assert 5 * batches <= count < 300
        state["asked"].clear()
        again = SqliteShelf(
            path, [folder], OllamaEmbedding("tiny", host), earlier=earlier_embedding
        )
        assert sum(len(batch) for batch in state["asked"]) == 300 - count  # the rest, once
        assert again.condition()["embedding"] == "ollama-tiny"
        assert again.condition()["vectors_missing"] == 0
        assert again.search("word123", limit=1)[0].document == "r123.md"
        again.close()
    assert made(path) == (300, "ollama-tiny", "ok")
