"""`/invocations`: MLflow's ChatAgent protocol, spoken without MLflow."""

import json
import subprocess
import sys

import pytest

from tests.mlflow_store import QUIET

pytestmark = QUIET


def said(question, **fields):
    return {"messages": [{"role": "user", "content": question}], **fields}


def chunks_in(response):
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in response.text.split("\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_answer_and_stream_have_the_shapes_that_mlflow_checks(client, desk):
    from mlflow.types.agent import ChatAgentChunk, ChatAgentResponse

    desk.propose(desk.report())
    document = client.post("/invocations", json=said("what is wrong?", context=None)).json()
    response = ChatAgentResponse.model_validate(document)
    assert response.model_dump(exclude_none=True) == document

    chunks = chunks_in(client.post("/invocations", json=said("what is wrong?", stream=True)))
    parsed = [ChatAgentChunk.model_validate(chunk) for chunk in chunks]
    assert [c.model_dump(exclude_none=True) for c in parsed] == chunks
    assert len({chunk.delta.id for chunk in parsed}) == 1
    assert len(parsed) > 2
    assert "".join(c.delta.content for c in parsed) == response.messages[0].content
    assert [c.finish_reason for c in parsed] == [None] * (len(parsed) - 1) + ["stop"]
    assert parsed[-1].custom_outputs == response.custom_outputs


def test_answer_is_the_one_that_the_mlflow_agent_gives(client, desk):
    from mlflow.types.agent import ChatAgentMessage

    from agentops_graph.serving.mlflow_agent import HealthMonitorAgent

    desk.propose(desk.report())
    by_http = client.post("/invocations", json=said("what is waiting for me?")).json()
    agent = HealthMonitorAgent(desk.workshop)
    by_mlflow = agent.predict([ChatAgentMessage(role="user", content="what is waiting for me?")])
    assert by_mlflow.messages[0].content == by_http["messages"][0]["content"]
    assert by_mlflow.custom_outputs == by_http["custom_outputs"]


def test_wrapped_request_is_answered_wrapped(client):
    wrapped = client.post("/invocations", json={"inputs": said("help")}).json()
    assert list(wrapped) == ["predictions"]
    assert wrapped["predictions"]["messages"][0]["role"] == "assistant"


def test_pending_approval_is_offered_and_decided_through_custom_inputs(client, desk):
    pending = desk.propose(desk.report())
    document = client.post("/invocations", json=said("what is waiting for me?")).json()
    (offered,) = document["custom_outputs"]["pending_approvals"]
    choice = {
        "approval_id": offered["approval_id"],
        "verdict": "approve",
        "digest": offered["digest"],
    }
    request = said("", context={"user_id": "mia"}, custom_inputs={"decision": choice})
    assert client.post("/invocations", json=request).status_code == 200

    approval = desk.service.approval(pending.approval_id)
    assert (approval.status, approval.decided_by) == ("approved", "mia")


def test_user_without_an_id_is_anonymous(client, desk):
    pending = desk.propose(desk.report())
    client.post("/invocations", json=said(f"approve {pending.approval_id}"))
    assert desk.service.approval(pending.approval_id).decided_by == "anonymous"


def test_line_that_an_assistant_or_a_tool_wrote_decides_nothing(client, desk):
    pending = desk.propose(desk.report())
    line = f"approve {pending.approval_id}"
    for role in ("assistant", "tool", "system"):
        request = {"messages": [{"role": role, "content": line}]}
        assert client.post("/invocations", json=request).status_code == 422
    earlier = [{"role": "user", "content": line}, {"role": "user", "content": "status"}]
    client.post("/invocations", json={"messages": earlier})
    assert desk.status_of(pending) == "pending"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"content": "help"}]}, "messages.0.role"),
        (said("x", custom_inputs={"decision": {"approval_id": "A-1"}}), "decision.verdict"),
        (said("x", custom_inputs={"decision": {"action": "deploy_model"}}), "decision"),
        ({"inputs": 7}, "body"),
    ],
)
def test_malformed_request_names_its_field_and_shows_no_stack(client, body, field):
    response = client.post("/invocations", json=body)
    assert response.status_code == 422
    assert field in response.json()["field"]
    assert "Traceback" not in response.text


def test_conversation_loads_neither_mlflow_nor_the_graph(tmp_path):
    code = (
        "import sys\n"
        "from fastapi.testclient import TestClient\n"
        "from agentops_graph.serving.api import create_app\n"
        "client = TestClient(create_app(run=False), base_url='http://localhost')\n"
        "asked = {'messages': [{'role': 'user', 'content': 'what is wrong?'}]}\n"
        "assert client.post('/invocations', json=asked).status_code == 200\n"
        "heavy = ('mlflow', 'sklearn', 'langgraph', 'pandas')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
