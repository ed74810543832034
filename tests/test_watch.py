"""The world moves while a person thinks."""

from datetime import timedelta

import pytest

from agentops_graph.adapters.memory.outside import ScriptedReasoner
from agentops_graph.errors import ConflictError, GoneError, UnavailableError
from tests.desk import MODEL, NOON, Desk, diagnosis, traffic


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def waiting(desk: Desk) -> str:
    incident = desk.report()
    desk.work()
    return incident


def minutes(desk: Desk, count: int) -> None:
    """Time passes and the runner looks; the data of the last hour stays what it was."""
    for _ in range(count):
        desk.clock.move(61)
        desk.work()


def calm(desk: Desk) -> None:
    start = NOON - timedelta(hours=3)
    desk.warehouse.give(MODEL, traffic(start, 300, version="1", broken=False))


def test_an_alert_that_recovers_offers_the_approval_for_withdrawal(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)
    digest = desk.service.approval(approval).digest
    calm(desk)
    minutes(desk, 2)
    held = desk.service.approval(approval)
    assert held.status == "pending"
    assert held.digest == digest
    assert any("recovered" in note for note in held.notes)
    told = [m for m in desk.notifier.sent if m.endswith(":recovered")]
    assert told == [f"{approval}:recovered"]
    desk.service.withdraw(approval, actor="mia")
    desk.work()
    case = desk.case(incident)
    assert case.incident.status == "resolved"
    assert desk.actuator.keys == []


def test_a_recovered_approval_can_still_be_approved(desk):
    incident = waiting(desk)
    calm(desk)
    minutes(desk, 1)
    desk.approve(incident)
    assert desk.actuator.keys == ["A-1:do"]


def test_an_approval_that_is_needed_can_not_be_withdrawn(desk):
    incident = waiting(desk)
    with pytest.raises(ConflictError, match="still needed"):
        desk.service.withdraw(desk.pending(incident), actor="mia")


def test_a_production_that_moves_supersedes_the_approval_with_a_new_digest(desk):
    incident = waiting(desk)
    first = desk.service.approval(desk.pending(incident))
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    second = desk.service.approval(desk.pending(incident))
    assert second.approval_id != first.approval_id
    assert second.digest != first.digest
    assert second.proposal.precondition.equals == "0"
    with pytest.raises(GoneError, match="production moved from 1 to 0"):
        desk.service.decide(first.approval_id, "approve", actor="mia", via="cli")


def test_another_cause_supersedes_the_approval(desk):
    incident = waiting(desk)
    first = desk.pending(incident)
    other = diagnosis().model_copy(update={"cause": "bad_release", "root_cause": "A bad release"})
    object.__setattr__(desk.ports, "reasoner", ScriptedReasoner(other))
    minutes(desk, 5)
    assert desk.service.approval(first).status == "superseded"
    assert "bad_release" in desk.service.approval(first).reason
    assert desk.case(incident).diagnosis.cause == "bad_release"


def test_a_registry_that_is_down_changes_nothing(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)

    def down(model):
        raise UnavailableError("the registry is down")

    desk.models.production = down
    minutes(desk, 3)
    assert desk.pending(incident) == approval
    del desk.models.production
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    assert desk.service.approval(approval).status == "superseded"


def test_the_watch_survives_a_restart(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)
    desk.again()
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    assert desk.service.approval(approval).status == "superseded"
