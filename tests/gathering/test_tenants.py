"""What one tenant's incidents know of another's: nothing."""

from dataclasses import replace

import pytest

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.component import Component
from agentops_graph.domain.tenancy import comparable
from agentops_graph.gathering.asked_reads import AskedReads
from agentops_graph.gathering.brief import brief_of
from agentops_graph.gathering.gather import gather
from agentops_graph.model_ports import ToolCall
from tests.adapters.model_case import EVEN, brief
from tests.desk import MODEL, NOON, Desk

REPORT = """---
incident_id: INC-2026-{number}
title: Model drift
alert_type: model_drift
component: {component}
root_cause: source_outage
confirmed: {confirmed}
---
# Model drift

## 1. Summary

Model drift detected at {client}, with a loss of 4.2 million.
"""


def parts(name, tenant):
    return {name: Component(name=name, tenant=tenant)}


@pytest.mark.parametrize(
    ("watched", "expected"),
    [
        ({}, None),
        (parts("a", None) | parts("b", None), None),
        (parts("a", "x") | parts("b", "x"), None),
        (parts("a", "x") | parts("b", "x") | parts("c", "y"), {"a", "b"}),
        (parts("a", "x") | parts("b", None), {"a"}),
        (parts("a", None) | parts("b", "x"), {"a"}),
        (parts("b", "x"), {"a"}),  # nobody knows whose `a` is
    ],
)
def test_components_are_compared_within_their_tenant(watched, expected):
    assert comparable("a", watched) == expected


@pytest.fixture
def desk(tmp_path):
    """The model is of one tenant, another's incidents are reported on the same shelf."""
    desk = Desk(tmp_path / "d")
    own = desk.ports.components[MODEL].model_copy(update={"tenant": "fraud"})
    shelf = SqliteShelf(tmp_path / "k.db", None, LexicalEmbedding())
    for number, component, confirmed, client in (
        ("0001", "payments-scorer", "true", "ACME"),
        ("0002", "payments-scorer", "false", "ACME"),
        ("0003", "gone-scorer", "true", "ACME"),
        ("0004", MODEL, "true", "OURS"),
    ):
        text = REPORT.format(number=number, component=component, confirmed=confirmed, client=client)
        shelf.add_incident(f"INC-2026-{number}", text, confirmed=confirmed == "true")
    watched = {MODEL: own} | parts("payments-scorer", "payments")
    desk.ports = replace(desk.ports, shelf=shelf, components=watched)
    yield desk
    shelf.close()


def briefed(desk):
    incident_id = desk.report()
    alert = desk.ports.log.alerts(incident_id)[-1]
    return brief_of(
        desk.ports.shelf,
        alert,
        (),
        watched=desk.ports.components,
        incident_id=incident_id,
        diagnosis_id=f"{incident_id}/D0",
        now=NOON,
    )


def test_precedents_are_of_the_own_tenant(desk):
    assert {page.document for page in briefed(desk).precedents} == {"INC-2026-0004"}


def test_a_model_that_searches_finds_reports_of_the_own_tenant_only(desk):
    reads = AskedReads(desk.ports, briefed(desk))
    call = ToolCall("search_runbooks", {"words": "model drift loss million"})
    piece = reads.read(call, 1)
    assert "OURS" in piece.summary
    assert "ACME" not in str(piece)
    assert piece.references
    assert all(one.startswith("INC-2026-0004") for one in piece.references)


def test_similar_incidents_are_of_the_own_tenant(desk):
    incident = desk.ports.incidents.get(desk.report())
    (alert,) = desk.ports.log.alerts(incident.incident_id)
    found = gather(desk.ports, incident, alert, NOON, only=lambda g: g.kind == "similar_incidents")
    assert found[0].summary == "similar: INC-2026-0004"


def test_another_tenants_confirmations_move_neither_cause_nor_confidence(desk):
    case, weights = brief(EVEN), EvidenceWeights()
    alone = weights.diagnose(case)

    def diagnosed(watched):
        components = dict.fromkeys((MODEL, "payments-scorer"), Component(name=MODEL))
        desk.ports = replace(desk.ports, components=watched or components)
        others = tuple(p for p in briefed(desk).precedents if p.component != MODEL)
        return weights.diagnose(case.model_copy(update={"precedents": others}))

    apart, together = diagnosed(desk.ports.components), diagnosed(None)
    assert apart == alone
    assert together.hypotheses[0].probability != alone.hypotheses[0].probability
