"""Readiness and answers of a service whose audit was cut, or whose key is not the ledger's."""

import base64
import os
import sqlite3

import pytest

from agentops_graph.bootstrap import Workshop
from agentops_graph.confidentiality import encrypt
from agentops_graph.settings import read_settings

ALERT = {
    "severity": "critical",
    "alert_type": "latency",
    "affected_component": "fraud_model",
    "timestamp": "2026-02-28T10:15:00Z",
    "summary": "Kestrel-7731",
}


@pytest.fixture
def encrypted(desk):
    """The folder as another process put it under a key, while this one serves on without."""
    desk.report()
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    home = desk.workshop.places.home
    other = Workshop(read_settings({}, home=home, mlflow=False, encryption_key=key))
    encrypt(other.database, other.places.checkpoints, lambda _: None)


@pytest.mark.usefixtures("encrypted")
def test_a_service_without_the_key_is_not_ready_and_takes_no_alert(client, desk):
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "failed")
    assert "AGENTOPS_ENCRYPTION_KEY" in ready.json()["parts"]["ledger"]["detail"]
    refused = client.post("/api/v1/alerts", json=ALERT)
    assert (refused.status_code, refused.json()["type"]) == (
        503,
        "urn:agentops:problem:wrong-key",
    )
    assert client.get("/api/v1/incidents").status_code == 503
    assert b"Kestrel-7731" not in desk.workshop.places.ledger.read_bytes()


def test_readiness_tells_of_an_anchored_row_that_is_gone(client, desk):
    desk.report()
    audit = desk.workshop.ports.audit
    assert client.get("/readyz").json()["parts"]["audit"] == {
        "status": "ok",
        "detail": "no anchor yet",
    }
    audit.anchor()
    row = audit.last_row()
    told = client.get("/readyz").json()["parts"]["audit"]
    assert told == {"status": "ok", "detail": f"row {row} is anchored"}
    with sqlite3.connect(desk.workshop.places.ledger) as connection:
        connection.execute("DELETE FROM audit WHERE seq = ?", [row])
    connection.close()
    ready = client.get("/readyz").json()
    assert "audit" in ready["degraded"]
    assert f"row {row} was anchored and is missing" in ready["parts"]["audit"]["detail"]
