"""A log query on Loki: every line of the span once, and each failure said in our own words."""

from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.loki_logs import LokiLogSource
from agentops_graph.domain.sources.logs import LokiLogs
from agentops_graph.errors import PortError
from agentops_graph.guarded_http import GuardedHttp, Rules
from tests.adapters.log_wire import FAULTS, NAMES, loki, serving, status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NS = 1_000_000_000
LOADER = (("app", "loader"), ("level", "error"))
WEB = (("app", "web"),)


def ns(seconds):
    return int(NOON.timestamp()) * NS + int(seconds * NS)


def source(url, credentials=dict, **more):
    given = {"name": "loader", "kind": "loki", "components": ["transactions", "payments"]}
    given |= {"url": url, "query": '{app="loader"}', "timeout_s": 0.5, "max_bytes": 1_000_000}
    declared = LokiLogs.model_validate(given | more)
    return LokiLogSource(declared, GuardedHttp(Rules()), credentials)


def read(held, minutes=60, **more):
    return held.lines("transactions", NOON, NOON + timedelta(minutes=minutes), **more)


@pytest.mark.parametrize("newest", [False, True])
def test_pages_give_every_line_once_though_several_share_a_moment(newest):
    lines = [(ns(n // 3), f"line {n}") for n in range(100)]
    with serving(loki({WEB: lines})) as server:
        found = read(source(server.url, page_lines=7), newest=newest)
    assert [line.text for line in found.lines] == [f"line {n}" for n in range(100)]
    assert found.cut == ""
    assert len(server.asked) > 14


def test_a_moment_with_more_lines_than_a_page_ends_and_is_told():
    lines = [(ns(5), f"line {n}") for n in range(20)] + [(ns(6), "last")]
    with serving(loki({WEB: lines})) as server:
        found = read(source(server.url, page_lines=7))
    assert "one moment" in found.cut
    assert found.lines[-1].text == "last"


@pytest.mark.parametrize(("newest", "kept"), [(False, "line 0"), (True, "line 199")])
def test_a_read_is_cut_at_its_lines_and_keeps_the_end_that_was_asked_for(newest, kept):
    lines = [(ns(n), f"line {n}") for n in range(200)]
    with serving(loki({WEB: lines})) as server:
        found = read(source(server.url, page_lines=50, max_lines=100), newest=newest)
    assert len(found.lines) == 100
    assert "cut at 100 lines" in found.cut
    assert kept in [line.text for line in found.lines]


def test_a_traceback_sent_line_by_line_is_one_event_with_the_severity_of_its_stream():
    trace = ["Traceback (most recent call last):", '  File "load.py", line 3', "KeyError: 'amount'"]
    lines = [(ns(n), text) for n, text in enumerate(["loading", *trace, "went on"])]
    with serving(loki({LOADER: lines, WEB: [(ns(1), "GET / 200")]})) as server:
        found = read(source(server.url))
    (event,) = [line for line in found.lines if "KeyError" in line.text]
    assert event.text.startswith("loading\nTraceback")
    assert event.severity == "error"
    assert [line.text for line in found.lines][-1] == "went on"
    assert {line.severity for line in found.lines if "GET" in line.text} == {"unknown"}


def test_json_lines_give_their_message_and_level():
    line = '{"ts": "2026-03-01T12:00:05Z", "level": "warn", "msg": "pool is empty", "err": "EOF"}'
    with serving(loki({WEB: [(ns(5), line)]})) as server:
        (found,) = read(source(server.url)).lines
    assert (found.severity, found.text) == ("warning", "pool is empty err=EOF")
    assert found.at == NOON.timestamp() + 5


def test_it_says_who_it_is_to_whom_and_asks_for_one_component():
    with serving(loki({WEB: [(ns(1), "x")]})) as server:
        held = source(
            server.url,
            lambda: {"Authorization": "Bearer s3cret"},
            tenant="team-a",
            query='{app="$component"}',
        )
        assert held.targets(["model", "transactions", "payments"]) == ("transactions", "payments")
        held.lines('tr"ans', NOON, NOON + timedelta(minutes=1))
    (asked,) = server.asked
    assert asked.path == "/loki/api/v1/query_range"
    assert asked.headers["Authorization"] == "Bearer s3cret"
    assert asked.headers["X-Scope-OrgID"] == "team-a"
    assert asked.params["query"] == '{app="tr\\"ans"}'
    assert (int(asked.params["start"]), int(asked.params["end"])) == (ns(0), ns(60))


@pytest.mark.parametrize(("fault", "said"), FAULTS, ids=NAMES)
def test_a_server_in_trouble_is_an_error_in_our_words(fault, said):
    with serving(fault) as server, pytest.raises(PortError, match=said) as failed:
        read(source(server.url, lambda: {"Authorization": "Bearer s3cret"}))
    assert "hello" not in str(failed.value)
    assert "s3cret" not in str(failed.value)


def test_a_server_that_fails_after_a_page_leaves_what_it_gave():
    good = loki({WEB: [(ns(n), f"line {n}") for n in range(50)]})

    def answer(wire, asked):
        (good if len(wire.server.asked) < 3 else status(500))(wire, asked)

    with serving(answer) as server:
        found = read(source(server.url, page_lines=10))
    assert len(found.lines) == 19
    assert "500" in found.cut


def test_a_metric_query_and_a_wrong_one_are_told_from_a_server_in_trouble():
    matrix = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    with serving(status(200, matrix)) as server, pytest.raises(PortError, match="metric query"):
        read(source(server.url))
    with serving(status(400)) as server, pytest.raises(PortError, match="refused the query"):
        read(source(server.url))


def test_nobody_there_is_an_error_that_names_the_host():
    with pytest.raises(PortError, match=r"127\.0\.0\.1 can't be read"):
        read(source("http://127.0.0.1:9"))


def test_the_check_says_whether_lines_came_lately():
    with serving(loki({WEB: [(ns(1), "x")]})) as server:
        assert source(server.url).check(NOON + timedelta(minutes=1)) == "answers"
        assert "no line" in source(server.url).check(NOON + timedelta(hours=1))
