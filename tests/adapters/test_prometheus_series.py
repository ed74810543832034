"""Prometheus on the wire: what its answers mean, and answers that never come or make no sense."""

import json
import logging
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.prometheus_series import PromApi, PrometheusSeries, PrometheusTrials
from agentops_graph.adapters.prometheus_series.answers import RefusedQueryError, points_in
from agentops_graph.adapters.prometheus_series.kept import KeptPoints
from agentops_graph.domain.sources.prometheus import PrometheusSource
from agentops_graph.errors import InputError, UnavailableError
from tests.prometheus_wire import prometheus_wire

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
P95 = "histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[$step])))"
ASKED = P95.replace("$step", "60s")


@pytest.fixture(scope="module")
def running():
    with prometheus_wire() as (world, url):
        yield world, url
        world.released.set()


@pytest.fixture
def world(running):
    held, _ = running
    held.__init__()
    yield held
    held.released.set()


@pytest.fixture
def reads(running, world):
    def make(*, measures=None, now=NOW, server=None, secret=None, rest_s=0.0, **component):
        declared = {"agent_metrics": measures or {"latency_p95": {"query": P95, "scale": 1000}}}
        source = PrometheusSource.model_validate(
            {
                "servers": [{"url": running[1], "timeout_s": 10, **(server or {})}],
                "components": {"bot": declared | component},
            }
        )
        api = PromApi(source.servers[0], secret, rest_s=rest_s)
        return PrometheusSeries(
            source,
            {"prometheus": api},
            lambda *path: f"sources.yaml:7 {path[-1]}",
            now=now.timestamp,
        )

    return make


def latency(reader, since=NOW - HOUR, until=NOW):
    return reader.series("agent_metrics", "bot", since, until)


def test_a_query_becomes_a_column_in_our_unit_on_whole_steps(world, reads):
    world.series[ASKED] = [({}, lambda at: 0.25)]
    odd = timedelta(seconds=17)
    found = latency(reads(), NOW - HOUR + odd, NOW + odd)
    assert len(found) == 60
    assert (found.timestamps % 60 == 0).all()
    assert (NOW - HOUR + odd).timestamp() <= found.timestamps[0]
    assert found.timestamps[-1] < (NOW + odd).timestamp()
    assert set(found.columns["latency_p95"]) == {250.0}


def test_the_end_of_a_window_is_not_in_it(world, reads):
    world.series[ASKED] = [({}, lambda at: 1.0)]
    assert latency(reads()).timestamps[-1] == NOW.timestamp() - 60


def test_columns_of_several_queries_share_their_rows_and_gaps_stay_gaps(world, reads):
    start = (NOW - HOUR).timestamp()
    world.series["slow"] = [({}, lambda at: 2.0 if at < start + 1800 else None)]
    world.series["rate"] = [({}, lambda at: 0.1 if at >= start + 600 else None)]
    found = latency(reads(measures={"latency_p95": "slow", "error_rate": "rate"}))
    assert len(found) == 60
    assert np.isfinite(found.columns["latency_p95"]).sum() == 30
    assert np.isfinite(found.columns["error_rate"]).sum() == 50


@pytest.mark.parametrize("odd", ["NaN", "+Inf", "-Inf", "1e300"])
def test_what_is_no_figure_is_no_point(world, reads, odd):
    world.series[ASKED] = [({}, lambda at: 1.5 if at % 120 else odd)]
    found = latency(reads())
    assert len(found) == 30
    assert set(found.columns["latency_p95"]) == {1500.0}


def test_a_series_that_prometheus_does_not_have_is_empty(reads, world):
    found = latency(reads())
    assert len(found) == 0
    assert list(found.columns) == ["latency_p95"]


def test_a_fortnight_is_asked_for_in_pieces_that_the_server_gives(world, reads):
    world.series[ASKED] = [({"job": "bot"}, lambda at: at / 1e9)]
    found = latency(reads(), NOW - timedelta(days=14))
    assert len(found) == 14 * 24 * 60
    assert (np.diff(found.timestamps) == 60).all()
    assert len(world.asked) == 3


