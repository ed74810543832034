"""The checker of invariants sees each kind of broken promise."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.world import World
from tests.invariants import violations

BREAKS = {
    "A-1:do is still an intent and INC-2026-1001 is resolved": (
        "UPDATE effects SET state = 'intent', ended_at = NULL"
    ),
    "A-1:do is called failed and happened": "UPDATE effects SET state = 'failed'",
    "A-1:do is unknown and nobody is asked to reconcile it": "UPDATE effects SET state = 'unknown'",
    "A-1:do was begun on an approval that is rejected": (
        "UPDATE approvals SET status = 'rejected' WHERE kind = 'action'"
    ),
    "nobody approved A-1:do": "UPDATE approvals SET decided_by = NULL WHERE kind = 'action'",
    "A-1:do: the digest is not the one of what A-1 asks for": (
        "UPDATE approvals SET proposal = replace(proposal, '\"0\"', '\"9\"')"
    ),
    "A-1:do has no approval": "DELETE FROM approvals WHERE kind = 'action'",
    "A-1:do was carried out without an intent": "DELETE FROM effects",
    "A-1:do has 0 intents in the audit": "DELETE FROM audit WHERE what = 'effect.intent'",
    "the audit does not say once that A-1 was approved": (
        "DELETE FROM audit WHERE what = 'approval.approved'"
    ),
    "A-1 is pending and INC-2026-1001 is resolved": (
        "UPDATE approvals SET status = 'pending' WHERE kind = 'action'"
    ),
    "A-1 is pending and no timer will end it": (
        "UPDATE approvals SET status = 'pending' WHERE kind = 'action'"
    ),
    "INC-2026-1001 is resolved without an end": "UPDATE incidents SET ended_at = NULL",
    "INC-2026-1001 is escalated and nobody owns it": "UPDATE incidents SET status = 'escalated'",
    "INC-2026-1001 is escalated and nobody was told": "UPDATE incidents SET status = 'escalated'",
    "INC-2026-1001 is acting and nothing will bring a runner back to it": (
        "UPDATE incidents SET status = 'acting'"
    ),
    "belongs to no incident": "DELETE FROM incidents",
    "audit: row": "UPDATE audit SET actor = 'nobody' WHERE seq = 2",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder in which every promise was kept."""
    world = World(tmp_path_factory.mktemp("whole") / "home", kind="rollback_model")
    world.to_the_end()
    assert violations(world.home) == []
    return world.home


@pytest.fixture
def home(whole, folder):
    return Path(shutil.copytree(whole, folder / "home"))


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_promise_is_named(home, broken):
    with closing(sqlite3.connect(home / "ledger.db")) as connection:
        connection.execute(BREAKS[broken])
        connection.commit()
    assert any(broken in said for said in violations(home))


def test_a_second_effect_of_one_approval_is_named(home):
    with (home / "effects.txt").open("a") as record:
        record.write("A-1:do\n")
    assert violations(home) == ["A-1:do was carried out 2 times"]


def test_an_effect_that_is_called_done_and_never_happened_is_named(home):
    (home / "effects.txt").write_text("")
    assert violations(home) == ["A-1:do is called done and did not happen"]
