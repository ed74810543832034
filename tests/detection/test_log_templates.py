"""Lines of one form are one template; what is new since the onset comes first."""

import random
import time

import pytest

from agentops_graph.detection.logs.masks import headline, masked
from agentops_graph.detection.logs.ranking import TELLING, Spans, ranked, signals
from agentops_graph.detection.logs.templates import MOST_TEMPLATES, REST, TemplateTree
from agentops_graph.domain.evidence import SIGNALS
from agentops_graph.domain.log import LogLine

ONSET = 1_772_366_400.0
HOUR = Spans(3600, 3600)


def lines(*texts, severity="info", at=ONSET, every_s=1.0):
    return [LogLine(at + n * every_s, severity, text) for n, text in enumerate(texts)]


def tree_of(*groups):
    tree = TemplateTree(ONSET)
    for group in groups:
        tree.add(group)
    return tree.templates


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("loaded 17 rows in 0.42s", "loaded <num> rows in <num>"),
        ("job 3fa85f64-5717-4562-b3fc-2c963f66afa6 ended", "job <uuid> ended"),
        ("object 0x7f3a at deadbeef01", "object <hex> at <hex>"),
        ("GET /api/v1/users/42?x=1 from 10.0.0.7:443", "GET <path>?x=<num> from <ip>"),
        ("KeyError: 'amount' in \"a b c\"", "KeyError: <quoted> in <quoted>"),
        ("asked https://x.example/a?b=1 at 2026-03-01T12:00:00Z", "asked <url> at <time>"),
        ("mail to mia@x.example, used 97%", "mail to <mail>, used <num>"),
        ("worker-12 can't read C:\\logs\\a.txt", "worker-<num> can't read <path>"),
        ("the feed is bad", "the feed is bad"),
    ],
)
def test_what_changes_from_line_to_line_is_masked(line, form):
    assert masked(line) == form


def test_the_last_line_of_a_traceback_decides_its_template():
    trace = "load failed\nTraceback (most recent call last):\n  File 'x'\nKeyError: 'amount'\n"
    assert headline(trace) == "load failed | KeyError: 'amount'"


def test_lines_of_one_form_are_one_template_with_its_counts_and_times():
    before = lines(*(f"loaded batch {n} of shop-{n}" for n in range(5)), at=ONSET - 100)
    since = lines(*(f"loaded batch {n} of shop-{n}" for n in range(3)), at=ONSET + 10)
    (template,) = tree_of(since, before)
    assert template.text == "loaded batch <num> of shop-<num>"
    assert (template.before, template.since) == (5, 3)
    assert (template.first, template.last) == (ONSET + 10, ONSET + 12)
    assert template.sample == "loaded batch 0 of shop-0"


def test_names_are_parameters_and_outcomes_are_not():
    users = lines(*(f"session of user {n} was opened on node a" for n in ("bob", "eve", "mia")))
    ends = lines("load of the daily batch finished", "load of the daily batch failed")
    assert [t.text for t in tree_of(users, ends)] == [
        "session of user <*> was opened on node a",
        "load of the daily batch finished",
        "load of the daily batch failed",
    ]


def test_the_same_words_in_another_severity_are_another_template():
    held = tree_of(lines("connection closed"), lines("connection closed", severity="error"))
    assert [t.severity for t in held] == ["info", "error"]


def test_random_text_ends_in_one_template_instead_of_all_memory():
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghij", k=9)) for _ in range(50_000)]
    held = tree_of(lines(*(" ".join(words[n : n + 5]) for n in range(0, 40_000, 5))))
    assert len(held) <= MOST_TEMPLATES + 1
    assert any(t.text == REST for t in held)
    assert sum(t.since for t in held) == 8000


def test_new_faults_come_first_then_risen_then_what_is_gone():
    before = [
        *lines(*["GET <x>"] * 600, at=ONSET - 3000),
        *lines(*["slow query"] * 3, severity="warning", at=ONSET - 3000),
        *lines(*["loaded all"] * 60, at=ONSET - 3000),
    ]
    since = [
        *lines(*["GET <x>"] * 620),
        *lines(*["slow query"] * 40, severity="warning"),
        *lines("no such table", severity="error"),
        *lines(*["hello"] * 50),
    ]
    found = ranked(tree_of(before, since), HOUR)
    assert [(one.standing, one.template.text) for one in found] == [
        ("new", "no such table"),
        ("new", "hello"),
        ("risen", "slow query"),
        ("gone", "loaded all"),
        ("steady", "GET <x>"),
    ]


@pytest.mark.parametrize(("before", "since", "standing"), [(1, 4, "steady"), (0, 1, "new")])
def test_a_handful_more_is_no_rise(before, since, standing):
    held = tree_of(lines(*["x"] * before, at=ONSET - 50), lines(*["x"] * since))
    assert ranked(held, HOUR)[0].standing == standing


def test_a_longer_time_since_the_onset_is_no_rise_by_itself():
    held = tree_of(lines(*["tick"] * 60, at=ONSET - 3600), lines(*["tick"] * 360))
    assert ranked(held, Spans(3600, 6 * 3600))[0].standing == "steady"


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ('psycopg.errors.UndefinedColumn: column "amount" does not exist', "log_schema_errors"),
        ("KeyError: 'amount'", "log_schema_errors"),
        ("could not parse row 17 as a number", "log_schema_errors"),
        ("ReadTimeout: timed out after 30 s", "log_timeouts"),
        ("context deadline exceeded", "log_timeouts"),
        ("GET /v2/orders: HTTP 401 Unauthorized", "log_auth_errors"),
        ("the access token has expired", "log_auth_errors"),
        ("java.lang.OutOfMemoryError: Java heap space", "log_out_of_memory"),
        ("write /data: no space left on device", "log_disk_full"),
        ("status code: 429, too many requests", "log_rate_limited"),
        ("dial tcp 10.0.0.5:5432: connect: connection refused", "log_connection_errors"),
        ("getaddrinfo ENOTFOUND vendor.example", "log_connection_errors"),
    ],
)
def test_usual_words_of_failures_give_their_signal_alone(text, signal):
    usual = lines(*["well"] * 5, at=ONSET - 50)
    given = signals(ranked(tree_of(usual, lines(text, severity="error")), HOUR))
    told = {name for name, strength in given.items() if strength > 0}
    assert told == {"log_errors_new", signal}


def test_old_faults_and_plain_words_give_no_signal():
    same = "connection refused by replica"
    held = tree_of(
        lines(*[same] * 50, severity="error", at=ONSET - 100),
        lines(*[same] * 50, severity="error"),
        lines("retrying after a timeout was configured"),
    )
    given = signals(ranked(held, HOUR))
    assert set(given.values()) == {-1.0}
    assert set(given) == {*TELLING, "log_errors_new", "log_silent"} <= set(SIGNALS)


def test_a_log_that_fell_silent_says_so_and_nothing_else():
    assert signals(ranked(tree_of(lines("x", at=ONSET - 9)), HOUR)) == {"log_silent": 1.0}
    assert signals([]) == {}


def test_without_lines_before_newness_counts_half():
    given = signals(ranked(tree_of(lines("disk is full", severity="error")), HOUR))
    assert given["log_errors_new"] == given["log_disk_full"] == 0.5


@pytest.mark.parametrize(
    "text", ["a" * 400, "'" * 399, "/" * 400, "1." * 200, "\\" * 400, "@a." * 99]
)
def test_no_line_takes_long(text):
    begun = time.perf_counter()
    for _ in range(20):
        held = tree_of(lines(text, severity="error"))
        signals(ranked(held, HOUR))
    assert time.perf_counter() - begun < 0.5
