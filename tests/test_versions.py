"""Incidents that earlier versions left paused are resumed by this one, or planned anew."""

import json
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from agentops_graph.adapters.memory.outside import SteppingClock
from agentops_graph.domain.incident import GRAPH_VERSION
from tests.desk import MODEL, Desk

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
