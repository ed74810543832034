"""A data folder's knowledge, read by doors that carry runbooks of their own."""

import pytest

from agentops_graph.bootstrap import Workshop, workshop
from agentops_graph.settings import read_settings

NEWER = "# Drift\n\n## 1. First look\n\nAsk the vendor.\n"
OLDER = "# Drift\n\n## 1. First look\n\nReboot the quagga.\n"


@pytest.fixture
def carried(tmp_path, monkeypatch):
    """The folder of runbooks that the running code carries."""
    folder = tmp_path / "carried"
    folder.mkdir()
    monkeypatch.setattr(workshop, "shipped", lambda name: folder)
    return folder


@pytest.fixture
def open_shelf(tmp_path):
    opened = []

    def make(**options):
        settings = read_settings({}, home=tmp_path / "home", mlflow=False)
        shelf = Workshop(settings, **options).ports.shelf
        opened.append(shelf)
        return shelf

    yield make
    for shelf in opened:
        shelf.close()


def first_look(shelf):
    return shelf.page("drift.md#section-1-first-look").text


def test_older_runbooks_never_replace_newer_ones_through_a_reading_door(carried, open_shelf):
    (carried / "drift.md").write_text(NEWER)
    service = open_shelf()
    assert "vendor" in first_look(service)
    (carried / "drift.md").write_text(OLDER)
    (carried / "gone.md").write_text(OLDER)
    reading = open_shelf(tends_knowledge=False)
    assert "vendor" in first_look(reading)
    assert reading.condition()["documents"] == 1


def test_a_reading_door_sees_what_the_service_learns(carried, open_shelf):
    (carried / "drift.md").write_text(NEWER)
    service, reading = open_shelf(), open_shelf(tends_knowledge=False)
    assert "vendor" in first_look(service)
    assert "vendor" in first_look(reading)
    service.add_incident("INC-2026-1001", "# What\n\nOkapi.\n", confirmed=True)
    assert reading.search("okapi")[0].document == "INC-2026-1001"


def test_a_reading_door_before_any_service_has_its_own_runbooks_until_one_tends_them(
    carried, open_shelf
):
    (carried / "drift.md").write_text(OLDER)
    reading = open_shelf(tends_knowledge=False)
    assert "quagga" in first_look(reading)
    (carried / "drift.md").write_text(NEWER)
    assert "vendor" in first_look(open_shelf())
    assert "vendor" in first_look(reading)
