"""The shelf on a real SQLite file: sync, search, causes and post-mortems."""

import sqlite3
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.adapters.sqlite_shelf import SqliteShelf, shelf
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.errors import NotFoundError, UnavailableError
from agentops_graph.ports import Shelf

DRIFT = """---
title: Model drift
serves: [model_drift, accuracy_drop]
causes:
  - cause: upstream_schema_change
    title: The feed changed
    section: "3.2"
    prior: 0.3
    signals:
      - {signal: few_features_drifted, seen: 1.5, absent: 0.8}
    actions:
      - {action: send_slack_alert, priority: 1}
---
# Model drift

## 3. Causes

### 3.2 Usual causes

A schema change in the vendor feed scales a feature.

## 4. Remediation

Retrain on rows after the onset.
"""
LATENCY = """---
title: Latency spike
serves: [latency]
---
# Latency spike

## 1. First look

Compare p99 latency with the schema of the batch size.
"""


def report(
    incident_id, alert_type="model_drift", confirmed="true", text="The vendor feed drifted."
):
    return (
        f"---\nincident_id: {incident_id}\ntitle: {incident_id} happened\n"
        f"alert_type: {alert_type}\nroot_cause: upstream_schema_change\n"
        f"confirmed: {confirmed}\n---\n"
        f"# {incident_id}\n\n## 1. Summary\n\n{text}\n\n## 2. Vendor feed\n\n{text}\n"
    )


@pytest.fixture
def folder(tmp_path):
    runbooks = tmp_path / "runbooks"
    (runbooks / "incidents").mkdir(parents=True)
    (runbooks / "model_drift.md").write_text(DRIFT)
    (runbooks / "latency_spike.md").write_text(LATENCY)
    for number in (1, 2):
        name = f"INC-2026-000{number}"
        (runbooks / "incidents" / f"{name}.md").write_text(report(name))
    return runbooks


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
    assert page == one.page(page.reference).model_copy(update={"score": page.score})
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
    assert one.condition()["refused"].startswith("bad.md:4: unknown key 'owner'")
    assert one.condition()["documents"] == 4
    assert one.refused() == open_shelf().refused()


def test_a_bad_byte_is_refused_by_line(open_shelf, folder):
    (folder / "bad.md").write_bytes(b"# T\nok\n\xff\n")
    assert open_shelf().refused() == ["bad.md:3: is not UTF-8 text"]


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


def test_two_documents_of_one_name_are_refused(open_shelf, folder):
    (folder / "zz").mkdir()
    (folder / "zz" / "latency_spike.md").write_text(LATENCY)
    (folder / "zz" / "copy.md").write_text(report("INC-2026-0001"))
    refused = "\n".join(open_shelf().refused())
    assert "has the same file name" in refused
    assert "INC-2026-0001 is already told by" in refused


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

    one._embedding = Broken()
    with pytest.raises(MemoryError):
        one.sync()
    assert one.condition() == before


def test_a_change_that_can_not_be_written_leaves_the_search_working(
    open_shelf, folder, monkeypatch, caplog
):
    monkeypatch.setattr(shelf, "GLANCE_EVERY_S", 0.0)
    one = open_shelf()
    one._database.conn.execute("PRAGMA query_only = ON")
    (folder / "new.md").write_text("# Zebra\nQuagga.\n")
    assert one.search("vendor feed")
    assert "not taken yet" in caplog.text
    one._database.conn.execute("PRAGMA query_only = OFF")
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
