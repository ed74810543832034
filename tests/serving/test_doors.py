"""Who is let in over HTTP: tokens, sessions, other sites' pages, and how often."""

import json

import pytest
from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles
from fastapi.testclient import TestClient

from agentops_graph.access import Access, Keys
from agentops_graph.domain.identity import ROLE_MAY, Identity
from agentops_graph.errors import InputError
from agentops_graph.serving.api import create_app
from agentops_graph.serving.api.app import known_if_it_can_be
from agentops_graph.serving.api.door import COOKIE, check_bind, known
from agentops_graph.serving.api.links import by_link
from agentops_graph.serving.api.rates import Rates
from agentops_graph.serving.api.scrape import by_scraper
from agentops_graph.serving.api.server import serve
from agentops_graph.serving.api.sessions import by_cookie, by_token
from tests import data_folder_desk
from tests.routes import every_route

PROOFS = {known, by_scraper, known_if_it_can_be, by_link, by_token, by_cookie}
COMPONENTS = """\
components:
  - {name: fraud_model, tenant: north}
  - {name: churn-model, tenant: south}
"""
CLAIM = {
    "severity": "critical",
    "alert_type": "model_drift",
    "affected_component": "fraud_model",
    "metrics": {"aggregate_psi": 0.47},
    "timestamp": "2026-02-28T10:15:00Z",
}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder_desk, "COMPONENTS", COMPONENTS)
    return data_folder_desk.Desk(tmp_path / "desk")


@pytest.fixture
def keys(desk):
    """An admin's token is there, so that nobody is let in without one."""
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    return keys


def bearer(keys, role="approver", **fields):
    secret = keys.create(f"{role}-person", role, **fields).secret
    return {"authorization": f"Bearer {secret}"}


def page(desk, **settings):
    """A browser on this machine, with cookies of its own."""
    desk.workshop.settings = desk.workshop.settings.model_copy(update=settings)
    app = create_app(desk.workshop, run=False)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def proofs_of(dependant):
    found = {dependant.call} if dependant.call in PROOFS else set()
    return found.union(*(proofs_of(each) for each in dependant.dependencies))


def unguarded(app):
    return [
        route.path
        for route in every_route(app.routes)
        if not (hasattr(route, "dependant") and proofs_of(route.dependant))
    ]


def test_every_route_asks_who_is_there_but_health(client):
    routes = list(every_route(client.app.routes))
    documented = client.app.openapi()["paths"]
    assert set(documented) <= {route.path for route in routes}
    assert unguarded(client.app) == ["/healthz"]


def test_route_without_the_question_would_be_found(client):
    def forgotten():
        return {}

    client.app.get("/forgotten")(forgotten)
    client.app.mount("/mounted", StaticFiles(directory="."))
    included = APIRouter()
    included.get("/included")(forgotten)
    client.app.include_router(included)
    assert {"/forgotten", "/mounted", "/included"} <= set(unguarded(client.app))


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"null", b'{"verdict": "sing"}'])
def test_what_is_wrong_with_a_body_is_told_to_those_who_may_ask_only(client, keys, desk, body):
    url, headers = "/api/v1/approvals/A-1/decision", {"content-type": "application/json"}
    refused = client.post(url, content=body, headers=headers)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    told = client.post(url, content=body, headers=headers | bearer(keys))
    assert told.status_code in (400, 422)
    rows = [json.loads(r["fields"]) | r for r in desk.workshop.ports.audit.rows()]
    asked = [(r["actor"], r["status"]) for r in rows if r["what"] == "request"]
    assert asked == [("anonymous", 401), ("approver-person", told.status_code)]


def test_nothing_is_told_without_a_token_once_there_is_one(client, keys, desk):
    pending = desk.propose(desk.report())
    paths = client.app.openapi()["paths"]
    values = {
        "incident_id": pending.proposal.incident_id,
        "approval_id": pending.approval_id,
        "kind": "quality",
    }
    for path, methods in paths.items():
        for method in methods:
            answer = client.request(method, path.format(**values), json={})
            if path == "/healthz":
                assert answer.status_code == 200
            else:
                assert answer.status_code == 401, (method, path, answer.text)
                assert pending.digest not in answer.text
    for path in ("/openapi.json", "/readyz", "/api/v1/incidents", "/api/v1/session"):
        refused = client.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.headers["content-type"] == "application/problem+json"
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404
    assert desk.status_of(pending) == "pending"


