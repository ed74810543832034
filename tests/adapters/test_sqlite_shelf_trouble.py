"""The shelf in trouble: hostile queries, many threads, places that can't be written."""

import sqlite3
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.adapters.sqlite_shelf import SqliteShelf, shelf
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.errors import UnavailableError
from tests.adapters.shelf_documents import DRIFT, report, write_documents


@pytest.fixture
def folder(tmp_path):
    return write_documents(tmp_path / "runbooks")


@pytest.fixture
def open_shelf(tmp_path, folder):
    opened = []

    def make(*folders, embedding=None):
        made = SqliteShelf(
            tmp_path / "home" / "knowledge.db",
            list(folders or (folder,)),
            embedding or LexicalEmbedding(),
        )
        opened.append(made)
        return made

    yield make
    for made in opened:
        made.close()


@pytest.mark.parametrize(
    "query",
    ['"', "AND OR NOT", "a* NEAR(b, 2)", "title: x", "-", "", "'); drop table sections;--", "\x00",
     "\ud800 drift", "drift " * 5000],
)  # fmt: skip
def test_search_syntax_is_only_text(open_shelf, query):
    assert len(open_shelf().search(query)) <= 5


def test_any_text_can_be_searched(open_shelf):
    one = open_shelf()

    @given(st.text())
    def search(text):
        assert all(page.score > 0 for page in one.search(text))

    search()


def test_many_threads_search_while_one_writes(open_shelf):
    one, failures = open_shelf(), []

    def read():
        try:
            for _ in range(15):
                assert one.search("vendor feed")
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(5):
        one.add_incident(f"inc-{number}", report(f"inc-{number}"), confirmed=False)
    for thread in threads:
        thread.join()
    assert failures == []
    assert one.condition()["incidents"] == 7


def test_a_place_that_can_not_be_written_is_said(tmp_path, folder):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="AGENTOPS_HOME"):
        SqliteShelf(tmp_path / "file" / "knowledge.db", [folder], LexicalEmbedding())


def test_a_file_that_is_no_database_is_said(tmp_path, folder):
    (tmp_path / "knowledge.db").write_bytes(b"no database " * 500)
    with pytest.raises(UnavailableError, match="restore it from a backup"):
        SqliteShelf(tmp_path / "knowledge.db", [folder], LexicalEmbedding())


def test_a_failed_sync_leaves_the_shelf_as_it_was(open_shelf, folder, monkeypatch):
    one = open_shelf()
    before = one.condition()
    (folder / "new.md").write_text("# New\nx\n")
    (folder / "latency_spike.md").unlink()

    class Broken(LexicalEmbedding):
        def embed(self, texts):
            raise MemoryError

    one._vectors._wanted = Broken()
    one._vectors._made.clear()
    with pytest.raises(MemoryError):
        one.sync()
    assert one.condition() == before


def test_a_change_that_can_not_be_written_leaves_the_search_working(
    open_shelf, folder, monkeypatch, caplog
):
    monkeypatch.setattr(shelf, "GLANCE_EVERY_S", 0.0)
    one = open_shelf()
    one._database.execute("PRAGMA query_only = ON")
    (folder / "new.md").write_text("# Zebra\nQuagga.\n")
    assert one.search("vendor feed")
    assert "not taken yet" in caplog.text
    one._database.execute("PRAGMA query_only = OFF")
    assert one.search("quagga")[0].document == "new.md"


def test_the_journal_is_one_that_is_safe_with_this_sqlite(open_shelf):
    expected = "wal" if sqlite3.sqlite_version_info >= (3, 51, 3) else "truncate"
    assert open_shelf().condition()["journal"] == expected


def test_a_shipped_shelf_opens_quickly(tmp_path, folder):
    for number in range(20):
        text = DRIFT.replace("Retrain", f"Retrain {number} " + "words of a runbook " * 200)
        (folder / f"runbook_{number}.md").write_text(text)
    LexicalEmbedding().embed(["warm"])
    began = time.process_time()
    SqliteShelf(tmp_path / "knowledge.db", [folder], LexicalEmbedding()).close()
    assert time.process_time() - began < 1.0  # 0.1 s on a quiet machine
