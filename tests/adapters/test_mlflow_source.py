"""Runs and traces of a real MLflow store, read as metrics and requests."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.joined_warehouse import JoinedWarehouse
from agentops_graph.adapters.mlflow_registry import (
    MlflowRunMetrics,
    MlflowStore,
    MlflowTraceLog,
    MlflowTrials,
)
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.component import Component
from agentops_graph.domain.sources.mlflow import MlflowSource
from agentops_graph.errors import UnavailableError
from agentops_graph.gathering.measure import measure
from agentops_graph.monitor import tick
from agentops_graph.settings import read_settings
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

pytestmark = QUIET
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOURCE = MlflowSource.model_validate(
    {
        "runs": {
            "fraud": {
                "experiment": "evaluations",
                "tags": {"stage": "production"},
                "metrics": {"f1": "eval/f1", "business_score": "score"},
            }
        },
        "traces": {"bot": {"experiment": "support-bot", "tags": {"env": "prod"}}},
    }
)


@pytest.fixture
def store(mlflow_store):  # noqa: F811 - the fixture
    mlflow_store.fluent("support-bot")
    mlflow_store.experiment("evaluations")
    return mlflow_store


class Agent:
    """A small agent that MLflow traces, at times that the test says."""

    def __init__(self, store):
        self.experiment = store.fluent("support-bot")

    def answers(self, at, *, took_ms=200.0, fails=False, env="prod", session="s-1", ends=True):
        import mlflow
        from mlflow.tracing.constant import TraceMetadataKey

        begun = int(at.timestamp() * 1_000_000) * 1000
        span = mlflow.start_span_no_context(
            "agent",
            span_type="AGENT",
            inputs={"messages": [{"role": "user", "content": "where is my parcel?"}]},
            tags={"env": env, "version": "v7", "provider": "acme"},
            metadata={
                TraceMetadataKey.TRACE_SESSION: session,
                TraceMetadataKey.TOKEN_USAGE: json.dumps({"total_tokens": 321}),
                TraceMetadataKey.COST: json.dumps({"total_cost": 0.02}),
            },
            experiment_id=self.experiment,
            start_time_ns=begun,
        )
        span.set_outputs("it comes tomorrow")
        if ends:
            end = begun + int(took_ms * 1_000_000)
            span.end(status="ERROR" if fails else "OK", end_time_ns=end)
        return span.trace_id


def trace_log(store, now=NOW, **more):
    return MlflowTraceLog(store, SOURCE.traces, now=now.timestamp, **more)


def test_a_trace_is_a_request_with_its_figures(store):
    agent = Agent(store)
    agent.answers(NOW - 3 * HOUR)
    good = agent.answers(NOW - 0.5 * HOUR, took_ms=850)
    bad = agent.answers(NOW - 0.25 * HOUR, fails=True, session="s-2")
    agent.answers(NOW - 0.1 * HOUR, env="staging")
    calls = trace_log(store).calls("bot", NOW - HOUR, NOW)
    assert calls.ids == [good, bad]
    assert calls.timestamps.tolist() == [
        (NOW - 0.5 * HOUR).timestamp(),
        (NOW - 0.25 * HOUR).timestamp(),
    ]
    assert calls.latency_ms.tolist() == [850.0, 200.0]
    assert calls.failed.tolist() == [0.0, 1.0]
    assert calls.failure == ["", "the trace ended with an error"]
    assert (calls.session, calls.version) == (["s-1", "s-2"], ["v7", "v7"])
    assert calls.provider == ["acme", "acme"]
    assert calls.tokens.tolist() == [321.0, 321.0]
    assert calls.cost.tolist() == [0.02, 0.02]
    assert np.isnan(calls.progress).all()


def test_question_and_answer_are_those_of_the_previews(store):
    one = Agent(store).answers(NOW - 0.5 * HOUR)
    log = trace_log(store)
    for _ in range(2):
        found = log.exchanges("bot", NOW - HOUR, NOW, [one, "tr-unknown", "x' OR 1=1"])
        assert list(found) == [one]
        assert found[one].request == "where is my parcel?"
        assert found[one].response == "it comes tomorrow"
    assert log.exchanges("bot", NOW - HOUR, NOW - 0.8 * HOUR, [one]) == {}


def test_only_the_last_hour_is_searched_again(store):
    agent = Agent(store)
    agent.answers(NOW - 5 * HOUR)
    log = trace_log(store)
    assert len(log.calls("bot", NOW - 24 * HOUR, NOW)) == 1
    asked, client = [], store.client()
    real = client.search_traces

    def search_traces(**more):
        asked.append(more["filter_string"])
        return real(**more)

    client.search_traces = search_traces
    late = agent.answers(NOW - 0.9 * HOUR)
    agent.answers(NOW - 4 * HOUR)  # hours late: older than any request that is waited for
    calls = log.calls("bot", NOW - 24 * HOUR, NOW)
    assert calls.ids[-1] == late
    assert len(calls) == 2
    assert len(asked) == 1
    assert f"timestamp_ms >= {int((NOW - HOUR).timestamp() * 1000)}" in asked[0]
    assert len(log.calls("bot", NOW - 30 * HOUR, NOW)) == 3


def test_a_short_look_does_not_forget_the_day(store):
    agent = Agent(store)
    first = agent.answers(NOW - 20 * HOUR)
    log = trace_log(store)
    assert log.calls("bot", NOW - 24 * HOUR, NOW).ids == [first]
    assert log.calls("bot", NOW - 2 * HOUR, NOW).ids == []
    store.client().delete_traces(store.experiment("support-bot"), trace_ids=[first])
    assert log.calls("bot", NOW - 24 * HOUR, NOW).ids == [first]
    assert log.calls("bot", NOW - 25 * HOUR, NOW).ids == []


def test_of_too_many_traces_the_newest_count(store, caplog):
    agent = Agent(store)
    for minute in range(6):
        agent.answers(NOW - timedelta(minutes=minute + 1))
    calls = trace_log(store, most=4).calls("bot", NOW - HOUR, NOW)
    assert calls.timestamps.tolist() == [NOW.timestamp() - 60 * m for m in (4, 3, 2, 1)]
    assert "older ones are left out" in caplog.text


def test_pages_are_turned(store, monkeypatch):
    monkeypatch.setattr("agentops_graph.adapters.mlflow_registry.traces.PAGE", 2)
    agent = Agent(store)
    ids = [agent.answers(NOW - timedelta(minutes=m)) for m in (5, 4, 3, 2, 1)]
    assert trace_log(store).calls("bot", NOW - HOUR, NOW).ids == ids


def test_an_agent_that_breaks_is_an_alert_at_the_next_tick(store, tmp_path):
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "components.yaml").write_text("components:\n  - name: bot\n    kind: agent\n")
    (folder / "sources.yaml").write_text(
        f"mlflow:\n  tracking_uri: {store.uri}\n  traces:\n    bot: {{experiment: support-bot}}\n"
    )
    ports = Workshop(read_settings({}, home=folder, mlflow=False)).ports
    agent, now = Agent(store), datetime.now(UTC)
    for number in range(30):
        agent.answers(now - timedelta(minutes=55) + timedelta(minutes=number))
    quiet = tick(ports)
    assert (quiet.admissions, quiet.readings["bot"]["latency_p95"]) == ([], 200.0)
    assert quiet.readings["bot"]["tokens_per_request"] == 321
    for number in range(40):
        at = now - timedelta(minutes=20) + timedelta(seconds=20 * number)
        agent.answers(at, took_ms=4000, fails=number % 2 == 0)
    raised = {admission.alert.alert_type for admission in tick(ports).admissions}
    assert raised == {"latency", "provider_outage"}


def run(store, ended_at, *, stage="production", finished=True, **metrics):
    client = store.client()
    made = client.create_run(
        store.experiment("evaluations"),
        start_time=millis(ended_at - timedelta(minutes=5)),
        tags={"stage": stage},
    )
    for name, value in metrics.items():
        key = {"f1": "eval/f1"}.get(name, name)
        client.log_metric(made.info.run_id, key, value, timestamp=millis(ended_at))
    if finished:
        client.set_terminated(made.info.run_id, end_time=millis(ended_at))
    return made.info.run_id


def millis(at):
    return int(at.timestamp() * 1000)


def run_metrics(store, **more):
    runs = {name: held.model_copy(update=more) for name, held in SOURCE.runs.items()}
    return MlflowRunMetrics(store, runs)


def test_a_finished_run_is_a_row_at_its_end(store):
    run(store, NOW - 2 * HOUR, f1=0.5)
    run(store, NOW - 0.5 * HOUR, f1=0.93, score=7)
    run(store, NOW - 0.2 * HOUR, f1=0.91)
    run(store, NOW - 0.1 * HOUR, f1=0.1, stage="dev")
    run(store, NOW - 0.1 * HOUR, f1=0.1, finished=False)
    run(store, NOW - 0.1 * HOUR, f1=float("nan"))
    found = run_metrics(store).series("model_metrics", "fraud", NOW - HOUR, NOW)
    assert found.timestamps.tolist() == [
        (NOW - 0.5 * HOUR).timestamp(),
        (NOW - 0.2 * HOUR).timestamp(),
    ]
    assert found.columns["f1"].tolist() == [0.93, 0.91]
    assert found.columns["business_score"][0] == 7
    assert np.isnan(found.columns["business_score"][1])


def test_with_its_history_every_logged_value_is_a_row(store):
    one = run(store, NOW - 0.5 * HOUR, f1=0.9, finished=False)
    for minute, value in enumerate((0.8, 0.7), 1):
        at = NOW - timedelta(minutes=10 - minute)
        store.client().log_metric(one, "eval/f1", value, timestamp=millis(at), step=minute)
    run(store, NOW - 20 * HOUR, f1=0.2)
    found = run_metrics(store, history=True).series("model_metrics", "fraud", NOW - HOUR, NOW)
    assert found.columns["f1"].tolist() == [0.9, 0.8, 0.7]


def test_columns_are_those_of_the_section():
    runs = run_metrics(MlflowStore("http://127.0.0.1:9", "home"))
    assert runs.columns("model_metrics", "fraud") == {"f1", "business_score"}
    assert runs.columns("agent_metrics", "fraud") == set()
    assert runs.columns("model_metrics", "other") == set()


def test_runs_that_get_worse_raise_the_models_alert(store, tmp_path):
    for hour in range(2, 8):
        run(store, NOW - hour * HOUR, f1=0.93 + 0.001 * (hour % 3))
    for minute in (50, 30, 10):
        run(store, NOW - timedelta(minutes=minute), f1=0.7)
    joined = JoinedWarehouse(SqliteWarehouse(tmp_path / "none.db"), [run_metrics(store)])
    seen = measure(joined, Component(name="fraud"), NOW)
    (finding,) = seen.findings
    assert (finding.alert_type, finding.value) == ("accuracy_drop", 0.7)


@pytest.mark.parametrize("gone", ["experiment", "store", "server"])
def test_what_is_gone_is_never_nothing_that_happened(store, tmp_path, gone):
    if gone == "experiment":
        for name in ("support-bot", "evaluations"):
            store.client().delete_experiment(store.experiment(name))
    elif gone == "store":
        store = MlflowStore(f"sqlite:///{tmp_path}/none.db", tmp_path)
    else:
        store = MlflowStore("http://127.0.0.1:9", tmp_path)
    with pytest.raises(UnavailableError):
        trace_log(store).calls("bot", NOW - HOUR, NOW)
    with pytest.raises(UnavailableError):
        run_metrics(store).series("model_metrics", "fraud", NOW - HOUR, NOW)
    assert not (tmp_path / "none.db").exists()


def trials(store):
    runs, traces = MlflowRunMetrics(store, SOURCE.runs), MlflowTraceLog(store, SOURCE.traces)
    place = ":".join
    held = MlflowTrials(store, SOURCE, runs, traces, lambda *path: place(path))
    return {trial.what: trial for trial in held.trials()}


def test_trying_out_counts_what_is_there_and_names_what_is_not(store):
    now = datetime.now(UTC)
    run(store, now - HOUR, f1=0.9)
    Agent(store).answers(now - HOUR)
    found = trials(store)
    assert (found["fraud f1"].state, found["fraud f1"].points, found["fraud f1"].newest) == (
        "ok",
        1,
        0.9,
    )
    missing = found["fraud business_score"]
    assert (missing.state, missing.place) == (
        "degraded",
        "mlflow:runs:fraud:metrics:business_score",
    )
    assert found["bot traces"].points == 1
    store.client().delete_experiment(store.experiment("support-bot"))
    assert trials(store)["bot traces"].state == "broken"


def test_a_store_that_is_not_there_is_one_line(tmp_path):
    (only,) = trials(MlflowStore(f"sqlite:///{tmp_path}/none.db", tmp_path)).values()
    assert only.state == "broken"
    assert "no MLflow store at" in only.seen
