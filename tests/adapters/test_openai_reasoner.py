"""The OpenAI-compatible reasoner, with the real client against a local server on that wire."""

import time

import pytest

from agentops_graph.adapters.openai_model import OpenAIModel
from agentops_graph.diagnosis.model_reasoner import ModelReasoner
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.errors import InputError
from agentops_graph.model_ports import ModelLimits
from tests.adapters.model_case import CLEAR, PROMPTS, alone, brief, draft, served
from tests.adapters.openai_wire import (
    OpenAIServer,
    breaks_off,
    fails,
    floods,
    hangs,
    says,
    sends,
    trickles,
)
from tests.adapters.test_model_reasoner import OneRead

KEY = "sk-test-key-0123456789abcdef"


@pytest.fixture
def server():
    with served(OpenAIServer()) as started:
        yield started


def reasoner(server, timeout_s=5.0, key=KEY, **more):
    model = OpenAIModel("small", server.url, key, temperature=0.3)
    limits = ModelLimits(timeout_s=timeout_s)
    return ModelReasoner(model, EvidenceWeights(), PROMPTS, limits, **more)


def diagnosed(server, *replies, timeout_s=5.0, **more):
    server.replies[:] = replies
    return reasoner(server, timeout_s, **more).diagnose(brief(CLEAR))


def twice(text=None, **more):
    return says(text or draft(), **more), says(text or draft(), **more)


def test_the_request_asks_for_the_schema_and_carries_the_key(server):
    diagnosis = diagnosed(server, *twice())
    path, request = server.requests[0]
    assert path == "/v1/chat/completions"
    assert (request["model"], request["stream"], request["temperature"]) == ("small", True, 0.3)
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["evidence"]["items"]["enum"] == ["ev-1"]
    assert server.headers_seen[0]["authorization"] == f"Bearer {KEY}"
    assert diagnosis.reasoner.startswith("openai:small (diagnose.md ")


def test_what_the_environment_holds_for_openai_itself_is_not_sent_elsewhere(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-shell")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-shell")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-the-shell")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    diagnosis = diagnosed(server, *twice(), key=None)
    assert diagnosis.opinion.agrees
    assert "of-the-shell" not in str(server.headers_seen)


@pytest.mark.parametrize(
    ("part", "said", "left"),
    [
        ("json_schema", "response_format json_schema is not supported", {"type": "json_object"}),
        ("response_format", "unknown field: response_format", None),
        ("stream_options", "Extra inputs are not permitted: stream_options", "json_schema"),
        ("temperature", "Unsupported value: 'temperature' does not support 0.3", "json_schema"),
        ("max_tokens", "Use 'max_completion_tokens' instead of 'max_tokens'", "json_schema"),
    ],
)
def test_what_a_server_refuses_is_left_out_from_then_on(server, part, said, left):
    server.refuses = {part: said}
    diagnosis = diagnosed(server, *twice())
    assert diagnosis.opinion.agrees
    assert diagnosis.degraded == ()
    sent = server.requests[-1][1]
    assert part not in sent or isinstance(left, dict)
    answered = sent.get("response_format")
    assert answered == left if left is None or isinstance(left, dict) else answered["type"] == left
    refused = 2 if part == "response_format" else 1  # a schema first, then a bare object
    assert len(server.requests) == 2 + refused


def test_a_server_without_tools_is_asked_without_them(server):
    server.refuses = {"tools": '"auto" tool choice requires --enable-auto-tool-choice'}
    reads = OneRead()
    made = reasoner(server, reads_for=lambda _: reads)
    for _ in range(2):
        server.replies[:] = twice()
        assert made.diagnose(brief()).opinion.agrees
    assert sum("tools" in request for _, request in server.requests) == 1
    assert reads.asked == []


def test_tokens_are_reckoned_where_the_server_counts_none(server):
    use = diagnosed(server, *twice(tokens=None)).model_use
    assert use.estimated
    assert use.tokens_in > 300
    assert "about" in use.in_words


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (fails(401, f"Incorrect API key provided: {KEY}"), "check AGENTOPS_OPENAI_API_KEY"),
        (fails(404, "The model `small` does not exist"), "has no model small"),
        (fails(500, f"boom {KEY}"), "answered 500: boom"),
        (fails(429, "quota", Retry_After="3600"), "answered 429: quota"),
        (fails(429, "quota", Retry_After="tomorrow"), "answered 429: quota"),
        (sends(b"<html>proxy</html>", "text/html"), "holds no JSON object"),
        (sends(b"data: {not json}\n\n"), "unreadable reply"),
        (sends(b"data: [1, 2]\n\n"), "unreadable reply"),
        (sends(b'data: {"error": {"message": "worker died"}}\n\n'), "worker died"),
        (sends(b""), "holds no JSON object"),
        (breaks_off, "peer closed connection"),
        (floods, "over 2097152 bytes"),
    ],
)
def test_a_server_in_trouble_leaves_the_weights_diagnosis(server, reply, said):
    diagnosis = diagnosed(server, reply, reply)
    assert said in diagnosis.degraded[0]
    assert KEY not in diagnosis.model_dump_json()
    assert (diagnosis.cause, diagnosis.reasoner) == (alone().cause, "evidence_weights")


def test_a_server_that_asks_to_come_again_soon_is_asked_once_more(server):
    began = time.monotonic()
    diagnosis = diagnosed(server, fails(429, "slow down", Retry_After="0.2"), *twice())
    assert time.monotonic() - began >= 0.2
    assert diagnosis.opinion.agrees


@pytest.mark.parametrize("reply", [hangs, trickles])
def test_a_slow_model_is_left_in_time(server, reply):
    began = time.monotonic()
    diagnosis = diagnosed(server, reply, timeout_s=0.3)
    assert time.monotonic() - began < 3
    assert diagnosis.degraded == ("openai: no answer within 0.3 s",)


def test_a_redirect_is_not_followed(server):
    def moved(wire):
        wire.send_response(307)
        wire.send_header("Location", "http://127.0.0.1:9/v1/chat/completions")
        wire.send_header("Content-Length", "0")
        wire.end_headers()

    assert "answered 307" in diagnosed(server, moved).degraded[0]


def test_no_server_leaves_the_weights_diagnosis():
    model = OpenAIModel("small", "http://127.0.0.1:9/v1", None)
    made = ModelReasoner(model, EvidenceWeights(), PROMPTS, ModelLimits(timeout_s=1))
    assert made.diagnose(brief()).degraded[0].startswith("openai: 127.0.0.1:9: ")


def test_a_host_elsewhere_needs_permission_and_https():
    def made(url, **more):
        return OpenAIModel("small", url, KEY, **more)

    with pytest.raises(InputError, match="AGENTOPS_MODEL_HOSTS"):
        made("https://llm.example/v1")
    with pytest.raises(InputError, match="https://"):
        made("http://llm.example/v1", hosts=("llm.example",))
    with pytest.raises(InputError, match="must not hold a user"):
        made("https://mia:pw@llm.example/v1", hosts=("llm.example",))
    assert made("https://llm.example/v1", hosts=("llm.example",)).model == "small"
    assert made("http://10.0.0.5:8000/v1", allow_remote=True)
    assert made("http://localhost:8000/v1")
