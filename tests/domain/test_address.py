"""Credentials and content go where nobody else can read them, or nowhere."""

import pytest

from agentops_graph.domain.address import (
    is_loopback,
    model_address,
    refuse_plain_http,
    refuse_remote,
)
from agentops_graph.errors import InputError

HERE = ("http://127.0.0.1:8080/api", "http://localhost", "http://[::1]:11434")
# Each looks like this machine to a careless reader.
ELSEWHERE = (
    "http://10.0.0.5:11434",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1@evil.example",
    "http://localhost:pass@evil.example/",
)
NO_ADDRESS = ("file:///etc/passwd", "ftp://127.0.0.1", "slack.com", "", "https://")


@pytest.mark.parametrize("url", HERE)
def test_this_machine_needs_no_permission(url):
    assert is_loopback(url)
    refuse_plain_http(url, field="F", allow_remote=False)
    refuse_remote(url, field="F", allow_remote=False, sent="alerts")


@pytest.mark.parametrize("url", ELSEWHERE)
def test_another_machine_needs_permission(url):
    assert not is_loopback(url)
    with pytest.raises(InputError, match=r"F: .*AGENTOPS_ALLOW_REMOTE_HOSTS"):
        refuse_plain_http(url, field="F", allow_remote=False)
    with pytest.raises(InputError, match=r"AGENTOPS_ALLOW_REMOTE_HOSTS=true if alerts may go"):
        refuse_remote(url, field="F", allow_remote=False, sent="alerts")
    refuse_plain_http(url, field="F", allow_remote=True)
    refuse_remote(url, field="F", allow_remote=True, sent="alerts")


def test_https_needs_permission_only_for_what_runs_beside_us():
    refuse_plain_http("https://slack.com/api/", field="F", allow_remote=False)
    with pytest.raises(InputError, match=r"models.example.com is not on this machine"):
        refuse_remote("https://models.example.com", field="F", allow_remote=False, sent="alerts")


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_http_address_is_refused_with_any_permission(url):
    with pytest.raises(InputError, match="no http address"):
        refuse_plain_http(url, field="F", allow_remote=True)
    with pytest.raises(InputError, match="no http address"):
        refuse_remote(url, field="F", allow_remote=True, sent="alerts")


def test_a_refusal_does_not_repeat_a_password():
    with pytest.raises(InputError) as refused:
        refuse_plain_http("http://me:hunter2@slack.example", field="F", allow_remote=False)
    assert "hunter2" not in str(refused.value)


def test_a_model_lives_here_or_on_a_named_host_over_https():
    def address(url, *, allow_remote=False, hosts=("llm.example",)):
        return model_address(url, field="x", allow_remote=allow_remote, hosts=hosts)

    for url in ("http://127.0.0.1:8000/v1", "https://llm.example/v1"):
        assert address(url) == url
    assert address("http://10.0.0.5/v1", allow_remote=True)
    for url in ("https://other.example", "http://llm.example", "https://llm.example.evil.example"):
        with pytest.raises(InputError):
            address(url)
    with pytest.raises(InputError, match="user or password"):
        address("https://mia:pw@llm.example/v1")
