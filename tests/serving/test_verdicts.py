"""Verdicts and noise over HTTP."""

import pytest

from tests.serving.test_api import is_problem


def test_the_last_verdict_counts_and_the_case_has_all(client, desk):
    incident_id, other = desk.report(), desk.report(alert_type="latency")
    url = f"/api/v1/incidents/{incident_id.lower()}/verdict"
    first = client.post(url, json={"verdict": "right", "actor": "mia"})
    assert (first.status_code, first.json()["incident_id"]) == (200, incident_id)
    said = {"verdict": "duplicate", "of": other.lower(), "comment": "told there", "actor": "ben"}
    assert client.post(url, json=said).json()["of"] == other
    verdicts = client.get(f"/api/v1/incidents/{incident_id}").json()["verdicts"]
    assert [(v["verdict"], v["actor"], v["via"]) for v in verdicts] == [
        ("right", "mia", "http"),
        ("duplicate", "ben", "http"),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"verdict": "maybe"}, "verdict"),
        ({"verdict": "duplicate"}, "of"),
        ({"verdict": "right", "of": "INC-2026-1001"}, "of"),
        ({"verdict": "right", "comment": "x" * 2001}, "comment"),
        ({"verdict": "right", "comment": "\x00"}, "comment"),
    ],
)
def test_a_malformed_verdict_names_its_field(client, desk, body, field):
    url = f"/api/v1/incidents/{desk.report()}/verdict"
    assert is_problem(client.post(url, json=body), 422)["field"] == field


def test_what_is_not_there_is_not_judged(client, desk):
    is_problem(client.post("/api/v1/incidents/INC-1/verdict", json={"verdict": "right"}), 404)
    url = f"/api/v1/incidents/{desk.report()}/verdict"
    is_problem(client.post(url, json={"verdict": "duplicate", "of": "INC-1"}), 404)


def test_noise_is_told_by_rule(client, desk):
    incident_id = desk.report()
    url = f"/api/v1/incidents/{incident_id}/verdict"
    client.post(url, json={"verdict": "false_alarm"})
    told = client.get("/api/v1/noise?days=7").json()
    assert told["days"] == 7
    (rule,) = told["rules"]
    assert (rule["component"], rule["false_alarm"], rule["precision"]) == ("fraud_model", 1, 0.0)
    assert is_problem(client.get("/api/v1/noise?days=0"), 422)["field"] == "days"
