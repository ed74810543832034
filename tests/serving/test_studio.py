"""LangGraph's developer tools may open the graph; they can't act through it."""

import importlib.util
import json
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agentops_graph.errors import RefusedError
from agentops_graph.ports import Ports
from agentops_graph.serving.studio import READS, UNGUARDED

ROOT = Path(__file__).parent.parent.parent
NODES = (
    "detect",
    "triage",
    "investigate",
    "diagnose",
    "plan",
    "approve",
    "act",
    "verify",
    "report",
    "escalate",
)


@pytest.fixture
def factory():
    """What `langgraph.json` names, loaded the way the tools load it: from its file."""
    path, name = json.loads((ROOT / "langgraph.json").read_text())["graphs"]["agentops"].split(":")
    spec = importlib.util.spec_from_file_location("opened_by_the_tools", ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def test_all_ten_nodes_are_drawn_and_nothing_is_opened(factory, tmp_path):
    drawing = factory().get_graph().draw_mermaid()
    assert [node for node in NODES if f"\t{node}({node})" not in drawing] == []
    assert not (tmp_path / "home").exists()


def test_acting_on_an_approved_action_is_refused(factory, desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_HOME", str(desk.workshop.places.home))
    pending = desk.propose(desk.report())
    desk.service.decide(pending.approval_id, "approve", actor="mia", via="python")
    graph = factory().copy({"checkpointer": InMemorySaver()})
    config = {"configurable": {"thread_id": "tools"}}
    state = {
        "incident_id": pending.proposal.incident_id,
        "approval_id": pending.approval_id,
        "decision": "approved",
    }
    graph.update_state(config, state, as_node="approve")
    assert graph.get_state(config).next == ("act",)

    with pytest.raises(RefusedError):
        graph.invoke(None, config)

    case = desk.service.case(pending.proposal.incident_id)
    assert case.effects == ()
    assert case.incident.acted_at is None


def test_every_port_is_held_to_calls_that_it_has():
    hints = get_type_hints(Ports)
    assert set(hints) - set(UNGUARDED) - set(READS) == {"history", "tracker"}  # these only write
    for name, calls in READS.items():
        kinds = get_args(hints[name]) or (hints[name],)  # some are optional
        assert [c for c in calls if not any(hasattr(kind, c) for kind in kinds)] == []


def test_client_can_not_bring_ports_of_its_own(factory, desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_HOME", str(desk.workshop.places.home))
    incident_id = desk.report()
    before = desk.service.case(incident_id)
    with pytest.raises(RefusedError, match="developer tools only read"):
        factory().invoke({"incident_id": incident_id}, context=desk.workshop.ports)
    assert desk.service.case(incident_id) == before
