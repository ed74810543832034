"""A desk with the HTTP service in front of it."""

import pytest
from fastapi.testclient import TestClient

from agentops_graph.serving.api import create_app
from tests.data_folder_desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")


@pytest.fixture
def client(desk):
    """The service without its runner; what fails on the server is answered, not raised."""
    app = create_app(desk.workshop, run=False)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
