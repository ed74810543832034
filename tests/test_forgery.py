"""People approve bytes: a proposal changed in the ledger is neither decided on nor carried out."""

import json

import pytest
from sqlalchemy import create_engine, text

from agentops_graph.errors import ForgedError
from tests.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def forge(desk: Desk, approval_id: str) -> None:
    """Someone with the database at hand changes the arguments and leaves the digest."""
    engine = create_engine(f"sqlite:///{desk.home / 'ledger.db'}")
    with engine.begin() as c:
        row = {"id": approval_id}
        held = c.execute(
            text("SELECT proposal FROM approvals WHERE approval_id = :id"), row
        ).scalar_one()
        changed = json.loads(held)
        changed["action"]["base_version"] = "9"
        c.execute(
            text("UPDATE approvals SET proposal = :p WHERE approval_id = :id"),
            row | {"p": json.dumps(changed)},
        )
    engine.dispose()


def test_a_forged_proposal_can_not_be_approved_and_stays_pending(desk):
    incident = desk.report()
    desk.work()
    approval = desk.pending(incident)
    forge(desk, approval)
    with pytest.raises(ForgedError, match="changed in the ledger"):
        desk.service.decide(approval, "approve", actor="mia", via="cli")
    assert desk.service.approval(approval).status == "pending"


def test_a_proposal_forged_after_the_approval_is_not_carried_out(desk):
    incident = desk.report()
    desk.work()
    approval = desk.pending(incident)
    desk.service.decide(approval, "approve", actor="mia", via="cli")
    forge(desk, approval)
    desk.work()
    case = desk.case(incident)
    assert desk.actuator.keys == []
    assert case.incident.status == "escalated"
    assert "not what was approved" in case.timeline[-1].text
