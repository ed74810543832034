"""A query on a search cluster: every document of the span once, in order, or an honest error."""

from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.elastic_logs import ElasticLogSource
from agentops_graph.domain.sources.logs import ElasticLogs
from agentops_graph.errors import PortError
from agentops_graph.guarded_http import GuardedHttp, Rules
from tests.adapters.log_wire import FAULTS, NAMES, elastic, serving, status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ms(seconds):
    return int(NOON.timestamp() * 1000 + seconds * 1000)


def source(url, credentials=dict, **more):
    given = {"name": "loader", "kind": "elasticsearch", "components": ["transactions", "payments"]}
    given |= {"url": url, "index": "logs-*", "timeout_s": 0.5, "max_bytes": 1_000_000}
    declared = ElasticLogs.model_validate(given | more)
    return ElasticLogSource(declared, GuardedHttp(Rules()), credentials)


def read(held, minutes=60, **more):
    return held.lines("transactions", NOON, NOON + timedelta(minutes=minutes), **more)


@pytest.mark.parametrize("newest", [False, True])
def test_pages_give_every_document_once_though_several_share_a_moment(newest):
    held = [(ms(n // 3), {"message": f"line {n}", "log": {"level": "info"}}) for n in range(100)]
    with serving(elastic(held)) as server:
        found = read(source(server.url, page_lines=7), newest=newest)
    assert sorted(int(line.text[5:]) for line in found.lines) == list(range(100))
    assert [line.at for line in found.lines] == sorted(line.at for line in found.lines)
    assert found.cut == ""
    assert all("search_after" in asked.document for asked in server.asked[1:])


def test_a_moment_with_more_documents_than_a_page_ends_and_is_told():
    held = [(ms(5), {"message": f"line {n}"}) for n in range(20)] + [(ms(6), {"message": "last"})]
    with serving(elastic(held)) as server:
        found = read(source(server.url, page_lines=7))
    assert "one moment" in found.cut
    assert found.lines[-1].text == "last"


def test_a_document_gives_message_level_and_error_wherever_they_are_kept():
    held = [
        (ms(1), {"message": "flat", "log.level": "ERROR"}),
        (ms(2), {"message": "nested", "log": {"level": "warn"}, "error": {"message": "no column"}}),
        (ms(3), {"other": "no message"}),
        (ms(4), {"severity": 3, "msg": "by number"}),
    ]
    with serving(elastic(held)) as server:
        found = read(source(server.url)).lines
    assert [(line.severity, line.text) for line in found] == [
        ("error", "flat"),
        ("warning", "nested error=no column"),
        ("unknown", '{"other": "no message"}'),
        ("error", "by number"),
    ]
    assert [line.at - NOON.timestamp() for line in found] == [1, 2, 3, 4]


def test_it_asks_with_its_key_for_one_component_and_reads_only():
    with serving(elastic([])) as server:
        held = source(
            server.url, lambda: {"Authorization": "ApiKey s3cret"}, query="service:$component"
        )
        held.lines("pay:ments", NOON, NOON + timedelta(minutes=1))
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/logs-*/_search")
    assert asked.headers["Authorization"] == "ApiKey s3cret"
    span, query = asked.document["query"]["bool"]["filter"]
    assert span["range"]["@timestamp"]["gte"] == ms(0)
    assert query["query_string"]["query"] == "service:pay\\:ments"


@pytest.mark.parametrize(("fault", "said"), FAULTS, ids=NAMES)
def test_a_cluster_in_trouble_is_an_error_in_our_words(fault, said):
    with serving(fault) as server, pytest.raises(PortError, match=said) as failed:
        read(source(server.url, lambda: {"Authorization": "ApiKey s3cret"}))
    assert "hello" not in str(failed.value)
    assert "s3cret" not in str(failed.value)


def test_a_partial_answer_is_told():
    held = [(ms(1), {"message": "x"})]
    with serving(elastic(held, _shards={"total": 5, "failed": 2})) as server:
        assert "2 of 5 shards" in read(source(server.url)).cut
    with serving(elastic(held, timed_out=True)) as server:
        assert "partial" in read(source(server.url)).cut


def test_a_query_that_is_refused_is_told_from_a_cluster_in_trouble():
    with serving(status(400)) as server, pytest.raises(PortError, match="refused the query"):
        read(source(server.url))


def test_the_check_says_whether_lines_came_lately():
    with serving(elastic([(ms(1), {"message": "x"})])) as server:
        assert source(server.url).check(NOON + timedelta(minutes=1)) == "answers"
        assert "no line" in source(server.url).check(NOON + timedelta(hours=1))
