"""The agent as MLflow sees it: logged, loaded, asked, streamed, served."""

import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import httpx
import pytest

from agentops_graph.bootstrap import Workshop
from agentops_graph.errors import UnavailableError
from agentops_graph.serving import log_agent as logging_module
from agentops_graph.serving.log_agent import log_agent
from agentops_graph.settings import read_settings
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

with warnings.catch_warnings():  # MLflow warns about its own type hints while it is imported
    warnings.simplefilter("ignore")
    from mlflow.types.agent import ChatAgentMessage, ChatContext

    from agentops_graph.serving.mlflow_agent import (
        INTRODUCTION,
        LOGGING_SWITCH,
        HealthMonitorAgent,
    )

pytestmark = QUIET
PATIENCE_S = 120


def asked(question):
    return [ChatAgentMessage(role="user", content=question)]


def test_stream_joins_to_the_answer_and_ends_with_what_it_rests_on(desk):
    pending = desk.propose(desk.report())
    agent = HealthMonitorAgent(desk.workshop)
    whole = agent.predict(asked("what is wrong?"))
    chunks = list(agent.predict_stream(asked("what is wrong?")))

    assert "".join(chunk.delta.content for chunk in chunks) == whole.messages[0].content
    assert len({chunk.delta.id for chunk in chunks}) == 1
    assert [c.finish_reason for c in chunks if c.finish_reason] == ["stop"]
    assert chunks[-1].custom_outputs == whole.custom_outputs
    assert whole.custom_outputs["domains"] == ["quality"]
    assert whole.custom_outputs["confidence"] is None
    (offered,) = whole.custom_outputs["pending_approvals"]
    assert offered["digest"] == pending.digest


def test_first_words_of_a_measurement_come_before_it_is_made(desk):
    agent = HealthMonitorAgent(desk.workshop)
    chunks = agent.predict_stream(asked("check fraud_model"))
    assert next(chunks).delta.content == "Measuring fraud_model now."


def test_person_decides_through_mlflow_and_hears_that_no_runner_is_alive(desk):
    pending = desk.propose(desk.report())
    answer = HealthMonitorAgent(desk.workshop).predict(
        asked(f"approve {pending.approval_id}"), ChatContext(user_id="mia")
    )
    approval = desk.service.approval(pending.approval_id)
    assert (approval.decided_by, approval.decided_via) == ("mia", "mlflow")
    assert "No runner is alive" in answer.messages[0].content
    assert desk.service.case(approval.proposal.incident_id).effects == ()


@pytest.mark.parametrize(
    "decision",
    [
        {"approval_id": "A-1"},
        {"approval_id": "A-1", "verdict": "deploy"},
        {"approval_id": "A-1", "verdict": "approve", "action": "deploy_model"},
        "approve",
    ],
)
def test_malformed_decision_is_answered_with_its_field(desk, decision):
    answer = HealthMonitorAgent(desk.workshop).predict(
        asked("x"), custom_inputs={"decision": decision}
    )
    assert answer.messages[0].content.startswith("custom_inputs.decision")


def test_nothing_is_touched_before_the_first_question(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path / "home"))
    agent = HealthMonitorAgent()
    assert not (tmp_path / "home").exists()
    agent.predict(asked("help"))
    assert (tmp_path / "home" / "ledger.db").exists()
    assert not (tmp_path / "home" / "checkpoints.db").exists()


def test_while_it_is_logged_the_agent_only_introduces_itself(tmp_path, monkeypatch, desk):
    monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(LOGGING_SWITCH, "1")
    pending = desk.propose(desk.report())
    for agent in (HealthMonitorAgent(), HealthMonitorAgent(desk.workshop)):
        answer = agent.predict(asked(f"approve {pending.approval_id}"))
        assert answer.messages[0].content == INTRODUCTION
    assert not (tmp_path / "home").exists()
    assert desk.status_of(pending) == "pending"


