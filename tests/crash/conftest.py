"""Folders and processes for the tests that kill, stop and starve."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.crash.nursery import Nursery


@pytest.fixture
def folder():
    """A folder in memory where there is one: what a killed process wrote survives there too, and
    nobody waits for a disk."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="crash-", dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def nursery():
    with Nursery() as opened:
        yield opened
