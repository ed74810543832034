"""Requests in the audit: what changes and what was refused, as templates and without bodies."""

import json
import logging

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from agentops_graph.serving.api import create_app

CLAIM = {
    "severity": "critical",
    "alert_type": "model_drift",
    "affected_component": "fraud_model",
    "metrics": {"aggregate_psi": 0.47},
    "timestamp": "2026-02-28T10:15:00Z",
    "summary": "a summary that stays out of the row",
}


def requests_in(desk):
    rows = desk.workshop.ports.audit.rows()
    return [row | json.loads(row["fields"]) for row in rows if row["what"] == "request"]


def test_each_change_is_one_row_with_its_template_and_status(desk, client):
    client.post("/api/v1/alerts", json=CLAIM)
    client.post("/api/v1/incidents/inc-2026-9999/close", json={"actor": "mia", "note": "done"})
    client.post("/api/v1/alerts", json={})
    client.delete("/nowhere/at/all")
    seen = [(row["method"], row["route"], row["status"]) for row in requests_in(desk)]
    assert seen == [
        ("POST", "/api/v1/alerts", 201),
        ("POST", "/api/v1/incidents/{incident_id}/close", 404),
        ("POST", "/api/v1/alerts", 422),
        ("DELETE", "(no such route)", 404),
    ]
    assert {row["via"] for row in requests_in(desk)} == {"http"}
    assert "stays out" not in json.dumps(requests_in(desk))
    assert desk.workshop.ports.audit.verify() is None


def test_a_read_is_a_line_of_the_log_and_no_row(desk, client, caplog):
    caplog.set_level(logging.INFO, "agentops_graph.serving.api.recorded")
    assert client.get("/api/v1/incidents").status_code == 200
    assert requests_in(desk) == []
    assert "GET /api/v1/incidents 200 anonymous" in caplog.text


def test_a_refused_read_is_a_row(desk, client):
    client.get("/api/v1/incidents", headers={"authorization": "Bearer agops_" + "x" * 43})
    (row,) = requests_in(desk)
    assert (row["method"], row["status"], row["actor"]) == ("GET", 401, "anonymous")


def test_a_foreign_page_that_is_refused_is_a_row(desk, client):
    client.post("/api/v1/alerts", json=CLAIM, headers={"origin": "https://evil.example"})
    assert [row["status"] for row in requests_in(desk)] == [403]


def test_a_request_that_fails_is_a_row(desk, monkeypatch):
    def fails(*_args, **_more):
        raise ZeroDivisionError("a fault of ours")

    app = create_app(desk.workshop, run=False)
    monkeypatch.setattr("agentops_graph.service.Service.raise_alert", fails)
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    assert client.post("/api/v1/alerts", json=CLAIM).status_code == 500
    assert [row["status"] for row in requests_in(desk)] == [500]


def test_an_address_that_asks_too_often_is_one_row_and_not_a_flood(desk):
    settings = desk.workshop.settings.model_copy(update={"requests_per_minute": 3})
    desk.workshop.settings = settings
    client = TestClient(create_app(desk.workshop, run=False), base_url="http://localhost")
    answers = [client.get("/api/v1/incidents").status_code for _ in range(9)]
    assert answers[-1] == 429
    assert [row["status"] for row in requests_in(desk)] == [429]


def test_the_answer_leaves_though_its_row_can_not_be_written(desk, client, caplog):
    client.get("/healthz")
    desk.workshop.ports.audit.rows()
    with desk.workshop.database.write() as connection:
        connection.execute(text("DROP TABLE audit"))
    assert client.post("/nowhere").status_code == 404
    assert "missing in the audit" in caplog.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_whatever_changes_is_written_down(desk, client, method):
    client.request(method, "/api/v1/approvals/A-1/decision", json={})
    assert [row["method"] for row in requests_in(desk)] == [method]
