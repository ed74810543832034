"""What the doctor says of a model behind a server that speaks OpenAI's chat completions."""

import pytest

from agentops_graph.bootstrap import Workshop
from agentops_graph.doctor import examine
from agentops_graph.settings import read_settings
from tests.adapters.model_case import served
from tests.adapters.openai_wire import OpenAIServer


def check_of(tmp_path, **given):
    settings = read_settings({}, home=tmp_path, reasoner="openai", **given)
    return {c.name: c for c in examine(settings, lambda: Workshop(settings).ports)}["reasoner"]


def test_a_model_that_the_server_lists_is_found(tmp_path):
    with served(OpenAIServer()) as server:
        check = check_of(tmp_path, openai_base_url=server.url, model="small")
        assert (check.state, check.seen.split()[0]) == ("ok", "small")
        missing = check_of(tmp_path, openai_base_url=server.url, model="huge")
    assert missing.state == "degraded"
    assert "small, big" in missing.seen


@pytest.mark.parametrize(
    ("given", "state", "said"),
    [
        ({}, "broken", "no base URL"),
        ({"openai_base_url": "http://llm.example/v1"}, "broken", "AGENTOPS_MODEL_HOSTS"),
        ({"openai_base_url": "http://127.0.0.1:9/v1"}, "degraded", "no answer"),
    ],
)
def test_what_is_not_set_allowed_or_there_is_told(tmp_path, given, state, said):
    check = check_of(tmp_path, **given)
    assert check.state == state
    assert said in check.seen


def test_a_server_that_refuses_the_key_is_told_without_it(tmp_path):
    with served(OpenAIServer()) as server:
        server.locked = True
        key = "sk-secret-0123456789abcd"
        check = check_of(tmp_path, openai_base_url=server.url, openai_api_key=key)
    assert (check.state, check.seen.split(": ")[1]) == ("degraded", "answered 401")
    assert "sk-secret" not in check.model_dump_json()
