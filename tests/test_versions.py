"""Incidents that earlier versions left paused are resumed by this one, or planned anew."""

import json
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from agentops_graph.adapters.memory.outside import SteppingClock
from agentops_graph.domain.incident import GRAPH_VERSION
from agentops_graph.faults import arm, disarm
from tests.desk import MODEL, Desk
from tests.test_health_window import traffic_passes
from tests.test_loop import deployed

pytestmark = pytest.mark.slow

PAUSED = Path(__file__).parent / "fixtures" / "paused"
KEPT = sorted(path.parent for path in PAUSED.glob("v*/*/facts.json"))


def opened(place: Path, home: Path) -> tuple[Desk, str]:
    """The kept data folder, at the moment in which it was left."""
    home.mkdir()
    for name in ("ledger", "checkpoints"):
        connection = sqlite3.connect(home / f"{name}.db")
        connection.executescript((place / f"{name}.sql").read_text())
        connection.close()
    if (place / "effects.txt").exists():
        shutil.copy(place / "effects.txt", home)
    facts = json.loads((place / "facts.json").read_text())
    desk = Desk(home, clock=SteppingClock(datetime.fromisoformat(facts["clock"])))
    desk.models.serving[MODEL] = facts["serving"]
    return desk, facts["incident"]


def finish(desk: Desk, incident: str) -> None:
    """Whatever it waits for happens, until it ends."""
    for _ in range(10):
        desk.work()
        case = desk.case(incident)
        if not case.incident.is_open:
            return
        if case.pending:
            desk.approve(incident)
        elif desk.ports.work.find("A-1:do").state == "open":
            desk.training_ends(incident)
        else:
            desk.minutes_pass(2)


def test_this_version_has_kept_its_paused_incidents():
    kept = {place.name for place in KEPT if place.parent.name == f"v{GRAPH_VERSION}"}
    assert len(kept) == 4, "python -m tests.fixtures.paused.make"


@pytest.mark.parametrize("place", KEPT, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_a_paused_incident_goes_on_to_its_end(place, tmp_path):
    desk, incident = opened(place, tmp_path / "home")
    if place.parent.name != f"v{GRAPH_VERSION}":
        desk.work()
        assert desk.case(incident).incident.status == "escalated"
        desk.service.retry(incident, actor="mia")
    finish(desk, incident)
    case = desk.case(incident)
    assert case.incident.status == "resolved"
    assert len(desk.actuator.keys) == len(set(desk.actuator.keys))
    assert desk.ports.audit.verify() is None


def of_another_version(desk: Desk, incident: str) -> None:
    """As if the graph had changed while it was paused: its checkpoints are unreadable, too."""
    desk.ports.incidents.update(incident, graph_version="0")
    desk.saver.delete_thread(incident)


def test_the_guard_of_another_graph_version_still_undoes_and_a_person_gets_the_incident(tmp_path):
    desk = Desk(tmp_path / "home")
    incident = deployed(desk)
    desk.minutes_pass(0.3)
    of_another_version(desk, incident)
    desk.minutes_pass(0.4, failed=0.5)
    case = desk.case(incident)
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert desk.models.serving[MODEL] == "1"
    assert case.incident.status == "escalated"
    assert "undone" in {a.status for a in case.resolution.actions_taken}
    (told,) = [n.notice.text for n in case.notices if "version 0" in n.notice.text]
    assert "guard fired, rolled back: error_rate" in told
    assert desk.ports.audit.verify() is None


def test_a_person_gets_the_incident_of_another_graph_version_when_its_window_is_over(tmp_path):
    desk = Desk(tmp_path / "home")
    incident = deployed(desk)
    of_another_version(desk, incident)
    desk.minutes_pass(0.7)
    case = desk.case(incident)
    assert case.incident.status == "verifying"
    kept = [e.text for e in case.timeline if "only its health window goes on" in e.text]
    assert len(kept) == 1
    desk.minutes_pass(0.7)
    case = desk.case(incident)
    assert case.incident.status == "escalated"
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]
    assert any("A-2: healthy: 3 looks" in n.notice.text for n in case.notices)
    desk.service.retry(incident, actor="mia")
    desk.work()
    assert desk.case(incident).incident.graph_version == GRAPH_VERSION


def test_of_another_graph_version_only_the_undo_that_was_approved_is_carried_out(tmp_path):
    desk = Desk(tmp_path / "home")
    incident = deployed(desk)
    of_another_version(desk, incident)
    traffic_passes(desk, 1)
    traffic_passes(desk, 1, failed=0.5)  # after the window: a person's
    desk.work()
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]
    assert desk.case(incident).incident.status == "escalated"


class Killed(BaseException):
    """Nothing catches it, as nothing catches the end of a process."""


def killed_at(desk: Desk, point: str) -> None:
    def die() -> None:
        raise Killed

    arm(point, die)
    with pytest.raises(Killed):
        desk.work()
    disarm()


def stopped_inside_the_deploy(desk: Desk) -> str:
    """A deploy of an older version that ended between its call and its result."""
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.training_ends(incident)
    desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
    killed_at(desk, "effect.after_call")
    of_another_version(desk, incident)
    return incident


def test_an_intent_that_another_graph_version_left_is_settled_and_then_guarded(tmp_path):
    desk = Desk(tmp_path / "home")
    incident = stopped_inside_the_deploy(desk)
    assert desk.ports.effects.find("A-2:do").state == "intent"
    desk.minutes_pass(0.5, failed=0.5)
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert desk.case(incident).incident.status == "escalated"
    assert desk.case(incident).incident.needs_reconcile is False


def test_an_intent_of_another_graph_version_that_nobody_can_tell_is_reconciled_by_a_person(
    tmp_path,
):
    desk = Desk(tmp_path / "home")
    incident = stopped_inside_the_deploy(desk)
    desk.actuator.probe = lambda action, *, key: "unknown"
    desk.work()
    assert [effect.key for effect in desk.service.to_reconcile()] == ["A-2:do"]
    assert desk.case(incident).incident.status == "escalated"
    assert desk.case(incident).incident.needs_reconcile is True


def test_an_incident_of_another_graph_version_is_not_resumed_and_not_lost(tmp_path):
    desk = Desk(tmp_path / "home")
    incident = desk.report()
    desk.work()
    desk.ports.incidents.update(incident, graph_version="0")
    desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
    desk.work()
    case = desk.case(incident)
    assert case.incident.status == "escalated"
    assert "version 0" in case.resolution.summary or any(
        "version 0" in n.notice.text for n in case.notices
    )
    assert desk.actuator.keys == []
    desk.service.retry(incident, actor="mia")
    desk.work()
    assert desk.case(incident).incident.graph_version == GRAPH_VERSION
    (fresh,) = desk.case(incident).pending
    assert fresh.proposal.plan_number == 1
