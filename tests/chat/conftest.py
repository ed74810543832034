"""Desks to talk at: an empty one for each test, and a diagnosed one that tests only read."""

import pytest

from tests.data_folder_desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")


@pytest.fixture(scope="module")
def diagnosed(tmp_path_factory):
    """A desk whose one incident was run as far as it goes; for tests that only read."""
    desk = Desk(tmp_path_factory.mktemp("diagnosed") / "desk")
    desk.incident_id = desk.report()
    desk.workshop.runner("test").run_once()
    return desk
