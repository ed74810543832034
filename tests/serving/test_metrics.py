"""What Prometheus is told, by whom it may be asked, and that nobody outside decides how much."""

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from agentops_graph.access import Access, Keys
from agentops_graph.domain.identity import Identity
from agentops_graph.domain.sight import Sight
from agentops_graph.errors import UnavailableError
from agentops_graph.monitor import Tick
from agentops_graph.serving.api import create_app

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
TOKEN = "a-token-of-prometheus"


def page_of(desk, **settings):
    desk.workshop.settings = desk.workshop.settings.model_copy(update=settings)
    app = create_app(desk.workshop, run=False)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def families(client, **headers):
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(client, name, **labels):
    """The sample's value; 0 when there is none."""
    found = [
        sample.value
        for family in families(client).values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found)


def test_what_is_open_waits_and_happened_is_told(client, desk):
    incident = desk.report()
    desk.report("churn-model", "latency")
    approval = desk.propose(incident)
    desk.propose(incident, step=1)
    desk.service.decide(approval.approval_id, "reject", actor="x", via="python", reason="no")
    where = {"status": "detected", "alert_type": "model_drift", "severity": "critical"}
    assert value(client, "agentops_incidents_open", **where) == 1
    assert value(client, "agentops_alerts_admitted_total") == 2
    assert value(client, "agentops_incidents_opened_total") == 2
    assert value(client, "agentops_approvals_pending") == 1
    assert value(client, "agentops_approvals_oldest_pending_seconds") >= 0
    assert value(client, "agentops_approvals_total", outcome="rejected") == 1
    assert value(client, "agentops_jobs_waiting") >= 2
    assert value(client, "agentops_ledger_up") == 1
    assert value(client, "agentops_runners_alive") == 0
    desk.workshop.ports.leases.beat("service@here:1", "service")
    assert value(client, "agentops_runners_alive") == 1


def test_counts_stay_the_same_however_often_they_are_read(client, desk):
    desk.report()
    seen = [value(client, "agentops_incident_events_total", event="opened") for _ in range(3)]
    assert seen == [1, 1, 1]


def test_request_is_counted_by_its_template_and_nothing_else(client):
    for number in range(30):
        client.get(f"/api/v1/incidents/INC-2026-{number}")
        client.get(f"/made/up/{number}")
        client.request(f"VERB{number}", "/healthz")
    samples = families(client)["agentops_http_request_seconds"].samples
    counted = {
        (s.labels["route"], s.labels["method"], s.labels["status"])
        for s in samples
        if s.name.endswith("_count")
    }
    assert ("/api/v1/incidents/{incident_id}", "GET", "404") in counted
    assert ("(no such route)", "GET", "404") in counted
    assert {method for _, method, _ in counted} == {"GET", "other"}
    assert len(counted) <= 4


def test_rounds_of_the_monitor_are_told_with_their_last_good_one(client):
    told = client.app.state.metrics.ticked
    told(Tick(unjudged=["fraud_model"]), 0.4)
    told(None, 2.0)
    assert value(client, "agentops_monitor_ticks_total", outcome="ok") == 1
    assert value(client, "agentops_monitor_ticks_total", outcome="failed") == 1
    assert value(client, "agentops_monitor_tick_seconds_sum") == pytest.approx(2.4)
    assert value(client, "agentops_monitor_last_tick_timestamp_seconds") > 1e9
    assert value(client, "agentops_monitor_unjudged_components") == 1


def test_blind_components_are_told_until_a_look_at_them_is_answered(client):
    told, name = client.app.state.metrics.ticked, "agentops_monitor_blind_components"
    told(Tick(unjudged=["a", "b"], blind={n: Sight(component=n) for n in "ab"}), 0.4)
    assert value(client, name) == 2
    told(Tick(readings={"c": {}}), 0.4)  # a round that looked at neither
    assert value(client, name) == 2
    told(Tick(readings={"a": {"f1": 0.9}}), 0.4)
    assert value(client, name) == 1


def test_ledger_that_is_down_is_said_and_the_rest_is_told(client, desk, monkeypatch):
    def down(*_):
        raise UnavailableError("the ledger did not answer")

    monkeypatch.setattr(desk.workshop.ports.figures, "backlog", down)
    found = families(client)
    assert found["agentops_ledger_up"].samples[0].value == 0
    assert "agentops_incidents_open" not in found
    assert "agentops_monitor_ticks" in found


@pytest.fixture
def keys(desk):
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    return keys


def status(client, secret=None):
    headers = {} if secret is None else {"authorization": f"Bearer {secret}".encode()}
    return client.get("/metrics", headers=headers).status_code


def test_figures_are_for_who_may_read_all_or_has_the_token_of_the_setting(desk, keys):
    client = page_of(desk, metrics_token=SecretStr(TOKEN))
    assert status(client) == 401
    assert status(client, "agops_" + "x" * 43) == 401
    assert status(client, TOKEN[:-1]) == 401
    assert status(client, "é") == 401
    assert status(client, keys.create("vic", "viewer").secret) == 200
    assert status(client, keys.create("nora", "admin", tenant="north").secret) == 403
    assert status(client, keys.create("am", "sender").secret) == 403
    assert status(client, TOKEN) == 200
    refused = client.get("/api/v1/incidents", headers={"authorization": f"Bearer {TOKEN}"})
    assert refused.status_code == 401


def test_noise_of_others_does_not_shut_out_the_scraper(desk, keys):
    client = page_of(desk, metrics_token=SecretStr(TOKEN), requests_per_minute=5)
    assert status(client, TOKEN) == 200
    for _ in range(8):
        status(client)
    assert status(client) == 429
    assert status(client, TOKEN) == 200


def test_token_of_the_setting_is_in_no_answer_and_no_row(desk, keys, caplog):
    client = page_of(desk, metrics_token=SecretStr(TOKEN))
    text = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text
    assert TOKEN not in text + caplog.text + json.dumps(desk.workshop.ports.audit.rows())


def test_page_lists_every_figure_and_no_other(client, desk):
    desk.report()
    client.post("/api/v1/alerts/alertmanager", json={})
    listed = set(re.findall(r"^\| `(agentops_\w+)` \|", PAGE, re.M))
    named = {
        f"{name}_total" if family.type == "counter" else name
        for name, family in families(client).items()
        if name.startswith("agentops_")
    }
    optional = {"agentops_delivery_last_timestamp_seconds"}
    assert listed - optional == named - optional
    assert optional <= listed
