"""Aliases, probes, runs and traces in a real MLflow store."""

import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.mlflow_registry import (
    MlflowActuator,
    MlflowModels,
    MlflowStore,
    MlflowTracker,
    prepare,
)
from agentops_graph.domain.action import DeployModel, RerunPipeline, RollbackModel
from agentops_graph.domain.component import Component
from agentops_graph.domain.incident import Incident, TimelineEvent
from agentops_graph.errors import DidNotHappenError, InputError, NotFoundError, UnavailableError
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

pytestmark = QUIET
MODEL = "fraud-detector"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SILENT = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture
def store(mlflow_store):  # noqa: F811 - the fixture
    client = mlflow_store.client()
    client.create_registered_model(MODEL)
    run = client.create_run(mlflow_store.experiment("training"))
    client.log_metric(run.info.run_id, "f1", 0.93)
    client.log_param(run.info.run_id, "rows", 30000)
    client.create_model_version(MODEL, "nowhere/1", run.info.run_id)
    client.create_model_version(MODEL, "nowhere/2", tags={"made_by": "mia"})
    client.set_registered_model_alias(MODEL, "production", "1")
    return mlflow_store


def production(store):
    return MlflowModels(store).production(MODEL).version


class Broken:
    """The real client, of which one call fails before or after it did its work."""

    def __init__(self, client, call, *, after):
        self._client, self._call, self._after = client, call, after

    def __getattr__(self, name):
        real = getattr(self._client, name)
        if name != self._call:
            return real

        def failing(*args, **kwargs):
            if self._after:
                real(*args, **kwargs)
            raise ConnectionResetError("the line went dead")

        return failing


def with_broken(store, call, *, after):
    store._client = Broken(store.client(), call, after=after)
    return store


def test_production_version_comes_with_its_runs_figures(store):
    version = MlflowModels(store).production(MODEL)
    assert (version.version, version.aliases) == ("1", ("production",))
    assert version.metrics == {"f1": 0.93}
    assert version.parameters == {"rows": "30000"}
    assert version.created_at.tzinfo is UTC


def test_versions_come_newest_first(store):
    listed = MlflowModels(store).versions(MODEL)
    assert [v.version for v in listed] == ["2", "1"]
    assert listed[0].tags == {"made_by": "mia"}


def test_a_model_that_nobody_registered_has_no_production_version(store):
    models = MlflowModels(store)
    assert models.production("other") is None
    assert models.versions("other") == []
    with pytest.raises(NotFoundError, match="version 7"):
        models.version(MODEL, "7")


def test_a_quote_in_a_models_name_is_not_part_of_the_filter(store):
    with pytest.raises(NotFoundError):
        MlflowModels(store).versions("x' OR name != '")


def test_deploy_moves_the_alias_and_keeps_the_old_version_addressable(store):
    actuator = MlflowActuator(store)
    action = DeployModel(model=MODEL, version="2")
    assert actuator.probe(action, key="a-1:do") == "did_not"
    receipt = actuator.carry_out(action, key="a-1:do", incident_id="inc-1")
    assert receipt.reference == "2"
    assert receipt.details == {"previous": "1", "model": MODEL}
    assert production(store) == "2"
    kept = MlflowModels(store).version(MODEL, "1")
    assert kept.aliases == ("previous",)
    assert actuator.probe(action, key="a-1:do") == "happened"


def test_rollback_puts_the_earlier_version_back(store):
    actuator = MlflowActuator(store)
    actuator.carry_out(DeployModel(model=MODEL, version="2"), key="a-1:do", incident_id="i")
    undo = RollbackModel(model=MODEL, to_version="1")
    assert actuator.probe(undo, key="a-1:undo") == "did_not"
    actuator.carry_out(undo, key="a-1:undo", incident_id="i")
    assert production(store) == "1"
    assert actuator.probe(undo, key="a-1:undo") == "happened"


