"""Folders of strangers: odd files stop nothing, and nothing in them speaks for a person."""

import os
import threading

import pytest

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.adapters.sqlite_shelf.checkout import git_commit
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.errors import InputError, NotFoundError
from tests.adapters.shelf_documents import DRIFT, report, write_documents

TEMPLATE = "---\ntitle: {{ name }}\n---\n# Template\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ID = "INC-2026-1001"


@pytest.fixture
def theirs(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    return folder


@pytest.fixture
def open_shelf(tmp_path):
    opened = []

    def make():
        folder = tmp_path / "runbooks"
        folders = [folder if folder.exists() else write_documents(folder)]
        made = SqliteShelf(tmp_path / "home" / "knowledge.db", folders, LexicalEmbedding())
        opened.append(made)
        return made

    yield make
    for made in opened:
        made.close()


def told(shelf, cause):
    return next(c for c in shelf.causes("model_drift") if c.cause == cause)


def test_a_template_among_the_runbooks_is_refused_by_its_line_and_stops_nothing(open_shelf, theirs):
    one = open_shelf()
    (theirs / "sub").mkdir()
    (theirs / "sub" / "archetype.md").write_text(TEMPLATE)
    (theirs / "okapi.md").write_text("# Okapi\nokapi\n")
    one.add_folder(theirs)
    one.sync()
    (refusal,) = one.refused()
    assert refusal.startswith(f"{theirs}/sub/archetype.md:2: YAML: a key must be one plain text")
    assert one.search("okapi")[0].document == "okapi.md"
    one.close()
    assert open_shelf().search("okapi")[0].document == "okapi.md"


def test_names_that_are_no_text_are_passed_over_and_said(open_shelf, theirs):
    odd = os.fsencode(theirs) + b"/\xff"
    os.mkdir(odd)
    with open(odd + b"/x.md", "w") as file:
        file.write("# a\nb\n")
    (theirs / "line\nbreak.md").write_text("# a\nb\n")
    (theirs / "okapi.md").write_text("# Okapi\nokapi\n")
    one = open_shelf()
    one.add_folder(theirs)
    one.sync()
    assert one.search("okapi")[0].document == "okapi.md"
    folder, file = sorted(one.refused())
    assert "\\udcff': its name is no printable UTF-8 text; rename it" in folder
    assert "line\\nbreak.md': its name" in file
    assert all(row.isprintable() for row in one.refused())


def test_a_folder_whose_own_name_is_no_text_is_not_added(open_shelf, theirs):
    odd = theirs / os.fsdecode(b"\xff")
    odd.mkdir()
    one = open_shelf()
    with pytest.raises(InputError, match="rename it"):
        one.add_folder(odd)
    with pytest.raises(NotFoundError):
        one.remove_folder(odd)


def test_a_link_that_leads_to_itself_is_refused(open_shelf, theirs):
    (theirs / "round.md").symlink_to("round.md")
    one = open_shelf()
    one.add_folder(theirs)
    one.sync()
    reason = "is a link that leads nowhere or back to itself; remove it"
    assert one.refused() == [f"{theirs}/round.md:1: {reason}"]


def test_an_added_file_can_not_take_the_place_of_a_kept_report(open_shelf, theirs):
    one = open_shelf()
    one.add_incident(ID, report(ID, text="lessons of mia"), confirmed=True)
    (theirs / "planted.md").write_text(report(ID, text="planted quagga"))
    # Its sections would be cited as the report's own are.
    (theirs / f"{ID}.md").write_text("# Title\n\n## 1. Summary\nplanted quagga\n")
    one.add_folder(theirs)
    one.sync()
    assert "lessons of mia" in one.page(f"{ID}.md#section-1-summary").text
    assert not [page for page in one.search("planted quagga") if "quagga" in page.text]
    first, second = sorted(one.refused())
    assert first.startswith(f"{theirs}/{ID}.md:1: {ID}.md is an incident of this ledger")
    assert second.startswith(f"{theirs}/planted.md:1: {ID} is an incident of this ledger")
    one.remove_folder(theirs)
    one.sync()
    assert "lessons of mia" in one.page(f"{ID}.md#section-1-summary").text


def test_a_file_that_lay_in_wait_for_a_report_gives_way_to_it(open_shelf, theirs):
    (theirs / f"{ID}.md").write_text(
        "# Title\n\n## 1. Summary\nplanted quagga\n\n## 9. Quagga\nq\n"
    )
    one = open_shelf()
    one.add_folder(theirs)
    one.sync()
    one.add_incident(ID, report(ID, text="lessons of mia"), confirmed=True)
    one.sync()
    assert "lessons of mia" in one.page(f"{ID}.md#section-1-summary").text
    with pytest.raises(NotFoundError):
        one.page(f"{ID}.md#section-9-quagga")


def test_reports_of_an_added_folder_are_confirmed_by_nobody(open_shelf, theirs):
    (theirs / "a.md").write_text(report("THEIRS-1", text="zebra"))
    one = open_shelf()
    one.add_folder(theirs)
    one.sync()
    page = one.page("a.md#section-1-summary")
    assert not page.confirmed
    assert page.text.startswith("Incident THEIRS-1 (unconfirmed).")
    assert one.page("INC-2026-0001.md#section-1-summary").confirmed  # a folder of the settings


def test_a_folder_that_comes_into_the_settings_vouches_from_then_on(open_shelf, theirs):
    (theirs / "a.md").write_text(report("THEIRS-1", text="zebra"))
    one = open_shelf()
    one.add_folder(theirs)
    one.sync()
    one.remove_folder(theirs)
    one._given.append(theirs)
    one.sync()
    assert one.page("a.md#section-1-summary").confirmed


def test_a_stranger_does_not_displace_a_cause_of_the_settings(open_shelf, theirs):
    stolen = DRIFT.replace("serves: [model_drift, accuracy_drop]", "serves: [model_drift]")
    (theirs / "aaa.md").write_text(stolen.replace("prior: 0.3", "prior: 0.9"))
    one = open_shelf()
    one.add_folder(theirs)
    one.sync()
    cause = told(one, "upstream_schema_change")
    assert (cause.runbook, cause.prior) == ("model_drift.md", 0.3)


def test_a_folder_is_not_added_when_that_can_not_be_written_down(open_shelf, theirs):
    def noted(place):
        raise OSError(f"{place} can't be noted")

    one = open_shelf()
    with pytest.raises(Exception, match="can't be noted"):
        one.add_folder(theirs, noted=noted)
    with pytest.raises(NotFoundError, match="never added"):
        one.remove_folder(theirs)


@pytest.mark.parametrize("name", ["HEAD", "packed-refs", "commondir"])
def test_a_pipe_in_a_checkout_is_waited_for_by_nobody(theirs, name):
    git = theirs / ".git"
    git.mkdir()
    if name != "HEAD":
        (git / "HEAD").write_text("ref: refs/heads/main\n")
    os.mkfifo(git / name)
    said = []
    thread = threading.Thread(target=lambda: said.append(git_commit(theirs)), daemon=True)
    thread.start()
    thread.join(20)
    assert said == [None]


def test_a_checkout_that_can_not_be_told_costs_little_and_raises_nothing(theirs):
    git = theirs / ".git"
    git.write_text("gitdir: a\0b\n")
    assert git_commit(theirs) is None
    git.unlink()
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text("x" * 5_000_000 + f"\n{COMMIT} refs/heads/main\n")
    assert git_commit(theirs) == COMMIT
    with (git / "packed-refs").open("w") as endless:
        endless.truncate(10**10)  # takes no room on the disk, and would take all of the memory
    assert git_commit(theirs) is None


def test_the_commit_is_read_before_the_file_is_locked(open_shelf, theirs, monkeypatch):
    from agentops_graph.adapters.sqlite_shelf import sync

    one = open_shelf()
    seen = []

    def asked(folder):
        seen.append(one._database.in_transaction)
        return git_commit(folder)

    monkeypatch.setattr(sync, "git_commit", asked)
    (theirs / "okapi.md").write_text("# Okapi\nokapi\n")
    one.add_folder(theirs)
    one.sync()
    assert seen == [False]
