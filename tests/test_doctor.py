"""The doctor says what is broken, what is only degraded, and what to do."""

import json
import os
import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agentops_graph.bootstrap import Workshop
from agentops_graph.doctor import examine, verdict
from agentops_graph.settings import read_settings


def checks_of(tmp_path, **more):
    settings = read_settings(home=tmp_path / "home", **more)
    return {c.name: c for c in examine(settings, lambda: Workshop(settings).ports)}


@pytest.fixture
def workshop(tmp_path):
    return Workshop(read_settings(home=tmp_path / "home"))


@contextmanager
def ollama(document, status=200):
    """A server that speaks as much of Ollama as the doctor asks for."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(document).encode()
            self.send_response(status if self.path == "/api/tags" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_fresh_folder_works_with_warnings_that_say_what_to_do(tmp_path):
    checks = checks_of(tmp_path)
    assert verdict(list(checks.values())) == "degraded"
    assert checks["data folder"].state == "ok"
    assert checks["audit"].state == "ok"
    assert "agentops work" in checks["runners"].mend
    assert "components.yaml" in checks["components"].mend
    assert "agentops ingest predictions" in checks["warehouse"].mend
    assert "home=" in checks["settings"].seen


def test_looking_makes_no_mlflow_store_and_no_warehouse(tmp_path):
    checks = checks_of(tmp_path)
    assert "not there yet" in checks["mlflow"].seen
    made = {file.name for file in (tmp_path / "home").iterdir()}
    assert made.isdisjoint({"mlflow.db", "warehouse.db", "chroma"})


def test_a_folder_that_can_not_be_written_is_the_only_thing_said(tmp_path):
    (tmp_path / "home").write_text("in the way")
    checks = checks_of(tmp_path)
    assert list(checks) == ["data folder"]
    assert checks["data folder"].state == "broken"
    assert "AGENTOPS_HOME" in checks["data folder"].seen


def test_what_is_pushed_is_off_until_something_comes_and_then_says_when(tmp_path, workshop):
    checks = checks_of(tmp_path)
    assert checks["pushed alerts"].seen.startswith("off: nothing was ever pushed")
    assert "open on this machine" in checks["metrics"].seen
    at = datetime(2026, 2, 28, 10, 15, tzinfo=UTC)
    workshop.ports.deliveries.note("key", "event /ci", at=at)
    workshop.places.sources.write_text("alertmanager: {segment_label: region}\n")
    checks = checks_of(tmp_path, metrics_token="a token of Prometheus")
    assert "2026-02-28 10:15" in checks["pushed alerts"].seen
    assert "sources.yaml" in checks["pushed alerts"].seen
    assert "AGENTOPS_METRICS_TOKEN" in checks["metrics"].seen


def test_mistake_in_the_file_of_sources_is_broken_with_its_line(tmp_path, workshop):
    workshop.places.sources.write_text("alertmanager:\n  severity: high\n")
    checks = checks_of(tmp_path)
    assert checks["pushed alerts"].state == "broken"
    assert any("sources.yaml:2" in check.seen for check in checks.values())


def test_components_that_can_not_be_read_are_broken(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "components.yaml").write_text("components:\n  - kind: model\n")
    checks = checks_of(tmp_path)
    assert checks["components"].state == "broken"
    assert "components.yaml:2" in checks["components"].seen
    assert checks["reasoner"].state == "ok"


def test_a_changed_audit_row_is_broken(tmp_path, workshop):
    workshop.ports.switches.pause_actions(everything=False, by="mia", at=datetime.now(UTC))
    with sqlite3.connect(workshop.places.ledger) as connection:
        connection.execute("UPDATE audit SET actor = 'tom'")
    connection.close()
    checks = checks_of(tmp_path)
    assert checks["audit"].state == "broken"
    assert verdict(list(checks.values())) == "broken"


def test_a_missing_anchor_and_an_anchored_row_that_is_gone_are_seen(tmp_path, workshop):
    audit = workshop.ports.audit
    workshop.ports.switches.pause_actions(everything=False, by="mia", at=datetime.now(UTC))
    assert f"no anchor at {workshop.places.audit_head}" in checks_of(tmp_path)["audit"].seen
    audit.anchor()
    assert f"row {audit.last_row()} is anchored" in checks_of(tmp_path)["audit"].seen
    with sqlite3.connect(workshop.places.ledger) as connection:
        connection.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
    connection.close()
    assert checks_of(tmp_path)["audit"].state == "broken"


def test_paused_actions_and_live_runners_are_seen(tmp_path, workshop):
    workshop.ports.switches.pause_actions(everything=True, by="mia", at=datetime.now(UTC))
    workshop.ports.leases.beat("work@here:1", "work")
    checks = checks_of(tmp_path)
    assert checks["actions"].state == "degraded"
    assert "undos too" in checks["actions"].seen
    assert checks["runners"].state == "ok"
    assert "work@here:1" in checks["runners"].seen


def predictions(workshop, *, minutes_ago):
    (workshop.places.home / "components.yaml").write_text("components:\n  - name: fraud\n")
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    warehouse = workshop.ports.warehouse
    row = {"timestamp": at, "model_name": "fraud", "model_version": "3"}
    warehouse.write("PREDICTION_LOGS", [{**row, "prediction_id": "p1", "features": {"V1": 1.0}}])
    warehouse.write("MODEL_METRICS", [{**row, "f1": 0.9}])
    recorded = {"model_name": "fraud", "model_version": "3", "profile": "{}", "recorded_at": at}
    warehouse.write("MODEL_REFERENCE", [recorded])


def test_the_warehouses_rows_and_the_age_of_its_data_are_told(tmp_path, workshop):
    predictions(workshop, minutes_ago=5)
    checks = checks_of(tmp_path)
    assert checks["warehouse"].state == "ok"
    assert "PREDICTION_LOGS 1" in checks["warehouse"].seen
    assert checks["data of fraud"].state == "ok"
    assert "version 3" in checks["data of fraud"].seen


def test_old_data_is_a_warning(tmp_path, workshop):
    predictions(workshop, minutes_ago=600)
    checks = checks_of(tmp_path)
    assert checks["data of fraud"].state == "degraded"
    assert "600 min old" in checks["data of fraud"].seen


def test_the_table_a_component_lacks_is_named_with_the_command_that_loads_it(tmp_path, workshop):
    (workshop.places.home / "components.yaml").write_text(
        "components:\n  - name: bot\n    kind: agent\n"
    )
    check = checks_of(tmp_path)["warehouse"]
    assert check.state == "degraded"
    assert "AGENT_METRICS" in check.seen
    assert "agent_metrics.csv" in check.mend


def test_an_agent_whose_requests_are_logged_needs_no_other_table(tmp_path, workshop):
    (workshop.places.home / "components.yaml").write_text(
        "components:\n  - name: bot\n    kind: agent\n    task: agent\n"
    )
    row = {"timestamp": datetime.now(UTC), "request_id": "r1", "agent_name": "bot"}
    workshop.ports.warehouse.write("AGENT_OUTPUTS", [row])
    assert checks_of(tmp_path)["warehouse"].state == "ok"


def test_a_warehouse_that_is_no_database_is_broken(tmp_path, workshop):
    workshop.places.warehouse.write_text("not a database, for sure" * 100)
    assert checks_of(tmp_path)["warehouse"].state == "broken"


@pytest.mark.skipif(sqlite3.sqlite_version_info >= (3, 51, 3), reason="WAL is safe here")
def test_a_file_in_wal_mode_is_a_warning_on_a_version_with_the_wal_fault(tmp_path, workshop):
    connection = sqlite3.connect(workshop.places.warehouse)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    check = checks_of(tmp_path)["sqlite"]
    assert check.state == "degraded"
    assert "warehouse.db" in check.seen


def test_a_refused_runbook_is_named(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "odd.md").write_text("---\ntitle: Odd\nserves: [nonsense]\n---\n# 1. Odd\ntext\n")
    check = checks_of(tmp_path, runbooks=folder)["knowledge"]
    assert check.state == "degraded"
    assert "odd.md:3:" in check.seen


def test_a_model_that_ollama_has_is_found_with_or_without_its_tag(tmp_path):
    with ollama({"models": [{"name": "llama3:latest"}]}) as host:
        for model in ("llama3", "llama3:latest"):
            check = checks_of(tmp_path, reasoner="ollama", ollama_host=host, model=model)
            assert check["reasoner"].state == "ok"


def test_a_model_that_ollama_lacks_is_a_warning_with_the_pull(tmp_path):
    with ollama({"models": [{"name": "tiny:1b"}]}) as host:
        check = checks_of(tmp_path, reasoner="ollama", ollama_host=host)["reasoner"]
    assert check.state == "degraded"
    assert "tiny:1b" in check.seen
    assert "ollama pull llama3" in check.mend


@pytest.mark.parametrize(("document", "status"), [({}, 500), (["no"], 200)])
def test_an_ollama_that_answers_nonsense_is_a_warning(tmp_path, document, status):
    with ollama(document, status) as host:
        check = checks_of(tmp_path, reasoner="ollama", ollama_host=host)["reasoner"]
    assert check.state == "degraded"
    assert "evidence weights" in check.mend


def test_an_ollama_that_is_not_there_or_not_here_is_a_warning(tmp_path):
    for host in ("http://127.0.0.1:9", "http://ollama.example:11434", "http://127.0.0.1:bad"):
        check = checks_of(tmp_path, reasoner="ollama", ollama_host=host)["reasoner"]
        assert check.state == "degraded"


def test_settings_are_told_and_secrets_are_not(tmp_path):
    checks = checks_of(
        tmp_path,
        slack_bot_token="xoxb-very-secret-token",
        github_token="ghp_0123456789abcdefghij",
        github_repository="acme/alerts",
        mlflow_tracking_uri="http://mia:hunter2@127.0.0.1:5000",
        lease_s=20,
    )
    told = " ".join(f"{c.seen} {c.mend}" for c in checks.values())
    assert "lease_s=20" in told
    assert "#ml-alerts" in checks["slack"].seen
    assert "acme/alerts" in checks["github"].seen
    for secret in ("xoxb", "ghp_", "hunter2"):
        assert secret not in told


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_broken(tmp_path):
    (tmp_path / "home").mkdir(mode=0o500)
    assert checks_of(tmp_path)["data folder"].state == "broken"
