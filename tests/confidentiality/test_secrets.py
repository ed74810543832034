"""A credential that comes in anywhere is found nowhere that is kept, printed or sent."""

import dataclasses
import io
import logging
import string
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.redaction import forget_secrets, remember_secrets
from agentops_graph.errors import UnavailableError
from agentops_graph.gathering.measure import Measurement
from agentops_graph.graph import build_graph
from agentops_graph.log_lines import clear_log_lines
from agentops_graph.runner import Runner
from agentops_graph.service import Inquiry
from agentops_graph.serving.api import create_app
from agentops_graph.serving.api.bodies import InquiryView
from agentops_graph.settings import read_settings
from tests.desk import Desk

# An incident takes a second: a failure is shown as it was found, not made smaller.
AS_FOUND = (Phase.explicit, Phase.reuse, Phase.generate)
ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"


def of(alphabet, shortest, longest):
    # "Qz" at both ends, so that no word of ours can be the secret by chance.
    inner = st.text(alphabet, min_size=shortest, max_size=longest)
    return inner.map(lambda text: f"Qz{text}zQ")


# Each is (what has to be gone, what it stands in).
TOKENS = st.one_of(
    st.text(URLSAFE, min_size=43, max_size=43).map(lambda t: f"agops_{t}"),
    of(ALNUM, 12, 30).map(lambda t: f"xoxb-1234-{t}"),
    of(ALNUM, 16, 30).map(lambda t: f"ghp_{t}"),
    of(ALNUM, 16, 30).map(lambda t: f"sk-{t}"),
).map(lambda token: (token, f"saw {token} in it"))
NAMED = st.tuples(
    of(ALNUM + "._~+/-!$%", 6, 30),
    st.sampled_from(
        (
            "password={}",
            "password: {}",
            "Authorization: Bearer {}",
            "authorization={}",
            '{{"api_key": "{}"}}',
            "https://mia:{}@warehouse.example/db",
            "redis://:{}@cache/0",
            "?access_token={}&x=1",
            "MY_SECRET='{}'",
        )
    ),
).map(lambda pair: (pair[0], pair[1].format(pair[0].replace("/", "-")), pair[0].replace("/", "-")))
SPOKEN = st.one_of(TOKENS.map(lambda t: (*t, t[0])), NAMED)


class Broken:
    """A reasoner whose error says too much, as drivers do."""

    def __init__(self, words):
        self.words = words

    def diagnose(self, brief):
        raise UnavailableError(f"the reasoner did not answer: {self.words}")


def run_of(words, label, home):
    """An incident whose alert and whose failure hold `words`; everything it left behind."""
    desk = Desk(home)
    desk.ports = dataclasses.replace(desk.ports, reasoner=Broken(words))
    desk.runner = Runner(
        desk.ports, build_graph(desk.saver), kind="desk", lease_s=15, public_url="http://x"
    )
    incident_id = desk.report(summary=f"Model drift, {words}", metrics={"psi": 0.5, label: 1.0})
    for _ in range(12):
        desk.work()
        desk.clock.move(400)
        if (case := desk.case(incident_id)).incident.status == "escalated":
            break
    assert case.incident.status == "escalated"  # the failure came as far as a person
    told = [str(sent) for sent in desk.notifier.__dict__.values()]
    exported = [str(row) for row in desk.ports.audit.exported()]
    desk.saver.conn.close()
    return [*told, *exported, case.model_dump_json()]


def bytes_of(home):
    return {f.name: f.read_bytes() for f in home.rglob("*") if f.is_file()}


@pytest.fixture
def log_output():
    """All that any logger prints, traces included."""
    stream = io.StringIO()
    shown = logging.StreamHandler(stream)
    root, before = logging.getLogger(), logging.getLogRecordFactory()
    level = root.level
    root.addHandler(shown)
    root.setLevel(logging.DEBUG)
    logging.disable(logging.NOTSET)
    logging.getLogger("some.library").disabled = False  # a migration of a library's may have
    clear_log_lines()
    stream.shown = shown
    yield stream
    root.removeHandler(shown)
    root.setLevel(level)
    logging.setLogRecordFactory(before)
    forget_secrets()