def test_a_second_call_with_the_same_key_moves_nothing(store):
    actuator = MlflowActuator(store)
    action = DeployModel(model=MODEL, version="2")
    first = actuator.carry_out(action, key="a-1:do", incident_id="i")
    store.client().set_registered_model_alias(MODEL, "production", "1")  # someone moved it back
    assert actuator.carry_out(action, key="a-1:do", incident_id="i") == first
    assert production(store) == "1"


def test_a_missing_version_is_certainly_not_deployed(store):
    actuator = MlflowActuator(store)
    action = DeployModel(model=MODEL, version="9")
    with pytest.raises(DidNotHappenError, match="version 9"):
        actuator.carry_out(action, key="a-1:do", incident_id="i")
    assert actuator.probe(action, key="a-1:do") == "did_not"


def test_registry_offers_only_what_it_can_do(store):
    actuator = MlflowActuator(store)
    assert actuator.offers("deploy_model", Component(name=MODEL))
    assert not actuator.offers("retrain_model", Component(name=MODEL))
    rerun = RerunPipeline(pipeline="p", window_from=NOW, window_until=NOW)
    with pytest.raises(DidNotHappenError, match="rerun_pipeline"):
        actuator.carry_out(rerun, key="a-1:do", incident_id="i")


def test_failure_before_the_alias_moves_is_certain(store):
    actuator = MlflowActuator(with_broken(store, "set_model_version_tag", after=True))
    with pytest.raises(DidNotHappenError):
        actuator.carry_out(DeployModel(model=MODEL, version="2"), key="k", incident_id="i")
    assert production(store) == "1"


def test_crash_between_intent_and_move_leaves_the_outcome_unknown(store):
    action = DeployModel(model=MODEL, version="2")
    actuator = MlflowActuator(with_broken(store, "set_registered_model_alias", after=False))
    store.client()._client.set_model_version_tag(
        MODEL, "2", "agentops.effect.k", json.dumps({"state": "intent", "previous": "1"})
    )
    assert actuator.probe(action, key="k") == "unknown"


def test_crash_after_the_move_is_seen_as_happened(store):
    client = store.client()
    client.set_model_version_tag(
        MODEL, "2", "agentops.effect.k", json.dumps({"state": "intent", "previous": "1"})
    )
    client.set_registered_model_alias(MODEL, "production", "2")
    probe = MlflowActuator(store).probe(DeployModel(model=MODEL, version="2"), key="k")
    assert probe == "happened"


def test_a_lost_answer_is_checked_before_it_is_called_unknown(store):
    client = store.client()
    client.set_registered_model_alias(MODEL, "production", "2")
    actuator = MlflowActuator(with_broken(store, "set_registered_model_alias", after=True))
    # From version 2 to version 2: nothing has to be kept addressable, only the move itself fails.
    receipt = actuator.carry_out(DeployModel(model=MODEL, version="2"), key="k", incident_id="i")
    assert receipt.reference == "2"


def test_unreachable_registry_is_unknown_to_a_probe_and_an_error_to_a_read(tmp_path, monkeypatch):
    silenced(monkeypatch)
    store = MlflowStore(SILENT, tmp_path)
    assert MlflowActuator(store).probe(DeployModel(model=MODEL, version="2"), key="k") == "unknown"
    with pytest.raises(UnavailableError):
        MlflowModels(store).production(MODEL)


def test_folder_stores_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(InputError, match="migrate-filestore"):
        prepare(f"file://{tmp_path}/mlruns", tmp_path)
    with pytest.raises(InputError, match="migrate-filestore"):
        MlflowStore("./mlruns", tmp_path)


def test_a_server_off_this_machine_needs_a_switch(tmp_path):
    with pytest.raises(InputError, match="AGENTOPS_ALLOW_REMOTE_HOSTS"):
        prepare("https://mlflow.example.com", tmp_path)
    MlflowStore("https://mlflow.example.com", tmp_path, allow_remote=True)


