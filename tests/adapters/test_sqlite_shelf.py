"""The shelf on a real SQLite file: sync, search, causes and post-mortems."""

import sqlite3
import subprocess
import sys

import pytest

from agentops_graph.adapters.sqlite_shelf import SqliteShelf, shelf
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.errors import NotFoundError
from agentops_graph.ports import Shelf
from tests.adapters.shelf_documents import LATENCY, report, write_documents


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


def references(pages):
    return [page.reference for page in pages]


def test_the_shelf_is_a_shelf(open_shelf):
    one: Shelf = open_shelf()
    page = one.search("schema change vendor feed", kind="runbook", limit=1)[0]
    again = one.page(page.reference)
    assert page == again.model_copy(update={"score": page.score, "match": page.match})
    assert page.reference == "model_drift.md#section-3-2-usual-causes"
    assert (page.document, page.title) == ("model_drift.md", "Model drift: 3.2 Usual causes")
    assert 0 < page.score <= 1
    assert [c.cause for c in one.causes("accuracy_drop")] == ["upstream_schema_change"]
    assert one.causes("latency") == []
    with pytest.raises(NotFoundError, match="no section 'nowhere"):
        one.page("nowhere.md#x")
    assert set(one.condition()) >= {"sections", "documents", "generation", "index", "refused"}


def test_sections_that_serve_the_alert_come_first(open_shelf):
    found = open_shelf().search("vendor feed schema", alert_type="latency", kind="runbook")
    assert found[0].document == "latency_spike.md"
    assert found[1].document == "model_drift.md"


def test_a_few_places_show_several_incidents(open_shelf):
    found = open_shelf().search("vendor feed drifted", kind="incident", limit=2)
    assert {page.document for page in found} == {"INC-2026-0001", "INC-2026-0002"}


def test_a_page_of_a_report_states_its_root_cause(open_shelf):
    text = open_shelf().page("INC-2026-0001.md#section-1-summary").text
    assert "Root cause: upstream_schema_change\n" in text


def test_an_unchanged_folder_is_not_read_again(open_shelf, folder):
    one = open_shelf()
    before = one.condition()["generation"]
    assert one.sync() is False
    assert open_shelf().condition()["generation"] == before
    (folder / "latency_spike.md").write_text(LATENCY + "\nMore words.\n")
    assert one.sync() is True
    assert one.condition()["generation"] == before + 1


def test_a_changed_runbook_is_noticed_while_running(open_shelf, folder, monkeypatch):
    monkeypatch.setattr(shelf, "GLANCE_EVERY_S", 0.0)
    one = open_shelf()
    (folder / "new.md").write_text("# Zebra crossing\nQuagga.\n")
    assert references(one.search("quagga", limit=1)) == ["new.md#zebra-crossing"]
    (folder / "new.md").unlink()
    assert "new.md#zebra-crossing" not in references(one.search("quagga"))


def test_a_changed_section_is_found_by_its_new_words_only(open_shelf, folder):
    one = open_shelf()
    (folder / "latency_spike.md").write_text(LATENCY.replace("batch", "quagga"))
    one.sync()
    sections = sqlite3.connect(one._path)
    count = "select count(*) from sections_fts where sections_fts match ?"
    assert sections.execute(count, ["quagga"]).fetchone() == (1,)
    assert sections.execute(count, ["batch"]).fetchone() == (0,)
    sections.close()


def test_a_bad_runbook_is_refused_by_line_and_the_rest_loads(open_shelf, folder):
    (folder / "bad.md").write_text("---\ntitle: x\nserves: [model_drift]\nowner: me\n---\n# T\nx\n")
    one = open_shelf()
    assert one.condition()["refused"].startswith(f"{folder}/bad.md:4: unknown key 'owner'")
    assert one.condition()["documents"] == 4
    assert one.refused() == open_shelf().refused()


def test_a_bad_byte_is_refused_by_line(open_shelf, folder):
    (folder / "bad.md").write_bytes(b"# T\nok\n\xff\n")
    assert open_shelf().refused() == [f"{folder}/bad.md:3: is not UTF-8 text; save it as UTF-8"]


def test_a_teams_own_runbook_replaces_the_shipped_one_unless_it_is_refused(
    open_shelf, folder, tmp_path
):
    own = tmp_path / "own"
    own.mkdir()
    (own / "latency_spike.md").write_text(LATENCY.replace("First look", "Our look"))
    one = open_shelf(folder, own)
    assert one.page("latency_spike.md#section-1-our-look")
    (own / "latency_spike.md").write_text("---\nserves: [nothing]\n---\n# T\nx\n")
    one.sync()
    assert one.page("latency_spike.md#section-1-first-look")
    assert len(one.refused()) == 1