def test_answering_needs_no_more_than_the_logged_requirements(desk):
    """Loads the agent where the libraries that only running incidents needs are not installed."""
    pending = desk.propose(desk.report())
    code = (
        "import sys\n"
        "absent = ('langgraph', 'langchain_core', 'slack_sdk', 'githubkit', 'stamina')\n"
        "for name in absent: sys.modules[name] = None\n"
        "from agentops_graph.serving.mlflow_agent import HealthMonitorAgent\n"
        "agent = HealthMonitorAgent()\n"
        "for words in sys.argv[1:]:\n"
        "    message = {'role': 'user', 'content': words}\n"
        "    print(agent.predict([message]).messages[0].content)\n"
    )
    environment = {**os.environ, "AGENTOPS_HOME": str(desk.workshop.places.home)}
    approve = f"approve {pending.approval_id}"
    questions = ("status", "how do I retrain?", "check fraud_model", approve)
    done = subprocess.run(
        [sys.executable, "-c", code, *questions],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert f"{pending.approval_id} is approved" in done.stdout, done.stdout


@pytest.fixture
def workshop(mlflow_store):  # noqa: F811 - the fixture
    return Workshop(read_settings({}, home=mlflow_store.home))


def test_logged_agent_is_registered_for_development_and_has_no_effect(workshop):
    home = workshop.places.home
    run_id = log_agent(workshop, registered_name="on_call")

    client = workshop.store.client()
    run = client.get_run(run_id)
    version = client.get_model_version_by_alias("on_call", "development")
    assert run.info.run_name == "health_monitor_agent_v1"
    assert run.data.params["orchestrator_framework"] == "langgraph"
    assert run.data.params["worker_agent_count"] == "3"
    assert {"agent_type", "llm_endpoint", "utility_tools", "memory_type"} <= set(run.data.params)
    assert version.run_id == run_id
    assert {p.name for p in home.iterdir()} <= {"mlflow.db", "mlflow.lock", "mlartifacts"}
    assert LOGGING_SWITCH not in os.environ

    import mlflow

    model = mlflow.models.get_model_info("models:/on_call@development")
    assert model.metadata["domains"] == "cost,security,performance,reliability,quality"
    assert {"description", "version"} <= set(model.metadata)
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    assert logged.params == run.data.params


def test_agent_that_does_not_load_elsewhere_is_not_registered(workshop, monkeypatch, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('this program is broken')")
    monkeypatch.setattr(logging_module, "_ASK_ONCE", broken.read_text())
    with pytest.raises(UnavailableError, match="this program is broken"):
        log_agent(workshop)
    assert workshop.store.client().search_registered_models() == []


@pytest.fixture
def served(workshop, tmp_path):
    """`mlflow models serve` of the registered agent, over a desk's data folder."""
    from tests.data_folder_desk import Desk

    desk = Desk(tmp_path / "desk")
    desk.pending = desk.propose(desk.report())
    log_agent(workshop)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        desk.port = probe.getsockname()[1]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    program = subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("mlflow")), "models", "serve"),
            *("-m", "models:/health_monitor_orchestrator@development"),
            *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(desk.port)),
        ],
        cwd=elsewhere,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": workshop.store.uri,
            "AGENTOPS_HOME": str(desk.workshop.places.home),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        wait_for(program, f"http://127.0.0.1:{desk.port}/ping")
        yield desk
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGTERM)
        program.communicate(timeout=PATIENCE_S)


def wait_for(program, url):
    waited = threading.Event()
    for _ in range(PATIENCE_S * 2):
        assert program.poll() is None, program.communicate()[0].decode()
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            waited.wait(0.5)
    raise AssertionError(f"{url} never answered")


@pytest.mark.slow
def test_served_agent_answers_and_takes_the_decision_it_offered(served):
    def ask(**document):
        url = f"http://127.0.0.1:{served.port}/invocations"
        reply = httpx.post(url, json=document, timeout=PATIENCE_S)
        assert reply.status_code == 200, reply.text
        return reply.json()

    question = [{"role": "user", "content": "what is waiting for me?"}]
    (offered,) = ask(messages=question)["custom_outputs"]["pending_approvals"]
    assert offered["digest"] == served.pending.digest

    choice = {"approval_id": offered["approval_id"], "verdict": "approve"}
    decided = ask(
        messages=[{"role": "user", "content": "yes"}],
        context={"user_id": "mia"},
        custom_inputs={"decision": choice | {"digest": offered["digest"]}},
    )
    assert "No runner is alive" in decided["messages"][0]["content"]
    approval = served.service.approval(offered["approval_id"])
    assert (approval.status, approval.decided_by) == ("approved", "mia")
    assert approval.decided_via == "mlflow"

    citing = ask(messages=[{"role": "user", "content": "how do I roll back a model?"}])
    assert citing["custom_outputs"]["sources"]


def test_the_agent_reads_the_folders_runbooks_and_not_its_own(desk, tmp_path, monkeypatch):
    desk.ask("search the runbooks for drift")  # the service's door fills the shelf
    before = desk.workshop.ports.shelf.condition()
    own = tmp_path / "own"
    own.mkdir()
    (own / "quagga.md").write_text("# Quagga\n\n## 1. Stampede\n\nOpen the gate.\n")
    monkeypatch.setattr("agentops_graph.bootstrap.workshop.shipped", lambda name: own)
    monkeypatch.setenv("AGENTOPS_HOME", str(desk.workshop.places.home))
    told = HealthMonitorAgent().predict(asked("search the runbooks for drift"))
    assert told.custom_outputs["sources"]
    assert desk.workshop.ports.shelf.condition()["documents"] == before["documents"]
