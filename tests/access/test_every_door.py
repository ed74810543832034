"""One table for all doors: the same person is let in, or refused, wherever they come."""

import warnings

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from agentops_graph.access import Keys
from agentops_graph.cli.__main__ import app
from agentops_graph.domain.identity import ROLE_MAY
from agentops_graph.serving.api import create_app
from tests.mlflow_store import QUIET

with warnings.catch_warnings():  # MLflow warns about its own type hints while it is imported
    warnings.simplefilter("ignore")
    from agentops_graph.serving.mlflow_agent import HealthMonitorAgent

pytestmark = QUIET


def browser(desk):
    return TestClient(create_app(desk.workshop, run=False), base_url="http://localhost")


def by_command(desk, approval_id, token):
    home, env = str(desk.workshop.places.home), {"AGENTOPS_TOKEN": token}
    line = ["--home", home, "approve", approval_id, "--no-run", "--as", "forged"]
    result = CliRunner().invoke(app, line, env=env)
    assert result.exit_code in (0, 3, 4, 5), result.output


def by_http(desk, approval_id, token):
    url = f"/api/v1/approvals/{approval_id}/decision"
    body = {"verdict": "approve", "actor": "forged"}
    headers = {"authorization": f"Bearer {token}"}
    assert browser(desk).post(url, json=body, headers=headers).status_code < 500


def by_page(desk, approval_id, token):
    page = browser(desk)
    begun = page.post("/api/v1/session", json={"token": token})
    headers = {"x-csrf-token": begun.json().get("csrf_token") or ""}
    url = f"/api/v1/approvals/{approval_id}/decision"
    body = {"verdict": "approve", "actor": "forged"}
    assert page.post(url, json=body, headers=headers).status_code < 500


def by_chat(desk, approval_id, token):
    request = {
        "messages": [{"role": "user", "content": f"approve {approval_id}"}],
        "context": {"user_id": "forged"},
    }
    headers = {"authorization": f"Bearer {token}"}
    assert browser(desk).post("/invocations", json=request, headers=headers).status_code < 500


def by_mlflow(desk, approval_id, token):
    HealthMonitorAgent(desk.workshop).predict(
        [{"role": "user", "content": f"approve {approval_id}"}],
        None,
        {"token": token},
    )


def by_link(desk, approval_id, token):
    page = browser(desk)
    headers = {"authorization": f"Bearer {token}"}
    url = f"/api/v1/approvals/{approval_id}/links"
    made = page.post(url, json={"name": "linked"}, headers=headers)
    if made.status_code != 201:
        return
    path = made.json()["url"].partition("8000")[2]
    seen = page.get(path).text
    fields = {
        name: seen.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("digest", "view")
    }
    assert page.post(path, data={"verdict": "approve", **fields}).status_code < 500


DOORS = {
    by_command: "cli",
    by_http: "http",
    by_page: "http",
    by_chat: "http",
    by_mlflow: "mlflow",
    by_link: "link",
}
PEOPLE = {
    "nobody": None,
    "viewer": {"role": "viewer"},
    "operator": {"role": "operator"},
    "approver of another tenant": {"role": "approver", "tenant": "south"},
    "revoked admin": {"role": "admin"},
    "approver": {"role": "approver"},
    "approver of the tenant": {"role": "approver", "tenant": "north"},
    "admin": {"role": "admin"},
}
LET_IN = {"approver", "approver of the tenant", "admin"}


def token_of(desk, person):
    keys, given = Keys(desk.open), PEOPLE[person]
    if given is None:
        return "agops_" + "x" * 43
    made = keys.create(person, given["role"], tenant=given.get("tenant"))
    if person.startswith("revoked"):
        keys.revoke(made.credential.credential_id)
    return made.secret


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_door_lets_in_whom_the_table_says_in_the_name_that_was_proved(desk, door):
    Keys(desk.open).create("root", "admin")
    incident = desk.report()
    for step, person in enumerate(PEOPLE):
        approval_id = desk.propose(incident, step=step).approval_id
        door(desk, approval_id, token_of(desk, person))
        held = desk.service.approval(approval_id)
        if person not in LET_IN:
            assert (held.status, held.decided_by) == ("pending", None), person
            continue
        name = "linked" if door is by_link else person
        assert (held.status, held.decided_by, held.decided_via) == ("approved", name, DOORS[door])
    assert desk.workshop.ports.audit.verify() is None


def ended(desk, state, step):
    """An approval in a state; the clock is the real one, so time is told to the ledger."""
    ports = desk.workshop.ports
    if state == "none":
        return "A-999"
    held = desk.propose(desk.report(), step=step)
    if state == "decided":
        desk.service.decide(held.approval_id, "reject", actor="x", via="python", reason="no")
    if state == "superseded":
        ports.approvals.retire(
            held.approval_id, "superseded", why="moved", by="agentops", at=desk.in_()
        )
    if state == "expired":
        ports.approvals.lapse(held.approval_id, policy=ports.policy, at=held.expires_at)
    return held.approval_id


EXPECTED = {"none": 404, "pending": 200, "decided": 409, "superseded": 410, "expired": 410}


@pytest.mark.parametrize("state", EXPECTED)
def test_each_role_gets_the_answer_of_the_approvals_state(desk, state):
    Keys(desk.open).create("root", "admin")
    page = browser(desk)
    for step, role in enumerate(ROLE_MAY):
        headers = {"authorization": f"Bearer {Keys(desk.open).create(role, role).secret}"}
        approval_id = ended(desk, state, step)
        before = desk.workshop.ports.audit.rows()[-1]["seq"]
        seen = page.get(f"/api/v1/approvals/{approval_id}", headers=headers)
        assert seen.status_code == (404 if state == "none" else 200)
        url, body = f"/api/v1/approvals/{approval_id}/decision", {"verdict": "approve"}
        answered = page.post(url, json=body, headers=headers)
        may = role in ("approver", "admin")
        assert answered.status_code == (EXPECTED[state] if may else 403), (role, answered.text)
        rows = [r["what"] for r in desk.workshop.ports.audit.rows() if r["seq"] > before]
        assert ("approval.approved" in rows) == (may and state == "pending")
        assert ("access.refused" in rows) == (not may)
