"""Runbooks at the terminal."""


def test_a_search_gives_references_that_can_be_shown(desk):
    pages = desk.read("runbooks", "search", "feature drift upstream schema change", "--limit", "3")
    assert 0 < len(pages) <= 3
    reference = pages[0]["reference"]
    assert reference in desk.run("runbooks", "search", "feature drift upstream schema").stdout
    shown = desk.run("runbooks", "show", reference)
    assert shown.exit_code == 0
    assert desk.read("runbooks", "show", reference)["text"] == pages[0]["text"]


def test_a_section_nobody_wrote_is_not_found(desk):
    assert desk.run("runbooks", "show", "nothing.md#section-1").exit_code == 3


def test_the_runbooks_that_ship_are_all_read(desk):
    told = desk.read("runbooks", "check")
    assert told["refused"] == []
    assert told["documents"] >= 20


def test_a_refused_document_is_named_with_line_and_reason(desk, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "odd.md").write_text(
        "---\ntitle: Odd\nserves: [no_such_alert]\n---\n# 1. Odd\ntext\n"
    )
    (folder / "plain.md").write_text("# Plain\nJust text.\n")
    result = desk.run("runbooks", "check", str(folder))
    assert result.exit_code == 2
    assert "odd.md:3:" in result.stdout
    assert "no_such_alert" in result.stdout
    told = desk.read("runbooks", "check", str(folder), code=2)
    assert len(told["refused"]) == 1


def test_a_folder_that_is_none_is_an_error(desk, tmp_path):
    result = desk.run("runbooks", "check", str(tmp_path / "absent"))
    assert result.exit_code == 2
    assert "no folder" in result.stderr


def test_a_check_leaves_the_data_folder_alone(desk):
    before = sorted(desk.home.iterdir())
    desk.run("runbooks", "check")
    assert sorted(desk.home.iterdir()) == before