@settings(
    max_examples=8,
    deadline=None,
    phases=AS_FOUND,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(spoken=SPOKEN)
def test_a_credential_in_alert_label_or_error_is_kept_nowhere(log_output, spoken):
    _, words, secret = spoken
    with TemporaryDirectory() as folder:
        left = run_of(words, words[:150], Path(folder))
        assert [text[:300] for text in left if secret in text] == []
        files = bytes_of(Path(folder))
        assert {"ledger.db", "checkpoints.db"} <= files.keys()
        assert [name for name, held in files.items() if secret.encode() in held] == []
    assert secret not in log_output.getvalue()


@settings(
    max_examples=3,
    deadline=None,
    phases=AS_FOUND,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(secret=st.text(ALNUM + "!$%&'\"\\ /", min_size=8, max_size=30).map(lambda t: f"Qz{t}zQ"))
def test_a_configured_secret_is_known_by_its_value_alone(log_output, secret):
    forget_secrets()
    remember_secrets(read_settings({"AGENTOPS_SLACK_BOT_TOKEN": secret}).secrets)
    with TemporaryDirectory() as folder:
        left = run_of(f"it said {secret} to me", "label", Path(folder))
        assert [text[:300] for text in left if secret in text] == []
        files = bytes_of(Path(folder))
        assert [name for name, held in files.items() if secret.encode() in held] == []
    logging.getLogger("any.library").warning("posting %s to %r", secret, {"as": secret})
    assert secret not in log_output.getvalue()


@settings(
    max_examples=40,
    deadline=None,
    phases=AS_FOUND,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(spoken=SPOKEN)
def test_a_credential_in_a_message_argument_or_trace_is_not_logged(log_output, spoken):
    _, words, secret = spoken
    log = logging.getLogger("some.library")
    log.warning(words)
    log.warning("%s", words)
    log.warning("%(a)s", {"a": words})
    log.warning("an object: %s", ValueError(words))
    try:
        raise ValueError(words) from KeyError(words)
    except ValueError:
        log.exception("it failed", stack_info=True)
    assert "it failed" in log_output.getvalue()
    assert secret not in log_output.getvalue()


def test_what_a_caller_adds_to_a_record_is_not_logged(log_output):
    log_output.shown.setFormatter(logging.Formatter("%(message)s %(token)s %(more)s"))
    log = logging.getLogger("some.library")
    log.warning("came", extra={"token": "Qzleak1", "more": {"password": ["Qzleak2"]}})
    log.warning(
        "by name %s", {"password": "Qzleak3"}, extra={"token": 7, "more": "password=Qzleak4"}
    )
    assert "Qzleak" not in log_output.getvalue()
    assert "came" in log_output.getvalue()
    assert " 7 password=" in log_output.getvalue()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    workshop = Workshop(read_settings({}, home=home, mlflow=False, requests_per_minute=100_000))
    app = create_app(workshop, run=False)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


@settings(max_examples=25, deadline=None, phases=AS_FOUND)
@given(spoken=SPOKEN)
def test_a_credential_in_a_request_is_not_in_the_error_it_is_answered_with(client, spoken):
    _, words, secret = spoken
    bad = [
        client.post("/api/v1/alerts", json={"severity": words, words: 1}),
        client.post("/api/v1/alerts", json=[words]),
        client.post("/api/v1/approvals/A-1/decision", json={"verdict": "x" * 150 + words}),
        client.get("/api/v1/approvals", params={"status": words}),
        client.get(f"/api/v1/incidents/{words.replace('/', '').replace('?', '')}"),
    ]
    for answer in bad:
        assert answer.status_code >= 400
        assert secret not in answer.text


def test_a_look_on_demand_shows_no_credential_that_stands_in_the_rows():
    token = "ghp_Qz7Qz7Qz7Qz7Qz7Qz7Qz7"
    seen = Measurement(notes=[f"left out: {token}"], readings={f"psi_{token}": 0.4, "rows": 200.0})
    inquiry = Inquiry(component="fraud", measurement=seen, admissions=[], is_healthy=False)
    view = InquiryView.of(inquiry)
    assert token not in view.model_dump_json()
    assert view.readings["rows"] == 200.0