@pytest.mark.parametrize(
    "header",
    ["Bearer agops_" + "x" * 43, "Bearer", "Basic cm9vdDpyb290", "agops_" + "x" * 43, "Bearer é"],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_wrong_proof_is_never_let_in_even_where_the_door_is_open(desk, client, header, is_open):
    if not is_open:
        Keys(Access(desk.service, Identity(name="root", role="admin"), "cli")).create("r", "admin")
    headers = {"authorization": header.encode()}
    assert client.get("/api/v1/incidents", headers=headers).status_code == 401


def test_decision_is_that_of_the_token_whatever_the_body_says(client, keys, desk):
    pending = desk.propose(desk.report())
    url = f"/api/v1/approvals/{pending.approval_id}/decision"
    body = {"verdict": "approve", "actor": "somebody else"}
    assert client.post(url, json=body, headers=bearer(keys, "operator")).status_code == 403
    held = client.post(url, json=body, headers=bearer(keys)).json()["approval"]
    assert (held["decided_by"], held["decided_via"]) == ("approver-person", "http")
    refused = [r for r in desk.workshop.ports.audit.rows() if r["what"] == "access.refused"]
    assert [(r["actor"], r["via"]) for r in refused] == [("operator-person", "http")]


def test_revoked_token_is_out_at_once(client, keys):
    given = keys.create("mia", "viewer")
    headers = {"authorization": f"Bearer {given.secret}"}
    assert client.get("/api/v1/incidents", headers=headers).status_code == 200
    keys.revoke(given.credential.credential_id)
    assert client.get("/api/v1/incidents", headers=headers).status_code == 401


@pytest.mark.parametrize("role", ROLE_MAY)
def test_another_tenants_ids_are_answered_as_ids_that_are_not(client, keys, desk, role):
    theirs = desk.report("churn-model")
    approval = desk.propose(theirs).approval_id
    headers = bearer(keys, role, tenant="north")
    for url, unknown in [
        (f"/api/v1/incidents/{theirs}", "/api/v1/incidents/INC-2026-9999"),
        (f"/api/v1/approvals/{approval}", "/api/v1/approvals/A-99"),
    ]:
        seen, none = client.get(url, headers=headers), client.get(unknown, headers=headers)
        assert (seen.status_code, none.status_code) == (404, 404)
        assert seen.text.replace(url.rpartition("/")[2], "ID") == none.text.replace(
            unknown.rpartition("/")[2], "ID"
        )
    assert client.get("/api/v1/incidents", headers=headers).json() == {"incidents": []}
    asked = {"messages": [{"role": "user", "content": f"status of {theirs}"}]}
    told = client.post("/invocations", json=asked, headers=headers).text
    assert "churn" not in told
    investigated = client.post(
        "/api/v1/investigations", json={"question": "how is churn-model?"}, headers=headers
    )
    assert "churn-model" not in investigated.json()["detail"].partition("known:")[2]


def test_readiness_of_a_tenant_tells_of_nobody_else(client, keys, desk):
    desk.propose(desk.report("churn-model"))
    told = client.get("/readyz", headers=bearer(keys, "viewer", tenant="north")).json()["parts"]
    assert told["components"]["detail"] == "fraud_model"
    assert told["ledger"]["detail"] == "0 approvals pending"
    assert "churn" not in json.dumps(told)
    everybody = client.get("/readyz", headers=bearer(keys, "viewer")).json()["parts"]
    assert everybody["components"]["detail"] == "churn-model, fraud_model"
    assert everybody["ledger"]["detail"] == "1 approvals pending"


def test_conversation_decides_in_the_name_that_was_proved(client, keys, desk):
    pending = desk.propose(desk.report())
    line = f"approve {pending.approval_id}"
    request = {
        "messages": [{"role": "user", "content": line}],
        "context": {"user_id": "the owner"},
    }
    refused = client.post("/invocations", json=request, headers=bearer(keys, "viewer"))
    assert "may not do that" in refused.json()["messages"][0]["content"]
    assert desk.status_of(pending) == "pending"
    client.post("/invocations", json=request, headers=bearer(keys))
    assert desk.service.approval(pending.approval_id).decided_by == "approver-person"


def logged_in(browser, keys, role="approver"):
    token = keys.create(f"{role}-person", role).secret
    begun = browser.post("/api/v1/session", json={"token": token})
    assert begun.status_code == 201
    return begun, token


def test_session_is_a_cookie_that_no_script_and_no_other_site_gets(desk, keys):
    browser = page(desk)
    begun, token = logged_in(browser, keys)
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=agops_")
    for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43"):
        assert word in cookie
    assert "Secure" not in cookie
    assert token not in begun.text + cookie
    assert browser.get("/api/v1/session").json()["name"] == "approver-person"
    assert browser.get("/api/v1/incidents").status_code == 200


def test_session_of_a_service_behind_https_is_secure(desk, keys):
    browser = page(desk, public_url="https://agentops.example")
    begun, _ = logged_in(browser, keys)
    assert "Secure" in begun.headers["set-cookie"]


def test_session_ends_when_the_person_leaves_and_the_token_does_not(desk, keys):
    browser = page(desk)
    _, token = logged_in(browser, keys)
    cookie = browser.cookies[COOKIE]
    assert browser.delete("/api/v1/session").status_code == 204
    assert COOKIE not in browser.cookies
    stolen = {"cookie": f"{COOKIE}={cookie}"}
    again = browser.delete("/api/v1/session", headers=stolen)
    assert (again.status_code, "Max-Age=0" in again.headers["set-cookie"]) == (401, True)
    assert browser.get("/api/v1/incidents", headers=stolen).status_code == 401
    headers = {"authorization": f"Bearer {token}"}
    assert browser.get("/api/v1/incidents", headers=headers).status_code == 200


def test_token_that_counts_for_nothing_begins_no_session(desk, keys):
    browser = page(desk)
    begun = browser.post("/api/v1/session", json={"token": "agops_" + "x" * 43})
    assert begun.status_code == 401
    assert "set-cookie" not in begun.headers


def test_change_with_a_cookie_needs_what_only_the_own_page_can_say(desk, keys):
    browser = page(desk)
    begun, _ = logged_in(browser, keys)
    pending = desk.propose(desk.report())
    url, body = f"/api/v1/approvals/{pending.approval_id}/decision", {"verdict": "approve"}
    for headers in (
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},  # another port of this machine
        {"sec-fetch-site": "none"},
        {"x-csrf-token": "0" * 64},
        {"x-csrf-token": "é".encode()},
    ):
        assert browser.post(url, json=body, headers=headers).status_code == 403
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "same-origin"}
    assert browser.post(url, json=body, headers=foreign).status_code == 403
    assert desk.status_of(pending) == "pending"
    own = {"x-csrf-token": begun.json()["csrf_token"]}
    assert browser.post(url, json=body, headers=own).status_code == 200


