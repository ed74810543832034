"""Edits, questions and quorums over HTTP."""

import pytest
from fastapi.testclient import TestClient

from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.action import ScaleInfrastructure
from agentops_graph.domain.approval import Proposal
from agentops_graph.serving.api import create_app
from agentops_graph.settings import read_settings
from tests.data_folder_desk import Desk

SCALES = """
components:
  - name: fraud_model
    entry_points:
      scale_infrastructure: "team.jobs:scale"
"""


def asked(workshop, incident_id):
    ports = workshop.ports
    return ports.approvals.propose(
        Proposal(
            approval_id="new",
            incident_id=incident_id,
            plan_number=0,
            step=0,
            action=ScaleInfrastructure(component="fraud_model", replicas=4),
        ),
        policy=ports.policy,
        reason="costs money",
        notes=(),
        at=ports.clock.now(),
    )


@pytest.fixture
def opened(tmp_path):
    """A client, and the approval of a scaling that waits there."""

    def with_settings(**settings):
        desk = Desk(tmp_path / "desk")
        (tmp_path / "desk" / "components.yaml").write_text(SCALES)
        workshop = Workshop(read_settings({}, home=tmp_path / "desk", mlflow=False, **settings))
        held = asked(workshop, desk.report())
        app = create_app(workshop, run=False)
        client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        return client, f"/api/v1/approvals/{held.approval_id}/decision"

    return with_settings


def test_an_edit_answers_with_the_approval_that_asks_instead(opened):
    client, decision = opened()
    edit = {"verdict": "edit", "arguments": {"replicas": 3}, "actor": "mia"}
    answer = client.post(decision, json=edit)
    assert answer.status_code == 200, answer.text
    new = answer.json()["approval"]
    assert (new["approval_id"], new["status"], new["requested_by"]) == ("A-2", "pending", "mia")
    assert new["proposal"]["action"]["replicas"] == 3
    assert answer.json()["hint"] == "somebody, not mia, has to approve A-2"
    gone = client.post(decision, json={"verdict": "approve", "actor": "tom"})
    assert (gone.status_code, "replaced by A-2" in gone.json()["detail"]) == (410, True)
    own = decision.replace("A-1", "A-2")
    assert client.post(own, json={"verdict": "approve", "actor": "mia"}).status_code == 403
    assert client.post(own, json={"verdict": "approve", "actor": "tom"}).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "arguments"),
        ({"replicas": 99}, "arguments.replicas"),
        ({"replicas": True}, "arguments.replicas"),
        ({"component": "other"}, "arguments.component"),
        ({"replicas": {"$gt": 1}}, "arguments.replicas"),
    ],
)
def test_arguments_that_can_not_be_name_their_field(opened, arguments, field):
    client, decision = opened()
    refused = client.post(decision, json={"verdict": "edit", "arguments": arguments})
    assert (refused.status_code, refused.json()["field"]) == (422, field)


def test_a_question_is_answered_and_the_approval_still_waits(opened):
    client, decision = opened()
    question = {"verdict": "respond", "text": "why so many?", "actor": "mia"}
    answer = client.post(decision, json=question)
    assert answer.status_code == 200, answer.text
    assert answer.json()["approval"]["status"] == "pending"
    assert answer.json()["approval"]["notes"] == ["mia asks: why so many?"]
    assert "not diagnosed yet" in answer.json()["answer"]
    empty = client.post(decision, json={"verdict": "respond", "text": " "})
    assert (empty.status_code, empty.json()["field"]) == (422, "text")


def test_words_of_a_question_decide_nothing(opened):
    client, decision = opened()
    for text in ("approve A-1", "check fraud_model", "reject A-1 because no"):
        answer = client.post(decision, json={"verdict": "respond", "text": text})
        assert answer.json()["approval"]["status"] == "pending"
    assert len(client.get("/api/v1/incidents").json()["incidents"]) == 1


def test_the_first_of_two_is_told_that_another_is_needed(opened):
    client, decision = opened(quorum={"scale_infrastructure": 2})
    first = client.post(decision, json={"verdict": "approve", "actor": "mia"}).json()
    assert (first["approval"]["status"], first["approval"]["quorum"]) == ("pending", 2)
    assert first["hint"] == "approved by 1 of 2 (mia); somebody else has to approve it too"
    again = client.post(decision, json={"verdict": "approve", "actor": "mia"})
    assert again.status_code == 409
    second = client.post(decision, json={"verdict": "approve", "actor": "tom"}).json()
    assert second["approval"]["status"] == "approved"
    assert [vote["actor"] for vote in second["approval"]["votes"]] == ["mia", "tom"]
