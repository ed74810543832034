"""Rows cut from the end of the audit are found by an anchor outside the table."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerAudit, tables
from agentops_graph.domain.ledger import Anchor
from agentops_graph.errors import UnavailableError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Chain:
    """A ledger with five rows and its anchor."""

    def __init__(self, home):
        self.database = Database(f"sqlite:///{home / 'ledger.db'}", audit_key=b"key")
        self.head = home / "audit.head"
        self.write(5)

    @property
    def audit(self):
        """As the next process opens it."""
        return LedgerAudit(self.database, self.head)

    def write(self, count):
        for number in range(count):
            self.audit.write(f"step-{number}", actor="mia", via="cli", at=NOON)

    def cut(self, from_row):
        with self.database.write() as c:
            c.execute(delete(tables.audit).where(tables.audit.c.seq >= from_row))


@pytest.fixture
def chain(tmp_path):
    return Chain(tmp_path)


def test_a_cut_tail_is_found_and_the_first_missing_row_is_named(chain):
    chain.audit.anchor()
    chain.cut(4)
    fault = chain.audit.verify()
    assert fault.row == 4
    assert str(fault) == "row 4 is missing: the end was cut off, 5 rows were anchored"


def test_an_emptied_table_is_found(chain):
    chain.audit.anchor()
    chain.cut(1)
    assert "row 1 is missing" in str(chain.audit.verify())


def test_a_table_ahead_of_its_anchor_is_accepted(chain):
    chain.audit.anchor()
    chain.write(3)
    assert chain.audit.verify() is None


def test_a_tail_that_was_cut_and_written_anew_is_found(chain):
    chain.audit.anchor()
    chain.cut(5)
    chain.audit.write("another story", actor="mallory", via="cli", at=NOON)
    assert str(chain.audit.verify()) == "row 5 is not the one that was anchored"


def test_an_anchor_never_goes_back(chain):
    chain.audit.anchor()
    chain.cut(3)
    chain.audit.anchor()
    assert json.loads(chain.head.read_text())["seq"] == 5


def test_a_cut_tail_stays_found_when_runners_write_and_anchor_on(chain, caplog):
    chain.audit.anchor()
    chain.cut(4)
    chain.write(6)
    chain.audit.anchor()
    assert "row 5 is not the one that was anchored" in caplog.text
    assert json.loads(chain.head.read_text())["seq"] == 5
    assert str(chain.audit.verify()) == "row 5 is not the one that was anchored"
    assert chain.audit.anchored().fault == chain.audit.verify()


def test_an_anchor_says_which_row_it_is_of_and_whether_that_stands(chain):
    assert chain.audit.anchored() == Anchor(place=str(chain.head))
    chain.audit.anchor()
    assert chain.audit.anchored() == Anchor(place=str(chain.head), row=5)
    chain.cut(5)
    assert str(chain.audit.anchored().fault) == "row 5 was anchored and is missing"
    assert LedgerAudit(chain.database).anchored() is None


def test_an_anchored_row_that_can_not_be_read_is_said(chain):
    chain.audit.anchor()
    with chain.database.write() as c:
        c.exec_driver_sql("UPDATE audit SET actor = CAST(x'ff41' AS TEXT) WHERE seq = 5")
    assert "row 5 holds bytes" in str(chain.audit.anchored().fault)


def test_an_anchor_that_can_not_be_read_is_said(chain):
    chain.head.write_text("{")
    with pytest.raises(UnavailableError, match="anchor"):
        chain.audit.verify()


def test_a_runner_anchors_by_itself(tmp_path):
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.settings import read_settings

    workshop = Workshop(read_settings({}, home=tmp_path / "home"))
    workshop.service.pause_actions(everything=False, actor="mia")
    workshop.runner("work").run_once()
    assert json.loads((tmp_path / "home" / "audit.head").read_text())["seq"] == len(
        workshop.ports.audit.rows()
    )
