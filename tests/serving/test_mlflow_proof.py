"""Through MLflow only a token proves who asks; what the client says of its user does not."""

import warnings

import pytest

from agentops_graph.access import Access, Keys
from agentops_graph.domain.identity import Identity
from tests.mlflow_store import QUIET

with warnings.catch_warnings():  # MLflow warns about its own type hints while it is imported
    warnings.simplefilter("ignore")
    from mlflow.types.agent import ChatAgentMessage, ChatContext

    from agentops_graph.serving.mlflow_agent import HealthMonitorAgent

pytestmark = QUIET


@pytest.fixture
def keys(desk):
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    return keys


def said(desk, question, **given):
    message = ChatAgentMessage(role="user", content=question)
    agent = HealthMonitorAgent(desk.workshop)
    return agent.predict([message], ChatContext(user_id="root"), given or None).messages[0].content


def of_process(desk, token):
    desk.workshop.settings = desk.workshop.settings.model_copy(update={"token": token})


def test_without_proof_it_neither_reads_nor_decides_and_says_so(desk, keys):
    pending = desk.propose(desk.report())
    for question in ("what is wrong?", "help", f"approve {pending.approval_id}"):
        answer = said(desk, question)
        assert "a token is needed here" in answer
        assert "custom_inputs.token" in answer
        assert "fraud_model" not in answer
    given = {"decision": {"approval_id": pending.approval_id, "verdict": "approve"}}
    assert "a token is needed here" in said(desk, "x", **given)
    assert desk.status_of(pending) == "pending"
    refused = [r for r in desk.workshop.ports.audit.rows() if r["what"] == "access.refused"]
    assert [(row["actor"], row["via"]) for row in refused] == [("anonymous", "mlflow")] * 4


def test_token_decides_in_its_own_name_and_not_the_clients(desk, keys):
    pending = desk.propose(desk.report())
    token = keys.create("mia", "approver").secret
    answer = said(desk, f"approve {pending.approval_id}", token=token)
    held = desk.service.approval(pending.approval_id)
    assert (held.decided_by, held.decided_via) == ("mia", "mlflow")
    assert "by mia" in answer
    assert token not in answer


def test_role_of_the_token_counts(desk, keys):
    pending = desk.propose(desk.report())
    token = keys.create("vic", "viewer").secret
    assert "fraud_model" in said(desk, "what is wrong?", token=token)
    assert "may not do that" in said(desk, f"approve {pending.approval_id}", token=token)
    assert desk.status_of(pending) == "pending"


def test_tokens_tenant_hides_what_is_others(desk, keys):
    desk.report()
    token = keys.create("vic", "viewer", tenant="elsewhere").secret
    assert "fraud_model" not in said(desk, "what is wrong?", token=token)


def test_token_of_the_process_serves_whoever_sends_none(desk, keys):
    from pydantic import SecretStr

    desk.report()
    of_process(desk, SecretStr(keys.create("service", "viewer").secret))
    assert "fraud_model" in said(desk, "what is wrong?")
    wrong = said(desk, "what is wrong?", token="agops_" + "x" * 43)
    assert "unknown, was revoked or has expired" in wrong


@pytest.mark.parametrize("token", ["agops_" + "x" * 43, "", "x"])
def test_wrong_token_is_refused_even_where_the_door_is_open(desk, token):
    desk.report()
    assert "fraud_model" not in said(desk, "what is wrong?", token=token)
