"""The HTTP service as its clients see it."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from agentops_graph.errors import InputError
from agentops_graph.serving.api import create_app
from tests.data_folder_desk import Desk

CLAIM = {
    "severity": "critical",
    "alert_type": "model_drift",
    "affected_component": "fraud_model",
    "metrics": {"aggregate_psi": 0.47},
    "timestamp": "2026-02-28T10:15:00Z",
    "summary": "Model drift detected. Aggregate PSI: 0.47",
}


def is_problem(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["type"]
    return document


def test_first_alert_opens_an_incident_and_the_second_joins_it(client):
    first = client.post("/api/v1/alerts", json=CLAIM)
    second = client.post("/api/v1/alerts", json=CLAIM | {"alert_id": "theirs-7"})

    assert (first.status_code, first.json()["is_new"]) == (201, True)
    assert (second.status_code, second.json()["is_new"]) == (200, False)
    assert first.json()["incident_id"] == second.json()["incident_id"]
    assert len(client.get("/api/v1/alerts").json()["alerts"]) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"severity": "bad"}, "severity"),
        ({"timestamp": "2026-02-28T10:15:00"}, "timestamp"),
        ({"metrics": {"f1": "high"}}, "metrics.f1"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_malformed_alert_names_its_field(client, change, field):
    document = is_problem(client.post("/api/v1/alerts", json=CLAIM | change), 422)
    assert document["field"] == field


def test_alert_that_is_not_json_is_refused_with_the_form_of_every_error(client):
    headers = {"content-type": "application/json"}
    assert is_problem(client.post("/api/v1/alerts", content="{", headers=headers), 422)
    assert is_problem(client.post("/api/v1/alerts", json=[1]), 422)


def test_body_over_a_megabyte_is_refused(client):
    content = '{"summary": "' + "x" * 1_000_001 + '"}'
    headers = {"content-type": "application/json"}
    is_problem(client.post("/api/v1/alerts", content=content, headers=headers), 413)


def test_incident_is_read_with_everything_it_holds(client, desk):
    incident_id = desk.report()
    pending = desk.propose(incident_id)

    case = client.get(f"/api/v1/incidents/{incident_id.lower()}").json()
    assert case["incident"]["incident_id"] == incident_id
    assert [a["approval_id"] for a in case["approvals"]] == [pending.approval_id]
    assert case["alerts"][0]["metrics"] == {"aggregate_psi": 0.47}
    is_problem(client.get("/api/v1/incidents/INC-2026-4711"), 404)


def test_open_incidents_are_those_that_did_not_end(client, desk):
    ended, still_open = desk.report(), desk.report(component="churn-model")
    desk.workshop.ports.incidents.update(ended, status="resolved")

    def listed(query):
        incidents = client.get(f"/api/v1/incidents{query}").json()["incidents"]
        return {incident["incident_id"] for incident in incidents}

    assert listed("?open=true") == {still_open}
    assert listed("") == {ended, still_open}


def test_escalated_incident_is_closed_with_a_note_and_others_are_not(client, desk):
    incident_id = desk.report()
    url = f"/api/v1/incidents/{incident_id}/close"
    is_problem(client.post(url, json={"note": "done"}), 409)

    desk.workshop.ports.incidents.update(incident_id, status="escalated")
    assert is_problem(client.post(url, json={"note": " "}), 422)["field"] == "note"
    closed = client.post(url, json={"note": "the vendor fixed the feed", "actor": "mia"})
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")


def test_escalated_incident_is_planned_anew(client, desk):
    incident_id = desk.report()
    is_problem(client.post(f"/api/v1/incidents/{incident_id}/retry"), 409)

    desk.workshop.ports.incidents.update(incident_id, status="escalated")
    again = client.post(f"/api/v1/incidents/{incident_id}/retry")
    assert (again.json()["status"], again.json()["plan_number"]) == ("detected", 1)


def test_approval_is_shown_from_the_bytes_its_digest_is_of(client, desk):
    pending = desk.propose(desk.report())
    view = client.get(f"/api/v1/approvals/{pending.approval_id}").json()
    assert view["digest"] == pending.digest
    assert {"label": "to_version", "text": "3"} in view["shown"]
    assert {"label": "target", "text": "model:fraud_model"} in view["shown"]


def test_approvals_are_listed_by_status(client, desk):
    incident_id = desk.report()
    first, second = desk.propose(incident_id), desk.propose(incident_id, step=1)
    desk.service.decide(first.approval_id, "approve", actor="mia", via="python")

    def listed(query):
        approvals = client.get(f"/api/v1/approvals{query}").json()["approvals"]
        return {approval["approval_id"] for approval in approvals}

    assert listed("?status=pending") == {second.approval_id}
    assert listed("") == {first.approval_id, second.approval_id}
    assert is_problem(client.get("/api/v1/approvals?status=maybe"), 422)["field"] == "status"


def test_one_decision_wins_and_the_answer_says_that_no_runner_is_alive(client, desk):
    pending = desk.propose(desk.report())
    url = f"/api/v1/approvals/{pending.approval_id}/decision"

    won = client.post(url, json={"verdict": "approve", "digest": pending.digest, "actor": "mia"})
    assert won.status_code == 200
    assert won.json()["approval"]["decided_by"] == "mia"
    assert won.json()["approval"]["decided_via"] == "http"
    assert "no runner is alive" in won.json()["hint"]

    lost = is_problem(client.post(url, json={"verdict": "reject", "reason": "late"}), 409)
    assert "mia" in lost["detail"]


def test_of_many_who_decide_at_once_one_wins(client, desk):
    pending = desk.propose(desk.report())
    url = f"/api/v1/approvals/{pending.approval_id}/decision"
    bodies = [
        {"verdict": "approve", "actor": f"person-{number}"}
        if number % 2
        else {"verdict": "reject", "reason": "no", "actor": f"person-{number}"}
        for number in range(6)
    ]
    with ThreadPoolExecutor(len(bodies)) as people:
        answers = list(people.map(lambda body: client.post(url, json=body), bodies))

    assert sorted(a.status_code for a in answers) == [200] + [409] * 5
    winner = next(a for a in answers if a.status_code == 200).json()["approval"]
    held = desk.service.approval(pending.approval_id)
    assert (held.status, held.decided_by) == (winner["status"], winner["decided_by"])


def test_decision_hint_is_empty_while_a_runner_is_alive(client, desk):
    pending = desk.propose(desk.report())
    with desk.workshop.runner("test").alive():
        won = client.post(
            f"/api/v1/approvals/{pending.approval_id}/decision", json={"verdict": "approve"}
        )
    assert won.json()["hint"] is None


def test_malformed_or_blind_decision_decides_nothing(client, desk):
    pending = desk.propose(desk.report())
    url = f"/api/v1/approvals/{pending.approval_id}/decision"
    verdict = is_problem(client.post(url, json={"verdict": "maybe"}), 422)
    assert verdict["field"] == "verdict"
    assert is_problem(client.post(url, json={"verdict": "reject"}), 422)["field"] == "reason"
    is_problem(client.post(url, json={"verdict": "approve", "digest": "0" * 64}), 422)
    is_problem(client.post(url, json={"verdict": "approve", "action": "deploy_model"}), 422)
    assert desk.status_of(pending) == "pending"
    is_problem(client.post("/api/v1/approvals/A-77/decision", json={"verdict": "approve"}), 404)


def test_expired_approval_is_gone(client, desk):
    pending = desk.propose(desk.report())
    ports = desk.workshop.ports
    ports.approvals.lapse(pending.approval_id, policy=ports.policy, at=pending.expires_at)
    url = f"/api/v1/approvals/{pending.approval_id}/decision"
    is_problem(client.post(url, json={"verdict": "approve"}), 410)


def test_investigation_needs_a_known_component_and_data(client):
    unknown = client.post("/api/v1/investigations", json={"question": "is billing well?"})
    assert "fraud_model" in is_problem(unknown, 404)["detail"]
    empty = client.post("/api/v1/investigations", json={"question": "is fraud_model well?"})
    is_problem(empty, 422)


def test_search_finds_sections_with_references(client):
    found = client.get("/api/v1/search", params={"q": "feature drift remediation"}).json()
    assert found["pages"]
    assert all("#section" in page["reference"] for page in found["pages"])
    assert is_problem(client.get("/api/v1/search"), 422)["field"] == "q"


def test_service_answers_only_to_its_own_names(client):
    is_problem(client.get("/healthz", headers={"host": "evil.example"}), 400)
    assert client.get("/healthz", headers={"host": "127.0.0.1:8000"}).json() == {"status": "ok"}
    assert client.get("/healthz", headers={"host": "[::1]:8000"}).status_code == 200


def test_page_of_another_site_can_not_use_a_browser_to_decide(client, desk):
    pending = desk.propose(desk.report())
    url = f"/api/v1/approvals/{pending.approval_id}/decision"
    foreign = {"origin": "https://evil.example"}
    is_problem(client.post(url, json={"verdict": "approve"}, headers=foreign), 403)
    as_text = {"content-type": "text/plain"}
    is_problem(client.post(url, content='{"verdict": "approve"}', headers=as_text), 422)
    assert desk.status_of(pending) == "pending"

    own = {"origin": "http://localhost"}
    assert client.post(url, json={"verdict": "approve"}, headers=own).status_code == 200


def test_readiness_names_the_parts_that_are_degraded(client, desk):
    desk.service.pause_actions(everything=False, actor="mia")
    found = client.get("/readyz")
    assert (found.status_code, found.json()["status"]) == (200, "degraded")
    assert set(found.json()["degraded"]) == {"runner", "actions", "warehouse"}
    assert found.json()["parts"]["ledger"]["status"] == "ok"
    with desk.workshop.runner("test").alive():
        assert "runner" not in client.get("/readyz").json()["degraded"]


@pytest.mark.parametrize("without", ["DROP TABLE CHANGES", "DELETE FROM CHANGES"])
def test_readiness_does_not_ask_for_recorded_changes(client, desk, without):
    name = desk.service.components[0]
    row = {"timestamp": datetime.now(UTC), "model_name": name, "prediction_id": "p1"}
    desk.workshop.ports.warehouse.write("PREDICTION_LOGS", [row])
    with sqlite3.connect(desk.workshop.places.warehouse) as connection:
        connection.execute(without)
    assert client.get("/readyz").json()["parts"]["warehouse"]["status"] == "ok"


def test_readiness_names_the_components_without_a_row(client, desk):
    desk.workshop.warehouse.create_tables()
    part = client.get("/readyz").json()["parts"]["warehouse"]
    assert part["status"] == "degraded"
    assert all(f"no rows of {name}" in part["detail"] for name in desk.service.components)


def test_service_is_not_ready_when_the_ledger_can_not_be_read(client, desk, tmp_path):
    assert client.get("/readyz").status_code == 200
    desk.workshop.places.ledger.write_bytes(b"this is no database, and it is long enough" * 99)

    found = client.get("/readyz")
    assert (found.status_code, found.json()["status"]) == (503, "failed")
    assert str(tmp_path) not in found.text
    problem = is_problem(client.get("/api/v1/incidents"), 503)
    assert str(tmp_path) not in problem["detail"]
    assert client.get("/healthz").status_code == 200


def test_fault_of_the_service_is_told_without_a_stack(client, desk):
    @client.app.get("/fault")
    def fault():
        raise ZeroDivisionError(str(desk.workshop.places.home))

    document = is_problem(client.get("/fault"), 500)
    assert "ZeroDivisionError" not in str(document)
    assert str(desk.workshop.places.home) not in str(document)


def test_unknown_route_is_a_problem_too(client):
    is_problem(client.get("/nowhere"), 404)
    is_problem(client.delete("/api/v1/incidents"), 405)


def test_service_refuses_to_be_reached_from_other_machines(tmp_path):
    workshop = Desk(tmp_path / "open").workshop
    workshop.settings = workshop.settings.model_copy(update={"http_host": "0.0.0.0"})
    with pytest.raises(InputError, match="asks nobody for a token"):
        create_app(workshop)


def test_schema_shows_examples_of_the_main_bodies(client):
    schema = client.get("/openapi.json").json()
    body = schema["paths"]["/api/v1/alerts"]["post"]["requestBody"]["content"]["application/json"]
    example = body["examples"]["drift"]["value"]
    assert client.post("/api/v1/alerts", json=example).status_code == 201
    assert "examples" in schema["components"]["schemas"]["DecisionBody"]


def test_the_feed_of_alerts_begins_with_the_newest(client):
    admitted = [client.post("/api/v1/alerts", json=CLAIM).json() for _ in range(3)]
    feed = client.get("/api/v1/alerts", params={"limit": 2}).json()["alerts"]
    newest = [told["alert_id"] for told in admitted][:0:-1]
    assert [alert["alert_id"] for alert in feed] == newest


def nested(levels):
    document = 1
    for _ in range(levels):
        document = {"a": document}
    return document


HALF = "\ud800"  # of a pair; JSON can say it, and no encoding can


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/api/v1/session", {"token": nested(450)}),
        ("/api/v1/session", {"token": nested(900)}),
        ("/api/v1/approvals/A-1/decision", {"verdict": nested(900)}),
        ("/api/v1/approvals/A-1/decision", {"verdict": "edit", "arguments": {HALF: 1}}),
        ("/invocations", {"messages": [], "custom_inputs": {"incident_id": HALF}}),
        ("/invocations", {"messages": [], "custom_inputs": {"component": HALF}}),
        ("/api/v1/alerts", {HALF: 1}),
    ],
)
def test_what_can_not_be_kept_or_told_again_is_answered_as_malformed(client, path, document):
    body, headers = json.dumps(document), {"content-type": "application/json"}
    is_problem(client.post(path, content=body, headers=headers), 422)
