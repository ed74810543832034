"""Folders of runbooks at the terminal: what a sync did, and folders that are gone."""

import shutil

import pytest

SKILL = (
    "---\nname: disks\ndescription: Use when a volume fills up with quagga dumps.\n---\n# D\nx\n"
)


@pytest.fixture
def team(tmp_path):
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "one.md").write_text("# One\nThe okapi feed stands still.\n")
    (folder / "two.md").write_text("# Two\n## A\ntext\n## B\ntext\n")
    return folder


def test_a_sync_says_what_is_new_changed_gone_and_unchanged(desk, team):
    told = desk.read("runbooks", "add", str(team))
    shipped = told["unchanged"] + told["new"] - 2  # the first command reads those that ship, too
    (team / "one.md").write_text("# One\nIt moves again.\n")
    (team / "two.md").unlink()
    (team / "three.md").write_text("# Three\ntext\n")
    told = desk.read("runbooks", "sync")
    counts = {key: told[key] for key in ("new", "changed", "gone", "unchanged")}
    assert counts == {"new": 1, "changed": 1, "gone": 1, "unchanged": shipped}
    (team / "three.md").unlink()
    said = desk.run("runbooks", "sync").stdout
    assert said.startswith(f"1 gone, {shipped + 1} unchanged.\n")


def test_a_document_is_shown_by_the_name_that_the_list_prints(desk, team):
    desk.read("runbooks", "add", str(team))
    shown = desk.run("runbooks", "show", "two.md")
    assert shown.exit_code == 0
    assert shown.stdout.index("two.md#a") < shown.stdout.index("two.md#b")
    assert [page["reference"] for page in desk.read("runbooks", "show", "two.md")] == [
        "two.md#a",
        "two.md#b",
    ]
    wrong = desk.run("runbooks", "show", "twoo.md")
    assert (wrong.exit_code, "did you mean 'two.md'" in wrong.stderr) == (3, True)
    report = next(row for row in desk.read("runbooks", "list") if row["kind"] == "incident")
    assert desk.run("runbooks", "show", report["document"]).exit_code == 0


def test_counts_are_in_good_form(desk, team):
    desk.read("runbooks", "add", str(team))
    said = desk.run("runbooks", "list").stdout
    assert "one.md  runbook, 1 section\n" in said
    assert "two.md  runbook, 2 sections\n" in said


def test_the_words_of_a_skills_description_find_it(desk, team):
    (team / "disks").mkdir()
    (team / "disks" / "SKILL.md").write_text(SKILL)
    desk.read("runbooks", "add", str(team))
    query = "Use when a volume fills up with quagga dumps"
    assert desk.read("runbooks", "search", query)[0]["document"] == "disks/SKILL.md"
    assert "no runbook matches well" not in desk.run("runbooks", "search", query).stdout


def test_a_folder_that_is_gone_keeps_its_documents_and_everybody_says_so(desk, team):
    desk.read("runbooks", "add", str(team))
    away = team.with_name("elsewhere")
    team.rename(away)
    told = desk.read("runbooks", "sync")
    assert (told["gone"], told["missing_folders"], told["refused"]) == (0, [str(team)], [])
    assert desk.read("runbooks", "search", "okapi feed")[0]["document"] == "one.md"
    listed = desk.run("runbooks", "list").stdout
    assert f"{team}  (gone; what was read from it is kept)" in listed.replace("\n", "")
    checked = desk.run("runbooks", "check")
    assert (checked.exit_code, "is gone" in checked.stdout) == (2, True)
    sight = next(c for c in desk.read("doctor")["checks"] if c["name"] == "knowledge")
    assert (sight["state"], str(team) in sight["seen"]) == ("degraded", True)
    away.rename(team)
    told = desk.read("runbooks", "sync")
    assert (told["missing_folders"], told["changed"], told["gone"]) == ([], 0, 0)


def test_a_folder_that_is_gone_can_be_removed_and_its_documents_go(desk, team):
    desk.read("runbooks", "add", str(team))
    shutil.rmtree(team)
    told = desk.read("runbooks", "remove", str(team))
    assert (told["gone"], told["missing_folders"]) == (2, [])


def test_adding_and_removing_end_by_their_own_outcome(desk, team, tmp_path):
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "odd.md").write_text("---\ntitle: Odd\nserves: [no_such]\n---\n# Odd\ntext\n")
    assert desk.run("runbooks", "add", str(bad)).exit_code == 2
    assert desk.run("runbooks", "add", str(team)).exit_code == 0
    assert desk.run("runbooks", "sync").exit_code == 2
    assert desk.run("runbooks", "remove", str(team)).exit_code == 0


def test_a_check_reads_added_folders_too(desk, team):
    desk.read("runbooks", "add", str(team))
    before = desk.read("runbooks", "check")["documents"]
    (team / "odd.md").write_text("---\ntitle: Odd\nserves: [no_such]\n---\n# Odd\ntext\n")
    told = desk.read("runbooks", "check", code=2)
    assert (told["documents"], len(told["refused"])) == (before, 1)
    assert told["refused"][0].startswith(f"{team / 'odd.md'}:3: ")
