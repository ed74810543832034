"""What every log source promises, whatever it reads: one suite for files, Loki and a cluster."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.elastic_logs import ElasticLogSource
from agentops_graph.adapters.file_logs import FileLogSource
from agentops_graph.adapters.loki_logs import LokiLogSource
from agentops_graph.domain.sources.logs import ElasticLogs, FileLogs, LokiLogs
from agentops_graph.guarded_http import GuardedHttp, Rules
from tests.adapters.log_wire import elastic, loki, serving

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOLD = [
    (NOON - timedelta(minutes=1), "info", "before"),
    *((NOON + timedelta(seconds=n), "info", f"line {n}") for n in range(300)),
    (NOON + timedelta(minutes=10), "error", "load failed"),
    (NOON + HOUR, "info", "at the end, which is not included"),
]
NAMED = {"name": "loader", "components": ["transactions"], "max_lines": 100}


def documents():
    return [
        (at, {"ts": at.isoformat(), "level": level, "message": said}) for at, level, said in TOLD
    ]


@pytest.fixture(params=["files", "loki", "elasticsearch"])
def open_source(request, tmp_path):
    """The same lines behind each kind of source, made with what a test declares."""
    if request.param == "files":
        path = tmp_path / "loader.log"
        path.write_text("".join(json.dumps(document) + "\n" for _, document in documents()))
        at = (NOON + 2 * HOUR).timestamp()
        os.utime(path, (at, at))

        def files(**more):
            given = NAMED | {"kind": "files", "path": "loader.log"} | more
            return FileLogSource(FileLogs.model_validate(given), tmp_path)

        yield files
    elif request.param == "loki":
        lines = [(int(at.timestamp()) * 10**9, json.dumps(d)) for at, d in documents()]
        with serving(loki({(("app", "loader"),): lines})) as server:

            def of_loki(**more):
                given = NAMED | {"kind": "loki", "url": server.url, "query": "{a=~'.+'}"} | more
                declared = LokiLogs.model_validate(given | {"page_lines": 40})
                return LokiLogSource(declared, GuardedHttp(Rules()))

            yield of_loki
    else:
        held = [(int(at.timestamp() * 1000), document) for at, document in documents()]
        with serving(elastic(held)) as server:

            def of_cluster(**more):
                given = NAMED | {"kind": "elasticsearch", "url": server.url, "index": "x"} | more
                declared = ElasticLogs.model_validate(given | {"page_lines": 40})
                return ElasticLogSource(declared, GuardedHttp(Rules()))

            yield of_cluster


def test_the_span_is_read_in_order_without_its_end(open_source):
    read = open_source(max_lines=1000).lines("transactions", NOON, NOON + HOUR)
    assert [line.text for line in read.lines] == [f"line {n}" for n in range(300)] + ["load failed"]
    assert [line.at for line in read.lines[:3]] == [NOON.timestamp() + n for n in range(3)]
    assert read.lines[-1].severity == "error"
    assert {line.severity for line in read.lines[:-1]} == {"info"}
    assert read.cut == ""


@pytest.mark.parametrize(
    ("newest", "ends"),
    [(False, ("line 0", "line 99")), (True, ("line 201", "load failed"))],
    ids=["first", "newest"],
)
def test_too_many_lines_leave_the_end_that_was_asked_for_and_are_told(open_source, newest, ends):
    read = open_source().lines("transactions", NOON, NOON + HOUR, newest=newest)
    assert len(read.lines) == 100
    assert (read.lines[0].text, read.lines[-1].text) == ends
    assert "100 lines" in read.cut


def test_a_span_without_a_line_is_empty_and_no_error(open_source):
    since = NOON + timedelta(minutes=20)
    read = open_source().lines("transactions", since, since + timedelta(minutes=5))
    assert (read.lines, read.cut) == ([], "")


def test_it_speaks_of_what_was_declared_and_of_nothing_else(open_source):
    held = open_source(components=["a", "b"])
    assert held.name == "loader"
    assert held.targets(["x"]) == ()
    assert held.targets(["x", "b", "a"]) == ("b",)  # one answer for all that it speaks of


def test_reading_twice_gives_the_same(open_source):
    held = open_source()
    span = ("transactions", NOON, NOON + HOUR)
    assert held.lines(*span) == held.lines(*span)
