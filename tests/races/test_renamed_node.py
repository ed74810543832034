"""Incidents that wait at a node which a newer release no longer has."""

from dataclasses import replace

import pytest
from langgraph.graph import END, START, StateGraph

from agentops_graph.domain.incident import GRAPH_VERSION
from agentops_graph.errors import GoneError
from agentops_graph.journal import told
from agentops_graph.nodes.act import act
from agentops_graph.nodes.approve import approve
from agentops_graph.nodes.detect import detect
from agentops_graph.nodes.diagnose import diagnose
from agentops_graph.nodes.investigate import investigate
from agentops_graph.nodes.plan import plan
from agentops_graph.nodes.triage import triage
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState
from tests.desk import Desk


def graph_of_an_earlier_release(saver):
    """As far as it matters here: the node that asks a person is called `ask`."""
    nodes = {
        "detect": detect,
        "triage": triage,
        "investigate": investigate,
        "diagnose": diagnose,
        "plan": plan,
        "ask": approve,
        "act": act,
    }
    graph = StateGraph(IncidentState, context_schema=Ports)
    for name, node in nodes.items():
        graph.add_node(name, told(node))
    for one, next_one in zip([START, *nodes], [*nodes, END], strict=True):
        graph.add_edge(one, next_one)
    return graph.compile(checkpointer=saver)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def left_behind(desk, version):
    """An incident that the earlier release left waiting, and that a person approves now."""
    incident = desk.report()
    desk.ports.incidents.update(incident, graph_version=version)
    (job,) = desk.ports.jobs.waiting(desk.clock.now())
    lease = desk.ports.leases.acquire(incident, "earlier release", 60)
    graph_of_an_earlier_release(desk.saver).invoke(
        {"incident_id": incident, "plan_number": 0},
        {"configurable": {"thread_id": incident}},
        context=replace(desk.ports, lease=lease),
        durability="sync",
    )
    desk.ports.leases.release(lease)
    desk.ports.jobs.finish(job.job_id)
    assert desk.pending(incident) == "A-1"
    return incident


# A release that forgot to raise its version must not finish in silence either.
@pytest.mark.parametrize("version", ["0", GRAPH_VERSION])
def test_what_waits_at_a_node_that_is_gone_goes_to_a_person_and_nothing_is_done(desk, version):
    incident = left_behind(desk, version)
    desk.service.decide("A-1", "approve", actor="mia", via="cli")
    desk.work()
    case = desk.case(incident)
    assert (case.incident.status, case.incident.owner) == ("escalated", "on-call")
    assert desk.actuator.keys == []
    assert any(n.marker.endswith(":handed_over") for n in case.notices)

    desk.service.retry(incident, actor="mia")
    desk.work()
    assert desk.case(incident).incident.graph_version == GRAPH_VERSION
    assert desk.pending(incident) == "A-2"
    desk.approve(incident)
    assert desk.actuator.keys == ["A-2:do"]
    assert desk.ports.audit.verify() is None


def test_what_an_earlier_release_asks_for_is_gone_once_a_person_has_the_incident(desk):
    incident = left_behind(desk, "0")
    desk.ports.jobs.enqueue(incident, "an upgrade", at=desk.clock.now())
    desk.work()
    assert desk.case(incident).incident.status == "escalated"
    with pytest.raises(GoneError):
        desk.service.decide("A-1", "approve", actor="mia", via="cli")
    desk.work()
    assert desk.actuator.keys == []
