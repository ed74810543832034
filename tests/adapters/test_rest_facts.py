"""Any REST API: what is asked, what is taken, what it means, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from agentops_graph.adapters.rest_facts import RestFactSource
from agentops_graph.domain.sources.rest import RestSource
from agentops_graph.errors import InputError, PortError
from agentops_graph.guarded_http import GuardedHttp, Rules
from tests.adapters.log_wire import FAULTS, NAMES, serving, status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = {
    "status": {"indicator": "major", "description": "Card network down"},
    "incidents": [{"name": "EU", "impact": 0.4}, {"name": "US"}],
    "a/b": {"c~d": 7},
}
DECLARED = {
    "name": "vendor-status",
    "url": "http://127.0.0.1:1/",
    "components": ["transactions"],
    "timeout_s": 0.5,
    "values": {"indicator": "/status/indicator", "impact": "incidents.0.impact"},
    "signals": [
        {"signal": "provider_down", "value": "indicator", "one_of": ["major", "critical"]},
        {"signal": "change:source_outage", "value": "impact", "above": 0.5},
    ],
}


def source(url, credentials=dict, **more):
    return RestFactSource(
        RestSource.model_validate(DECLARED | {"url": url} | more),
        GuardedHttp(Rules()),
        credentials,
    )


def ask(held, target="transactions"):
    return held.facts(target, NOON, NOON + timedelta(hours=1))


def test_values_are_taken_by_pointer_or_path_and_conditions_give_signals():
    with serving(status(200, PAGE)) as server:
        found = ask(source(server.url, summary="vendor says {indicator} ({impact}) {nothing}"))
    assert found.values == {"indicator": "major", "impact": 0.4}
    assert found.signals == {"provider_down": 1.0, "change:source_outage": -1.0}
    assert found.summary == "vendor-status: vendor says major (0.4) {nothing}"


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/a~1b/c~0d", 7),
        ("incidents", 2),
        ("incidents.1.name", "US"),
        ("incidents.7.name", None),
        ("status", None),
        ("status.indicator.deeper", None),
    ],
)
def test_a_pointer_leads_to_a_scalar_or_a_count(pointer, value):
    with serving(status(200, PAGE)) as server:
        values = {"indicator": "/status/indicator", "impact": pointer}
        assert ask(source(server.url, values=values)).values["impact"] == value


def test_a_value_that_is_missing_leaves_its_signal_unknown():
    with serving(status(200, {"status": {"indicator": "none"}})) as server:
        found = ask(source(server.url))
    assert found.signals == {"provider_down": -1.0}
    assert "impact not in the answer" in found.summary


def test_component_and_span_are_quoted_into_path_and_query():
    with serving(status(200, PAGE)) as server:
        held = source(
            f"{server.url}/v1/{{component}}/state?from={{since}}&to={{until}}",
            lambda: {"X-Key": "s3cret"},
            components=["a/../b?x=1", ".."],
        )
        found = ask(held, "a/../b?x=1")
        with pytest.raises(PortError, match="can't be part"):
            ask(held, "..")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/v1/a%2F..%2Fb%3Fx%3D1/state")
    assert asked.params == {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T13:00:00Z"}
    assert asked.headers["X-Key"] == "s3cret"
    assert "s3cret" not in str(found)


def test_an_answer_is_used_again_for_as_long_as_was_declared():
    with serving(status(200, PAGE)) as server:
        kept, fresh = source(server.url, every_s=60), source(server.url, every_s=0)
        assert ask(kept) == ask(kept)
        assert len(server.asked) == 1
        ask(fresh), ask(fresh)
        assert len(server.asked) == 3


@pytest.mark.parametrize(("fault", "said"), FAULTS, ids=NAMES)
def test_an_api_in_trouble_is_an_error_in_our_words(fault, said):
    with serving(fault) as server, pytest.raises(PortError, match=said) as failed:
        ask(source(server.url, lambda: {"Authorization": "Bearer s3cret"}))
    assert "hello" not in str(failed.value)
    assert "s3cret" not in str(failed.value)


def test_another_content_type_than_json_is_refused():
    def answer(wire, asked):
        wire.say(200, b'{"status": {"indicator": "none"}}', kind="text/html")

    with serving(answer) as server, pytest.raises(PortError, match="did not answer with JSON"):
        ask(source(server.url))


def test_deeply_nested_json_is_refused():
    nested = b'{"status":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    with serving(status(200, nested)) as server, pytest.raises(PortError, match="no JSON"):
        ask(source(server.url))


def test_texts_lose_credentials_escapes_and_length():
    said = "\x1b[2J\u202epassword=hunter2 " + "x" * 5000
    with serving(status(200, {"status": {"indicator": said}})) as server:
        (text,) = [v for v in ask(source(server.url)).values.values() if v]
    assert "hunter2" not in text
    assert text.isprintable()
    assert len(text) <= 200


def test_a_private_address_is_refused_unless_its_host_is_listed():
    held = source("https://10.255.255.1/", timeout_s=0.2)
    with pytest.raises(
        InputError, match=r"10\.255\.255\.1, which is private; name it under allow_priv"
    ):
        ask(held)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"url": "https://{component}.example.com/"}, "must be|not in the host"),
        ({"url": "https://x.example/{model}"}, "none of component"),
        ({"url": "https://me:pw@x.example/"}, "must not hold a user"),
        ({"headers": {"Authorization": "Bearer x"}}, "token_env"),
        ({"headers": {"Host": "other"}}, "is set by agentops"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "pattern"),
        ({"signals": [{"signal": "nonsense", "value": "impact", "above": 1}]}, "is no signal"),
        ({"signals": [{"signal": "provider_down", "value": "other", "above": 1}]}, "none of the"),
        ({"signals": [{"signal": "provider_down", "value": "impact"}]}, "needs one of"),
        ({"method": "POST"}, "Extra inputs"),
    ],
)
def test_a_mistake_in_the_declaration_is_refused(more, said):
    with pytest.raises(ValidationError, match=said):
        RestSource.model_validate(DECLARED | more)