@pytest.mark.slow
def test_three_processes_can_meet_an_empty_store(tmp_path):
    code = (
        "import sys, pathlib; from agentops_graph.adapters.mlflow_registry import MlflowStore;"
        "MlflowStore(None, pathlib.Path(sys.argv[1])).experiment('agentops')"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [(start.communicate(timeout=240)[1], start.returncode) for start in starts]
    assert [status for _, status in ended] == [0, 0, 0], ended


def incident():
    return Incident(
        incident_id="inc-7",
        component=MODEL,
        alert_type="model_drift",
        severity="critical",
        status="resolved",
        title="drift",
        opened_at=NOW,
        diagnosed_at=NOW + timedelta(seconds=3),
        acted_at=NOW + timedelta(seconds=5),
        ended_at=NOW + timedelta(seconds=9),
        onset_at=NOW - timedelta(minutes=5),
        summary="solved with password=hunter22",
    )


def timeline():
    return [
        TimelineEvent(
            incident_id="inc-7",
            at=NOW + timedelta(seconds=1),
            agent="Monitor",
            node="triage",
            kind="step",
            text="posted with xoxb-1234567890-abcdef",
            ms=250.0,
            fields={"header": "Bearer abcdefghijkl"},
        ),
        TimelineEvent(
            incident_id="inc-7", at=NOW + timedelta(seconds=4), node="act", kind="error", text="no"
        ),
    ]


def test_a_closed_incident_is_one_run_and_one_trace(mlflow_store):  # noqa: F811 - the fixture
    documents = {"resolution.json": "{}", "postmortem.md": "token: ghp_0123456789abcdefABCD"}
    trace_id = MlflowTracker(mlflow_store).incident(incident(), timeline(), documents)
    client = mlflow_store.client()
    (run,) = client.search_runs([mlflow_store.experiment("agentops")])
    assert run.info.run_name == "Agent: agentops | Session: inc-7 | 12:00:00"
    assert run.data.metrics["execution_time_seconds"] == 9
    assert run.data.metrics["step_triage_seconds"] == 0.25
    assert run.data.metrics["time_to_detect"] == 300
    assert run.data.tags["incident_id"] == "inc-7"
    assert run.info.status == "FINISHED"
    assert [a.path for a in client.list_artifacts(run.info.run_id)] == sorted(documents)
    trace = client.get_trace(trace_id)
    assert trace.info.trace_metadata["mlflow.sourceRun"] == run.info.run_id
    root, triage, act = trace.data.spans
    assert (triage.parent_id, act.parent_id) == (root.span_id, root.span_id)
    assert triage.end_time_ns - triage.start_time_ns == 250_000_000
    assert triage.attributes["agent_name"] == "Monitor"
    assert act.status.status_code.value == "ERROR"


def test_no_credential_reaches_a_trace_or_an_artifact(mlflow_store):  # noqa: F811 - the fixture
    MlflowTracker(mlflow_store).incident(
        incident(), timeline(), {"postmortem.md": "AKIAABCDEFGHIJKLMNOP"}
    )
    mlflow_store.client()._tracking_client.store.engine.dispose()
    stored = b"".join(p.read_bytes() for p in mlflow_store.home.rglob("*") if p.is_file())
    assert b"xoxb-" not in stored
    assert b"AKIA" not in stored
    assert b"abcdefghijkl" not in stored
    assert b"hunter22" not in stored
    assert b"credential removed" in stored


def test_unreachable_server_costs_one_warning(tmp_path, monkeypatch, caplog):
    silenced(monkeypatch)
    tracker = MlflowTracker(MlflowStore(SILENT, tmp_path))
    with caplog.at_level(logging.WARNING, "agentops_graph"):
        assert tracker.incident(incident(), timeline(), {}) is None
        assert tracker.incident(incident(), timeline(), {}) is None
    assert len([r for r in caplog.records if "not tracked" in r.message]) == 1


def silenced(monkeypatch):
    """`prepare` sets these for the whole process; a test puts them back."""
    for name in list(os.environ):
        if name.startswith("MLFLOW_"):
            monkeypatch.setenv(name, os.environ[name])
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