def test_browser_that_says_the_page_is_our_own_is_believed(desk, keys):
    browser = page(desk)
    logged_in(browser, keys)
    own = {"sec-fetch-site": "same-origin", "origin": "http://localhost"}
    pending = desk.propose(desk.report())
    url = f"/api/v1/approvals/{pending.approval_id}/decision"
    assert browser.post(url, json={"verdict": "approve"}, headers=own).status_code == 200


def test_session_token_is_no_bearer_and_a_token_is_no_cookie(desk, keys):
    browser = page(desk)
    _, token = logged_in(browser, keys)
    session = browser.cookies[COOKIE]
    browser.cookies.clear()
    headers = {"authorization": f"Bearer {session}"}
    assert browser.get("/api/v1/incidents", headers=headers).status_code == 401
    headers = {"cookie": f"{COOKIE}={token}"}
    assert browser.get("/api/v1/incidents", headers=headers).status_code == 401


def test_service_opens_to_other_machines_only_when_it_asks_for_tokens(desk, tmp_path):
    credentials = desk.workshop.ports.credentials
    with pytest.raises(InputError, match="agentops token create"):
        check_bind("0.0.0.0", credentials)
    check_bind("127.0.0.1", credentials)
    Keys(Access(desk.service, Identity(name="root", role="admin"), "cli")).create("root", "admin")
    check_bind("0.0.0.0", credentials)
    app = page(desk, http_host="0.0.0.0", public_url="https://agentops.example").app
    outside = TestClient(app, base_url="https://agentops.example")
    assert outside.get("/healthz").status_code == 200
    assert outside.get("/api/v1/incidents").status_code == 401