def test_several_series_are_refused_and_named(world, reads):
    def two(at):
        return 1.0

    world.series[ASKED] = [({"pod": f"bot-{n}", "zone": "a"}, two) for n in range(5)]
    with pytest.raises(RefusedQueryError) as refused:
        latency(reads())
    said = str(refused.value)
    assert said.startswith("sources.yaml:7 latency_p95: bot latency_p95: the query gives 5 series")
    assert "pod=bot-0, zone=a" in said
    assert "and 2 more" in said
    assert "`aggregate`" in said


def test_a_pod_and_the_one_that_took_its_place_are_one_series(world, reads):
    change = NOW.timestamp() - 1800
    world.series[ASKED] = [
        ({"pod": "bot-2"}, lambda at: 0.2 if at >= change else None),
        ({"pod": "bot-1"}, lambda at: 0.1 if at < change else None),
    ]
    found = latency(reads())
    assert found.columns["latency_p95"].tolist() == [100.0] * 30 + [200.0] * 30


def test_an_aggregate_is_done_by_the_server(world, reads):
    world.series["max(up)"] = [({}, lambda at: 3.0)]
    found = latency(reads(measures={"latency_p95": {"query": "up", "aggregate": "max"}}))
    assert set(found.columns["latency_p95"]) == {3.0}


def test_bad_promql_is_told_with_its_line(reads, world):
    with pytest.raises(RefusedQueryError, match=r"sources\.yaml:7 latency_p95.*1:7: parse error"):
        latency(reads(measures={"latency_p95": "parse error here"}))


TROUBLES = {
    "silent": "nothing within 0.4 s",
    "drip": "not answered in full after 0.4 s",
    "huge": "more than 8 MiB",
    "truncated": "gave no answer",
    (401, b"no"): "refuses the credentials",
    (403, b"{}"): "refuses the credentials",
    (404, b"404 page not found"): "look at its url",
    (429, b'{"status":"error","error":"slow down"}'): "answered 429: slow down",
    (500, b"<html>oops</html>"): "answered 500: <html>oops</html>",
    (503, b'{"status":"error","errorType":"timeout","error":"query timed out"}'): "timed out",
    (302, b"", (("Location", "http://127.0.0.1:9/"),)): "answered 302",
    (400, b"garbage"): "answered 400: garbage",
    (200, b"<html>a login page</html>"): "not Prometheus's",
    (200, b"[1, 2]"): "not Prometheus's",
    (200, b"[" * 100_000): "not Prometheus's",
    (200, b'{"status":"success","data":{"resultType":"matrix","result":[{"values":7}]}}'): (
        "another form of data"
    ),
    (200, b'{"status":"success","data":{"resultType":"matrix","result":null}}'): "another form",
    (200, b'{"status":"success","data":{"resultType":"string","result":[1,"a"]}}'): "no number",
    (
        200,
        b'{"status":"success","data":{"resultType":"matrix","result":'
        b'[{"metric":{},"values":[[9,"1"],[3,"2"]]}]}}',
    ): "another form",
    (
        200,
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"histograms":'
        b"[]}]}}",
    ): "histogram_quantile",
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: str(t)[:60])
def test_trouble_is_never_an_empty_answer(world, reads, trouble):
    never_ends = trouble in ("silent", "drip")
    reader = reads(server={"timeout_s": 0.4 if never_ends else 10})
    world.trouble = trouble
    with pytest.raises(UnavailableError, match=TROUBLES[trouble]) as told:
        latency(reader)
    assert len(str(told.value)) < 900


def test_a_server_that_comes_back_is_read_again(world, reads):
    world.series[ASKED] = [({}, lambda at: 1.0)]
    reader = reads()
    world.trouble = (500, b"")
    with pytest.raises(UnavailableError):
        latency(reader)
    world.trouble = None
    assert len(latency(reader)) == 60


def test_a_server_that_is_gone_is_not_asked_again_for_a_while():
    source = PrometheusSource.model_validate(
        {
            "servers": [{"url": "http://127.0.0.1:9"}],
            "components": {"bot": {"agent_metrics": {"requests": "x"}}},
        }
    )
    api = PromApi(source.servers[0])
    for said in ("gave no answer", "not asked again for a few seconds"):
        with pytest.raises(UnavailableError, match=said):
            api.version()


