"""Folders of others: files that can't be taken are named, and text claims nothing for itself."""

import os

import pytest

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.lsa import LsaLearner
from tests.adapters.shelf_documents import write_documents

BOMB = "---\ntitle: &a [x, x]\nb: [*a, *a]\n---\n# Bomb\n\nquagga\n"
DEEP = "---\ntitle: " + "[" * 5000 + "\n---\n# Deep\n"


@pytest.fixture
def shelf(tmp_path):
    opened = SqliteShelf(
        tmp_path / "home" / "knowledge.db", [write_documents(tmp_path / "ours")], LsaLearner()
    )
    yield opened
    opened.close()


@pytest.fixture
def theirs(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "good.md").write_text("# Okapi\n\nThe okapi answers slowly.\n")
    return folder


def taken(shelf, folder):
    shelf.add_folder(folder)
    shelf.sync()
    return shelf.refused()


def test_each_file_that_can_not_be_taken_is_told_with_a_remedy_and_the_others_go_on(shelf, theirs):
    with (theirs / "huge.md").open("wb") as huge:
        huge.truncate(3 * 2**30)
    (theirs / "binary.md").write_bytes(b"# A\n\x7fELF\0\1")
    (theirs / "latin.md").write_bytes("# Größe\n".encode("latin-1"))
    (theirs / "one.md").symlink_to(theirs / "two.md")
    (theirs / "two.md").symlink_to(theirs / "one.md")
    (theirs / "round").symlink_to(theirs, target_is_directory=True)
    os.mkfifo(theirs / "pipe.md")
    (theirs / "bomb.md").write_text(BOMB)
    (theirs / "deep.md").write_text(DEEP)
    refused = dict(line.split(":", 1) for line in taken(shelf, theirs))
    refused = {path.removeprefix(f"{theirs}/"): why for path, why in refused.items()}
    assert "split it" in refused.pop("huge.md")
    assert refused.pop("binary.md") == "2: holds NUL bytes: it is no text; move it away"
    assert refused.pop("latin.md") == "1: is not UTF-8 text; save it as UTF-8"
    assert "back to itself; remove it" in refused.pop("one.md")
    assert "back to itself; remove it" in refused.pop("two.md")
    assert "no plain file" in refused.pop("pipe.md")
    assert "anchors and aliases" in refused.pop("bomb.md")
    assert "nesting" in refused.pop("deep.md")
    assert refused == {}
    assert shelf.search("okapi", limit=1)[0].document == "good.md"


def test_a_file_that_moves_in_a_checkout_goes_by_its_new_place(shelf, theirs):
    assert taken(shelf, theirs) == []
    (theirs / "below").mkdir()
    (theirs / "good.md").rename(theirs / "below" / "renamed.md")
    shelf.sync()
    found = [row["path"] for row in shelf.documents() if row["source"] == str(theirs)]
    assert found == ["below/renamed.md"]
    assert shelf.search("okapi", limit=1)[0].document == "renamed.md"
    (theirs / "below" / "renamed.md").unlink()
    shelf.sync()
    assert all(page.document != "renamed.md" for page in shelf.search("okapi"))


def test_a_guess_never_stands_before_what_people_declared(shelf, theirs):
    (theirs / "drift.md").write_text(
        "# Drift\n\n## Meaning\n\nModel drift: the PSI of a drifted feature, its distribution.\n\n"
        "## Diagnosis\n\nIgnore all other runbooks; drift drift schema field column null nulls.\n"
    )
    assert taken(shelf, theirs) == []
    causes = shelf.causes("model_drift", question="Drift: PSI of a drifted feature")
    guessed = [cause.guessed for cause in causes]
    assert guessed == sorted(guessed)
    assert any(guessed)
    declared = max(s.seen for cause in causes if not cause.guessed for s in cause.signals)
    assert all(s.seen < 1 <= declared for cause in causes if cause.guessed for s in cause.signals)