def test_open_door_is_shut_to_whoever_comes_by_another_address(desk):
    """Another server may have been told to listen elsewhere; the app was not."""
    outside = TestClient(page(desk).app, base_url="http://10.0.0.1")
    seen = outside.get("/api/v1/incidents", headers={"host": "localhost"})
    assert seen.status_code == 401


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Real-IP"]
)
def test_open_door_is_shut_to_whom_a_proxy_on_this_machine_brings(desk, header):
    browser = page(desk)
    assert browser.get("/api/v1/incidents").status_code == 200
    brought = {header: "203.0.113.7"}
    assert browser.get("/api/v1/incidents", headers=brought).status_code == 401


def test_service_with_a_public_name_starts_only_when_it_asks_for_tokens(desk):
    public = {"public_url": "https://agentops.example"}
    with pytest.raises(InputError, match="AGENTOPS_PUBLIC_URL"):
        page(desk, **public)
    with pytest.raises(InputError, match="AGENTOPS_PUBLIC_URL"):
        serve(desk.workshop)
    Keys(Access(desk.service, Identity(name="root", role="admin"), "cli")).create("root", "admin")
    assert page(desk, **public).get("/healthz").status_code == 200


def test_whoever_asks_too_often_is_told_when_to_ask_again(desk):
    browser = page(desk, requests_per_minute=3)
    assert [browser.get("/api/v1/incidents").status_code for _ in range(4)] == [200] * 3 + [429]
    refused = browser.post("/api/v1/alerts", content=b"{" * 500)
    assert refused.status_code == 429  # before the body is looked at
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.headers["content-type"] == "application/problem+json"
    assert browser.get("/healthz").status_code == 200


def test_each_token_has_its_own_room_and_made_up_ones_have_none(desk, keys):
    browser = page(desk, requests_per_minute=3)
    mia, ben = bearer(keys, "viewer"), bearer(keys, "operator")
    asked = [browser.get("/api/v1/incidents", headers=h).status_code for h in (mia, ben)]
    assert asked == [200, 200]  # from now on each counts for itself
    for number in range(4):
        made_up = {"authorization": f"Bearer agops_{number:043d}"}
        last = browser.get("/api/v1/incidents", headers=made_up).status_code
    assert last == 429
    for headers in (mia, ben):
        codes = [browser.get("/api/v1/incidents", headers=headers).status_code for _ in range(4)]
        assert codes == [200] * 3 + [429]


def test_window_moves_with_the_clock():
    now = [0.0]
    rates = Rates(2, 3, clock=lambda: now[0])
    assert [rates.wait_s("a") for _ in range(3)] == [0, 0, 60]
    now[0] = 59.0
    assert rates.wait_s("a") == 1
    now[0] = 60.0
    assert rates.wait_s("a") == 0  # the third of this hour
    assert rates.wait_s("a") == 3540
    assert rates.wait_s("b") == 0
    now[0] = 3600.0
    assert rates.wait_s("a") == 0


def test_callers_without_number_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("agentops_graph.serving.api.rates.MOST_CALLERS", 50)
    rates = Rates(1, 1, clock=lambda: 0.0)
    for number in range(500):
        rates.wait_s(f"10.0.0.{number}")
        rates.trust(f"token {number}", f"T-{number}")
    assert len(rates._asked) <= 51
    assert len(rates._trusted) <= 51


def test_largest_body_is_a_setting_and_holds_for_one_without_a_length(desk):
    browser = page(desk, max_body_bytes=500)
    headers = {"content-type": "application/json"}
    whole = json.dumps(CLAIM | {"summary": "x" * 600}).encode()
    assert browser.post("/api/v1/alerts", content=whole, headers=headers).status_code == 413
    pieces = (whole[i : i + 50] for i in range(0, len(whole), 50))
    assert browser.post("/api/v1/alerts", content=pieces, headers=headers).status_code == 413
    assert browser.post("/api/v1/alerts", json=CLAIM).status_code == 201