def test_a_connection_that_broke_is_tried_once_more(world, reads):
    reader = reads()
    world.trouble = "truncated"
    with pytest.raises(UnavailableError):
        latency(reader)
    assert len(world.asked) == 2


def test_two_answers_that_never_came_are_enough(world, reads):
    reader = reads(rest_s=60, server={"timeout_s": 0.3})
    world.trouble = "silent"
    for _ in range(3):
        with pytest.raises(UnavailableError):
            latency(reader)
    assert len(world.asked) == 2


def test_a_part_of_the_data_is_not_the_data(world, reads, caplog):
    world.series[ASKED] = [({}, lambda at: 1.0)]
    world.warnings = ["PromQL info: metric might not be a counter"]
    with caplog.at_level(logging.WARNING):
        assert len(latency(reads())) == 60
    assert "might not be a counter" in caplog.text
    world.warnings = ["store 10.0.0.7 is unavailable; results may be partial"]
    with pytest.raises(UnavailableError, match="in part only: store"):
        latency(reads())


def test_what_was_read_is_not_asked_for_again_but_for_the_last_minutes(world, reads):
    world.series[ASKED] = [({}, lambda at: at)]
    reader = reads()
    first = latency(reader, NOW - timedelta(hours=24))
    again = latency(reader, NOW - timedelta(hours=24))
    assert first.columns["latency_p95"].tolist() == again.columns["latency_p95"].tolist()
    (_, whole, _), (_, rest, _) = world.asked
    assert float(whole["end"]) - float(whole["start"]) == 24 * 3600 - 60
    assert float(rest["start"]) == NOW.timestamp() - 600
    longer = latency(reader, NOW - timedelta(hours=30))
    assert len(longer) == 30 * 60
    assert (np.diff(longer.timestamps) == 60).all()
    assert float(world.asked[2][1]["end"]) == (NOW - timedelta(hours=24)).timestamp() - 60


def test_a_point_that_came_late_is_still_seen(world, reads):
    world.series[ASKED] = [({}, lambda at: None if at >= NOW.timestamp() - 300 else 1.0)]
    reader = reads()
    assert len(latency(reader)) == 55
    world.series[ASKED] = [({}, lambda at: 1.0)]
    assert len(latency(reader)) == 60


def test_kept_points_are_bounded():
    kept = KeptPoints(most=100)

    def read(first, end):
        places = np.arange(first, end)
        return places, places.astype(float)

    for query in range(5):
        kept.between(query, 0, 40, oldest=0, settled=40, read=read)
    assert list(kept._spans) == [3, 4]


def test_a_look_into_the_long_past_costs_nothing_that_was_kept():
    kept, asked = KeptPoints(), []

    def read(first, end):
        asked.append((first, end))
        return np.arange(first, end), np.zeros(end - first)

    for first, end in ((500, 600), (10, 20), (500, 601)):
        kept.between("q", first, end, oldest=400, settled=600, read=read)
    assert asked == [(500, 600), (10, 20), (600, 601)]


def test_gaps_between_what_was_read_are_read():
    kept, asked = KeptPoints(), []

    def read(first, end):
        asked.append((first, end))
        places = np.arange(first, end)
        return places, places.astype(float)

    for first, end in ((100, 200), (300, 400), (150, 350), (90, 420)):
        places, _ = kept.between("q", first, end, oldest=0, settled=1000, read=read)
        assert places.tolist() == list(range(first, end))
    assert asked == [(100, 200), (300, 400), (150, 300), (90, 150), (400, 420)]


def test_a_long_query_is_posted(world, reads):
    query = "sum(" + "x" * 5000 + ")"
    world.series[query] = [({}, lambda at: 1.0)]
    assert len(latency(reads(measures={"requests": query}))) == 60


def test_a_token_travels_in_its_header_and_stays_out_of_what_is_told(world, reads):
    reader = reads(server={"token_env": "PROM_TOKEN", "org_id": "payments"}, secret="s3cret-token")
    world.trouble = (401, b"bad token s3cret-token")
    with pytest.raises(UnavailableError) as told:
        latency(reader)
    headers = world.asked[0][2]
    assert headers["Authorization"] == "Bearer s3cret-token"
    assert headers["X-Scope-OrgID"] == "payments"
    assert "s3cret" not in str(told.value)