def test_copies_are_merged_and_two_documents_of_one_name_go_by_their_paths(open_shelf, folder):
    (folder / "zz").mkdir()
    (folder / "zz" / "latency_spike.md").write_text(LATENCY + "Quagga.\n")
    (folder / "zz" / "copy.md").write_text(report("INC-2026-0001"))
    one = open_shelf()
    assert one.refused() == []
    assert references(one.search("quagga", limit=1)) == ["zz/latency_spike.md#section-1-first-look"]
    page = one.page("INC-2026-0001.md#section-1-summary")
    assert page.origin.copies == (str(folder / "incidents" / "INC-2026-0001.md"),) or (
        page.origin.copies == (str(folder / "zz" / "copy.md"),)
    )
    (folder / "zz" / "more.md").write_text(report("INC-2026-0001", text="Okapi."))
    one.sync()
    assert "INC-2026-0001 is already told by" in "\n".join(one.refused())


def test_a_folder_that_is_not_there_is_told(open_shelf, folder, tmp_path):
    assert "is no folder" in open_shelf(folder, tmp_path / "gone").condition()["refused"]


def test_a_post_mortem_is_searchable_at_once_and_survives_a_sync(open_shelf):
    one = open_shelf()
    one.add_incident("inc-7", report("inc-7", confirmed="true", text="Quagga."), confirmed=False)
    one.sync()
    found = open_shelf().search("quagga", kind="incident")[0]
    assert (found.document, found.confirmed, found.alert_types) == (
        "inc-7",
        False,
        ("model_drift",),
    )
    one.add_incident("inc-7", report("inc-7", text="Okapi."), confirmed=True)
    assert one.search("okapi")[0].confirmed
    assert [p.document for p in one.search("incident inc-7", limit=20)].count("inc-7") == 2


def test_a_post_mortem_with_a_slip_of_form_is_kept_as_text(open_shelf):
    one = open_shelf()
    one.add_incident("inc-8", "---\ntitle: \x07 'oops\n---\n# What\nQuagga.", confirmed=False)
    assert one.search("quagga")[0].document == "inc-8"


def test_another_process_sees_what_was_written(open_shelf):
    one, other = open_shelf(), open_shelf()
    other.search("anything")
    one.add_incident("inc-9", report("inc-9", text="Quagga."), confirmed=False)
    assert other.search("quagga")[0].document == "inc-9"


def test_another_embedding_renews_every_vector(open_shelf):
    one = open_shelf()
    one.add_incident("inc-9", report("inc-9", text="Quagga."), confirmed=False)
    small = open_shelf(embedding=LexicalEmbedding(128))
    assert small.search("quagga")[0].document == "inc-9"
    assert small.condition()["embedding"] == "lexical-1-128"
    # The first one finds by words alone until it is opened again; nothing breaks.
    assert one.search("quagga")[0].document == "inc-9"


def test_a_shelf_without_folders_takes_the_file_as_it_is(open_shelf, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "GLANCE_EVERY_S", 0.0)
    before = open_shelf().condition()
    for file in folder.rglob("*.md"):
        file.unlink()
    one = SqliteShelf(tmp_path / "home" / "knowledge.db", None, LexicalEmbedding())
    assert one.sync() is False
    assert one.search("vendor feed")
    assert one.condition() == before
    one.close()


def test_a_shelf_without_folders_keeps_the_vectors_of_another_embedding(open_shelf, tmp_path):
    open_shelf()
    one = SqliteShelf(tmp_path / "home" / "knowledge.db", None, LexicalEmbedding(128))
    assert one.search("vendor feed")
    one.close()
    database = sqlite3.connect(tmp_path / "home" / "knowledge.db")
    written = database.execute("select value from state where name = 'embedding'").fetchone()
    database.close()
    assert written == (LexicalEmbedding().name,)


def test_a_shelf_that_nobody_filled_answers_with_nothing(tmp_path):
    one = SqliteShelf(tmp_path / "knowledge.db", None, LexicalEmbedding())
    assert one.search("vendor feed") == []
    assert one.causes("model_drift") == []
    one.close()


def test_an_unchanged_shelf_is_read_without_the_library_that_writes_it(open_shelf, folder):
    one = open_shelf()
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from agentops_graph.adapters.sqlite_shelf import SqliteShelf\n"
        "from agentops_graph.diagnosis.embedding import LexicalEmbedding\n"
        "one = SqliteShelf(Path(sys.argv[1]), [Path(sys.argv[2])], LexicalEmbedding())\n"
        "assert one.search('vendor feed') and one.causes('model_drift') and one.condition()\n"
        "print([name for name in ('sqlite_utils', 'pandas') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, str(one._path), str(folder)]
    read = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert read.stdout.strip() == "[]"
