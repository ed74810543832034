"""A team's serving system on the wire: answers, refusals, and answers that never come."""

import json
import socket
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentops_graph.adapters.http_models import HttpModels
from agentops_graph.domain.action import DeployModel, RetrainModel, RollbackModel
from agentops_graph.domain.component import Component
from agentops_graph.errors import DidNotHappenError, InputError, NotFoundError, UnavailableError

TOKEN = "team-token-1"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
RETRAIN = RetrainModel(
    model="churn",
    base_version="1",
    train_from=NOW,
    train_until=NOW,
    holdout_until=NOW,
    holdout_sha256="0" * 64,
    holdout_rows=10,
)
ROLLBACK = RollbackModel(model="churn", to_version="1")


class ServingSystem:
    """Keeps the promises of the protocol: work once per key, and tells which keys it took."""

    def __init__(self):
        self.production, self.keys, self.moves = "2", {}, 0
        self.break_next = None  # "500", "slow": the write is done and its answer is lost
        self.read_failures = 0
        self.info = None
        self.reads = 0
        self.answered = threading.Event()

    def model(self):
        versions = [
            {"version": "1", "created_at": "2026-01-01T00:00:00Z", "metrics": {"f1": 0.91}},
            {"version": "2", "created_at": "2026-02-01T00:00:00Z", "aliases": ["canary"]},
        ]
        return self.info or {
            "model": "churn",
            "production": self.production,
            "versions": versions,
            "keys": self.keys,
            "region": "fields we do not know are left alone",
        }

    def write(self, path, body, key):
        if key not in self.keys:
            self.moves += 1
            self.keys[key] = {"state": "done", "reference": f"job-{self.moves}"}
            if path == "/training/trigger":
                self.keys[key]["state"] = "running"
            else:
                self.production = body["to_version"]
        return {"reference": self.keys[key]["reference"]}


class Requests(BaseHTTPRequestHandler):
    def do_GET(self):
        world = self.server.world
        world.reads += 1
        if world.read_failures:
            world.read_failures -= 1
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.path == "/health":
            self.answer(200, {"status": "ok"})
        elif not self.authorised():
            self.answer(401, {"error": "token"})
        elif self.path == "/model/info?model=churn":
            self.answer(200, world.model())
        else:
            self.answer(404, {"error": "no such model"})

    def do_POST(self):
        world = self.server.world
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.authorised():
            self.answer(401, {"error": "token"})
            return
        reply = world.write(self.path, body, self.headers["Idempotency-Key"])
        broken, world.break_next = world.break_next, None
        if broken == "slow":
            world.answered.wait(5)
        self.answer(500 if broken == "500" else 200, reply)

    def authorised(self):
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def answer(self, status, document):
        content = json.dumps(document).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # the client gave up, which is what some tests are about

    def log_message(self, *args):
        pass


@pytest.fixture
def world():
    return ServingSystem()


@pytest.fixture
def url(world):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    server.world = world
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    world.answered.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def models(url):
    return HttpModels(url, TOKEN)


def test_versions_are_read_newest_first_with_their_aliases(models):
    newest, oldest = models.versions("churn")
    assert (newest.version, newest.aliases) == ("2", ("canary", "production"))
    assert oldest.metrics == {"f1": 0.91}
    assert models.production("churn") == newest
    assert models.version("churn", "1") == oldest
    assert models.healthy()


def test_unknown_models_and_versions_are_not_found(models):
    with pytest.raises(NotFoundError):
        models.production("other")
    with pytest.raises(NotFoundError):
        models.version("churn", "9")


def test_a_read_is_tried_again_when_the_line_breaks(models, world):
    world.read_failures = 2
    assert models.production("churn").version == "2"
    assert world.reads == 3


def test_an_answer_of_another_form_is_refused_by_field(models, world):
    world.info = {"model": "churn", "versions": [{"version": "1", "created_at": "yesterday"}]}
    with pytest.raises(UnavailableError, match="created_at"):
        models.versions("churn")


def test_rollback_happens_once_per_key(models, world):
    assert models.probe(ROLLBACK, key="a:do") == "did_not"
    first = models.carry_out(ROLLBACK, key="a:do", incident_id="inc-1")
    again = models.carry_out(ROLLBACK, key="a:do", incident_id="inc-1")
    assert (first.reference, again.reference) == ("job-1", "job-1")
    assert world.moves == 1
    assert models.production("churn").version == "1"
    assert models.probe(ROLLBACK, key="a:do") == "happened"
    assert models.enforces_key


def test_a_training_is_followed_by_its_key(models, world):
    receipt = models.carry_out(RETRAIN, key="b:do", incident_id="inc-1")
    assert receipt.reference == "job-1"
    assert models.finished(RETRAIN, key="b:do").state == "running"
    world.keys["b:do"] |= {"state": "done", "version": "3"}
    seen = models.finished(RETRAIN, key="b:do")
    assert (seen.state, seen.version) == ("done", "3")
    assert models.probe(RETRAIN, key="b:do") == "happened"
    assert models.finished(RETRAIN, key="c:do") is None


def test_a_500_after_the_write_is_unknown_and_the_probe_finds_it(models, world):
    world.break_next = "500"
    with pytest.raises(UnavailableError, match="may have been done"):
        models.carry_out(ROLLBACK, key="a:do", incident_id="i")
    assert world.moves == 1
    assert models.probe(ROLLBACK, key="a:do") == "happened"


def test_an_answer_that_never_comes_is_unknown_and_the_write_is_not_repeated(url, world):
    models = HttpModels(url, TOKEN, timeout_s=0.2)
    world.break_next = "slow"
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="may have been done"):
        models.carry_out(ROLLBACK, key="a:do", incident_id="i")
    assert time.monotonic() - began < 3
    assert world.moves == 1
    world.answered.set()
    assert HttpModels(url, TOKEN).probe(ROLLBACK, key="a:do") == "happened"


def test_a_wrong_token_means_that_nothing_happened(url, world):
    models = HttpModels(url, "stale")
    with pytest.raises(DidNotHappenError, match="401"):
        models.carry_out(ROLLBACK, key="a:do", incident_id="i")
    assert world.moves == 0
    with pytest.raises(UnavailableError, match="401"):
        models.production("churn")
    assert models.probe(ROLLBACK, key="a:do") == "unknown"


def test_a_refused_connection_means_that_nothing_happened():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    models = HttpModels(f"http://127.0.0.1:{port}", TOKEN)
    with pytest.raises(DidNotHappenError, match="nothing was sent"):
        models.carry_out(ROLLBACK, key="a:do", incident_id="i")
    assert models.probe(ROLLBACK, key="a:do") == "unknown"
    assert not models.healthy()


def test_deploying_is_not_among_the_endpoints(models, world):
    assert not models.offers("deploy_model", Component(name="churn"))
    assert models.offers("retrain_model", Component(name="churn"))
    with pytest.raises(DidNotHappenError, match="retrain_model and rollback_model"):
        models.carry_out(DeployModel(model="churn", version="2"), key="k", incident_id="i")
    assert world.moves == 0


def test_a_server_off_this_machine_needs_a_switch():
    with pytest.raises(InputError, match="AGENTOPS_ALLOW_REMOTE_HOSTS"):
        HttpModels("https://models.example.com")
    with pytest.raises(InputError):
        HttpModels("file:///etc/passwd", allow_remote=True)
