"""A training behind a team's own endpoints comes back with its version and trial."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agentops_graph.adapters.http_models import HttpModels
from agentops_graph.domain.action import RerunPipeline, RetrainModel
from agentops_graph.domain.component import Component
from agentops_graph.domain.gate import Trial
from agentops_graph.errors import InputError, UnavailableError
from agentops_graph.jobs.http_retraining import follow, retrain
from agentops_graph.jobs.order import OutOfSightError, WorkOrder

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TRIAL = Trial(
    metric="f1",
    candidate=0.93,
    incumbent=0.87,
    baseline=0.93,
    holdout_rows=100,
    holdout_positives=20,
    holdout_sha256="0" * 64,
    candidate_version="4",
)


class Trainer(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.key = self.headers["Idempotency-Key"]
        if getattr(self.server, "deaf", False):
            return
        self.answer({"reference": "job-9"})

    def do_GET(self):
        states = self.server.states
        state = states.pop(0) if len(states) > 1 else states[0]
        self.answer({"model": "churn", "keys": {self.server.key: state}})

    def answer(self, document):
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def trainer():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Trainer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def models(trainer):
    return HttpModels(f"http://127.0.0.1:{trainer.server_port}")


def order(action=None):
    return WorkOrder(
        key="apr-1:do",
        action=action
        or RetrainModel(
            model="churn",
            base_version="3",
            train_from=NOW,
            train_until=NOW,
            holdout_until=NOW,
            holdout_sha256="0" * 64,
            holdout_rows=100,
        ),
        incident_id="inc-1",
        component=Component(name="churn"),
        warehouse=None,
        history=None,
        home=Path(),
        tracking_uri="",
        report=lambda share, text: None,
    )


def test_a_training_is_followed_until_the_server_ends_it(trainer, models):
    done = {"state": "done", "version": "4", "reference": "job-9"}
    done["trial"] = TRIAL.model_dump(mode="json")
    trainer.states = [{"state": "running"}, {"state": "running"}, done]
    naps = []
    result = follow(order(), models, where="models.example", sleep=naps.append)
    assert trainer.key == "apr-1:do"
    assert (result.version, result.trial) == ("4", TRIAL)
    assert len(naps) == 2


def test_a_failed_training_says_why(trainer, models):
    trainer.states = [{"state": "failed", "error": "out of memory"}]
    with pytest.raises(UnavailableError, match="out of memory"):
        follow(order(), models, where="models.example", sleep=lambda s: None)


def test_who_really_trains_is_named_before_the_training_is_triggered(trainer, models):
    trainer.states = [{"state": "failed", "error": "out of memory"}]
    trainer.key = None
    named = []
    told = replace(order(), follows=lambda where: named.append((where, trainer.key)))
    with pytest.raises(UnavailableError):
        follow(told, models, where="models.example", sleep=lambda s: None)
    assert named == [("models.example", None)]


def test_a_trigger_that_nobody_answered_may_have_been_heard(trainer, models):
    trainer.deaf = True
    with pytest.raises(OutOfSightError, match=r"whether models\.example trains is not known"):
        follow(order(), models, where="models.example", sleep=lambda s: None)


def test_only_a_retraining_can_be_followed(models):
    rerun = RerunPipeline(pipeline="p", window_from=NOW, window_until=NOW)
    with pytest.raises(InputError, match="rerun_pipeline"):
        follow(order(rerun), models, where="models.example", sleep=lambda s: None)


def test_without_an_address_the_setting_is_named(monkeypatch):
    monkeypatch.delenv("AGENTOPS_MODELS_URL", raising=False)
    with pytest.raises(InputError, match="AGENTOPS_MODELS_URL"):
        retrain(order())