def test_a_user_and_a_password_are_sent_as_basic(world, reads):
    reader = reads(server={"user": "mia", "password_env": "PROM_PASSWORD"}, secret="pw")
    latency(reader)
    assert world.asked[0][2]["Authorization"] == "Basic bWlhOnB3"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://prometheus.internal:9090", "must begin with https://"),
        ("ftp://127.0.0.1", "no http address"),
        ("http://mia:pw@127.0.0.1:9090", "password belongs into a variable"),
    ],
)
def test_an_address_that_would_give_something_away_is_refused(url, said):
    source = {"servers": [{"url": url}], "components": {"bot": {"infrastructure": {"cpu": "x"}}}}
    server = PrometheusSource.model_validate(source).servers[0]
    with pytest.raises(InputError, match=said) as refused:
        PromApi(server, place="sources.yaml:3")
    assert str(refused.value).startswith("sources.yaml:3: ")
    assert "pw@" not in str(refused.value)


def test_a_file_of_certificates_that_is_none_is_refused(tmp_path):
    (tmp_path / "ca.pem").write_text("not a certificate")
    source = {
        "servers": [{"url": "https://127.0.0.1", "ca_file": "ca.pem"}],
        "components": {"bot": {"infrastructure": {"cpu": "x"}}},
    }
    with pytest.raises(InputError, match="no certificates"):
        PromApi(PrometheusSource.model_validate(source).servers[0], folder=tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        {"resultType": "scalar", "result": [1, "2.5"]},
        {"resultType": "vector", "result": [{"metric": {}, "value": [1, "2.5"]}]},
        {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "2.5"]]}]},
    ],
)
def test_scalar_vector_and_matrix_say_the_same(data):
    (points,) = points_in(json.loads(json.dumps(data)))
    assert (points.times.tolist(), points.values.tolist()) == ([1.0], [2.5])


def test_infrastructure_is_read_by_name(world, reads):
    world.series["cpu"] = [({}, lambda at: 0.5)]
    reader = reads(infrastructure={"cpu": "cpu"})
    assert list(reader.figures("bot")) == ["cpu"]
    assert list(reader.figures("other")) == []
    found = reader.figure("bot", "cpu", NOW - HOUR, NOW)
    assert set(found.columns["cpu"]) == {0.5}


def trials(reader):
    return {trial.what: trial for trial in PrometheusTrials(reader).trials()}


def test_trying_out_tells_what_each_query_gives(world, reads):
    now = datetime.now(UTC)
    world.series |= {
        ASKED: [({}, lambda at: 0.25)],
        "many": [({"pod": "1"}, lambda at: 1), ({"pod": "2"}, lambda at: 1)],
        "stale": [({}, lambda at: 1 if at < now.timestamp() - 1800 else None)],
    }
    measures = {
        "latency_p95": {"query": P95, "scale": 1000},
        "error_rate": "nothing",
        "requests": "many",
        "memory_mb": "stale",
        "total_cost": "parse error",
    }
    found = trials(reads(measures=measures, now=now))
    assert (found["server prometheus"].state, found["server prometheus"].seen) == (
        "ok",
        "Prometheus 2.42.0",
    )
    good = found["bot latency_p95"]
    assert (good.state, good.points, good.newest) == ("ok", 60, 250.0)
    assert 0 <= (now - good.newest_at).total_seconds() <= 61
    assert (found["bot error_rate"].state, found["bot error_rate"].points) == ("degraded", 0)
    assert found["bot memory_mb"].state == "degraded"
    assert "still scraped" in found["bot memory_mb"].mend
    assert "2 series" in found["bot requests"].seen
    assert found["bot total_cost"].state == "broken"
    assert found["bot total_cost"].place == "sources.yaml:7 total_cost"


def test_a_server_that_is_down_is_one_line_and_not_one_per_query(world, reads):
    world.trouble = (502, b"bad gateway")
    (only,) = trials(reads()).values()
    assert only.state == "broken"
    assert "answered 502: bad gateway" in only.seen


def test_a_server_without_build_information_is_still_a_server(world, reads):
    world.series[ASKED] = [({}, math.sin)]
    api = reads().servers["prometheus"]
    world.trouble = (404, b"not here")
    assert api.version() == ""
