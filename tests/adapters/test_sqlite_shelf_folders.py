"""Any folder is knowledge: plain runbooks, checkouts, copies, new embeddings, and being killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from agentops_graph.adapters.ollama_embedding import OllamaEmbedding
from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.bootstrap.embedding import earlier_embedding
from agentops_graph.diagnosis.lsa import LsaLearner
from agentops_graph.errors import NotFoundError, UnavailableError
from tests.adapters.embedding_wire import ollama
from tests.adapters.shelf_documents import write_documents

CRASH = """# KubePodCrashLooping

## Meaning

A container restarts again and again, often because it runs out of memory (OOMKilled).

## Impact

The service is slow or down; memory of the node may be short.

## Diagnosis

| step | command |
|---|---|
| why | `kubectl describe pod` |

```sh
# not a heading
kubectl logs --previous
```

## Mitigation

Raise the memory limit.
"""
SKILL = "---\nname: disk-cleaner\ndescription: frees disks\n---\n# Disk\n\nDelete old images: {}.\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path):
    return write_documents(tmp_path / "runbooks")


@pytest.fixture
def checkout(tmp_path):
    place = tmp_path / "team"
    (place / "skills" / "one").mkdir(parents=True)
    (place / "skills" / "two").mkdir()
    (place / "KubePodCrashLooping.md").write_text(CRASH)
    (place / "skills" / "one" / "SKILL.md").write_text(SKILL.format("quagga"))
    (place / "skills" / "two" / "SKILL.md").write_text(SKILL.format("okapi"))
    (place / ".git" / "refs" / "heads").mkdir(parents=True)
    (place / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (place / ".git" / "packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/main\n")
    (place / ".git" / "notes.md").write_text("# Hidden\nzebra\n")
    return place


@pytest.fixture
def open_shelf(tmp_path, folder):
    opened = []

    def make(embedding=None):
        path = tmp_path / "home" / "knowledge.db"
        made = SqliteShelf(path, [folder], embedding or LsaLearner(), earlier=earlier_embedding)
        opened.append(made)
        return made

    yield make
    for made in opened:
        made.close()


def first(shelf, query):
    found = shelf.search(query, limit=1)
    return found[0].document if found else None


def test_a_plain_runbook_is_found_by_the_words_of_its_name_and_says_where_it_stood(
    open_shelf, checkout
):
    one = open_shelf()
    one.add_folder(checkout)
    one.sync()
    page = one.search("pod is crash looping", limit=1)[0]
    assert page.document == "KubePodCrashLooping.md"
    assert all(other.match < page.match / 3 for other in one.search("quarterly tax declaration"))
    diagnosis = one.page("KubePodCrashLooping.md#diagnosis")
    assert "not a heading" in diagnosis.text
    lines = CRASH.split("\n")
    assert lines[diagnosis.origin.first_line - 1] == "## Diagnosis"
    assert lines[diagnosis.origin.last_line] == "## Mitigation"
    assert diagnosis.origin.git_commit == COMMIT
    assert diagnosis.origin.path == "team/KubePodCrashLooping.md"


def test_skill_folders_are_told_apart_and_hidden_files_are_left_alone(open_shelf, checkout):
    one = open_shelf()
    one.add_folder(checkout)
    one.sync()
    assert first(one, "quagga") == "skills/one/SKILL.md"
    assert first(one, "okapi") == "skills/two/SKILL.md"
    assert all(row["title"] != "Hidden" for row in one.documents())
    assert one.page("skills/one/SKILL.md#disk").title == "disk-cleaner: Disk"


def test_what_is_guessed_is_marked_weak_and_given_only_for_its_own_question(open_shelf, checkout):
    one = open_shelf()
    one.add_folder(checkout)
    one.sync()
    declared = one.causes("memory_bloat")
    assert not any(cause.guessed for cause in declared)
    guess = one.causes("memory_bloat", question="KubePodCrashLooping on checkout")[-1]
    assert (guess.guessed, guess.runbook) == (True, "KubePodCrashLooping.md")
    assert guess.reference == "KubePodCrashLooping.md#diagnosis"
    assert "log_out_of_memory" in [signal.signal for signal in guess.signals]
    assert guess.prior < 0.2
    assert all(0 < signal.seen < 1 for signal in guess.signals)
    assert [action.action for action in guess.actions] == ["send_slack_alert"]
    assert not one.causes("memory_bloat", question="the feed's schema changed")


def test_a_deleted_file_and_a_removed_folder_are_forgotten(open_shelf, checkout):
    one = open_shelf()
    one.add_folder(checkout)
    one.sync()
    (checkout / "skills" / "one" / "SKILL.md").unlink()
    one.sync()
    assert first(one, "okapi") == "skills/two/SKILL.md"
    assert "skills/one/SKILL.md" not in [row["document"] for row in one.documents()]
    one.remove_folder(checkout)
    one.sync()
    assert one.condition()["documents"] == 4
    with pytest.raises(NotFoundError):
        one.remove_folder(checkout)
    with pytest.raises(NotFoundError):
        one.add_folder(checkout / "absent")


def test_a_link_out_of_the_folder_is_refused(open_shelf, checkout, tmp_path):
    (tmp_path / "secret.md").write_text("# Secret\nzebra\n")
    (checkout / "link.md").symlink_to(tmp_path / "secret.md")
    one = open_shelf()
    one.add_folder(checkout)
    one.sync()
    said = "is a link that leads out of its folder; copy the file instead"
    assert f"{checkout}/link.md:1: {said}" in one.refused()
    assert first(one, "zebra") != "link.md"


def test_the_old_vectors_answer_until_the_new_ones_are_complete(open_shelf, tmp_path):
    before = open_shelf().condition()["embedding"]
    with ollama("broken") as (host, state):
        one = open_shelf(OllamaEmbedding("tiny", host))
        assert one.condition()["embedding"] == before
        assert one.condition()["vectors_missing"] == one.condition()["sections"]
        assert one.search("schema change scales", kind="runbook")[0].document == "model_drift.md"
        with pytest.raises(UnavailableError, match="out of memory"):
            one.sync()
        state["fault"] = None
        assert one.sync() is True
        assert one.condition()["embedding"] == "ollama-tiny"
        assert one.condition()["vectors_missing"] == 0
        state["fault"] = "broken"
        assert one.search("schema change scales", kind="runbook")[0].document == "model_drift.md"


def test_only_changed_sections_are_embedded_again(open_shelf, folder):
    with ollama() as (host, state):
        one = open_shelf(OllamaEmbedding("tiny", host))
        state["asked"].clear()
        file = folder / "model_drift.md"
        file.write_text(file.read_text().replace("Retrain on rows", "Train on rows"))
        one.sync()
        assert [len(batch) for batch in state["asked"]] == [1]
        assert "Train on rows" in state["asked"][0][0]


INGEST = """
import sys
from pathlib import Path
from agentops_graph.adapters.sqlite_shelf import SqliteShelf, sync, vectors
from agentops_graph.diagnosis.lsa import LsaLearner
sync.BATCH, vectors.BATCH = 5, 5
SqliteShelf(Path(sys.argv[1]), [Path(sys.argv[2])], LsaLearner()).close()
"""


def test_an_ingest_that_was_killed_goes_on_where_it_was(tmp_path):
    folder, path = tmp_path / "many", tmp_path / "home" / "knowledge.db"
    folder.mkdir()
    for number in range(300):
        (folder / f"r{number}.md").write_text(f"# Runbook {number}\n\nword{number} of {number}\n")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", INGEST, str(path), str(folder)]
    process = subprocess.Popen(command, env=environ)
    kept = 0
    deadline = time.monotonic() + 50
    while kept < 20 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
        kept = _documents(path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = _documents(path)
    assert kept >= 20
    done = []
    one = SqliteShelf(path, None, LsaLearner())
    one._given = [folder]
    rows = dict(one._database.execute("select name, rowid from documents").fetchall())
    one.sync(progress=lambda done_, total: done.append((done_, total)))
    assert done[-1] == (300, 300)
    after = dict(one._database.execute("select name, rowid from documents").fetchall())
    assert rows.items() <= after.items()  # none of them was written again
    assert one.condition()["documents"] == 300
    assert one.condition()["vectors_missing"] == 0
    assert first(one, "word123") == "r123.md"
    assert one._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    one.close()


def _documents(path):
    if not path.exists():
        return 0
    database = sqlite3.connect(path, timeout=5)
    try:
        return database.execute("select count(*) from documents").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        database.close()


def test_a_file_of_the_earlier_layout_is_brought_up_and_keeps_its_post_mortems(
    open_shelf, tmp_path
):
    one = open_shelf()
    one.add_incident("inc-9", "# inc-9\n\nQuagga.\n", confirmed=False)
    one.close()
    database = sqlite3.connect(tmp_path / "home" / "knowledge.db")
    database.execute("drop table vectors")
    database.execute("drop trigger section_gone")
    database.execute("alter table sections add column vector blob")
    database.execute("update state set value = '1' where name = 'layout'")
    database.commit()
    database.close()
    again = open_shelf()
    assert first(again, "quagga") == "inc-9"
    assert again.condition()["vectors_missing"] == 0
