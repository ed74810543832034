"""Who is shut out, and who is not, while somebody at the same address asks without end."""

import json
import threading

import anyio
import httpx
import pytest
from fastapi.testclient import TestClient

from agentops_graph.access import Access, Keys
from agentops_graph.domain.identity import Identity
from agentops_graph.serving.api import create_app
from agentops_graph.serving.api.server import _listening, server_of

PATIENCE_S = 20


@pytest.fixture
def keys(desk):
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    return keys


@pytest.fixture
def browser(desk):
    fewer = {"requests_per_minute": 3}
    desk.workshop.settings = desk.workshop.settings.model_copy(update=fewer)
    return TestClient(create_app(desk.workshop, run=False), base_url="http://localhost")


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


def noise(browser, path="/api/v1/incidents", method="GET"):
    """As many requests as an address has, and one more."""
    for _ in range(3):
        assert browser.request(method, path).status_code != 429
    assert browser.request(method, path).status_code == 429


def test_noise_of_others_shuts_out_no_token_no_login_and_no_link(desk, keys, browser):
    pending = desk.propose(desk.report())
    token, maker = keys.create("mia", "approver").secret, keys.create("max", "approver")
    behind = Keys(Access(desk.service, maker.credential.identity, "cli"))
    path = f"/a/{behind.link(pending.approval_id, 'ben').secret}"
    for noisy, method in [
        ("/api/v1/incidents", "GET"),
        ("/a/x", "GET"),
        ("/api/v1/session", "DELETE"),
    ]:
        noise(browser, noisy, method)
    assert browser.get("/api/v1/incidents", headers=bearer(token)).status_code == 200
    assert browser.get(path).status_code == 200


def test_login_has_room_of_its_own(keys, browser):
    token = keys.create("mia", "approver").secret
    noise(browser)
    assert browser.post("/api/v1/session", json={"token": token}).status_code == 201


def test_secret_that_lets_nobody_in_buys_no_room(keys, browser):
    ended = keys.create("mia", "approver")
    keys.revoke(ended.credential.credential_id)
    noise(browser)
    for secret in (ended.secret, "agops_" + "x" * 43, "é"):
        headers = {"authorization": f"Bearer {secret}".encode()}
        assert browser.get("/api/v1/incidents", headers=headers).status_code == 429


def test_all_sessions_of_a_token_share_its_room(keys, browser):
    token = keys.create("mia", "approver").secret
    asked = []
    for _ in range(2):
        begun = browser.post("/api/v1/session", json={"token": token})
        assert begun.status_code == 201
        asked += [browser.get("/api/v1/incidents").status_code for _ in range(3)]
        browser.cookies.clear()
    # What a session asks first is counted at its address, before it is known whose it is.
    assert asked == [200] * 5 + [429]
    by_token = [browser.get("/api/v1/incidents", headers=bearer(token)) for _ in range(2)]
    assert [answer.status_code for answer in by_token] == [200, 429]


def test_refused_change_of_health_is_counted_like_every_other(desk, browser):
    before = len(desk.workshop.ports.audit.rows())
    codes = [browser.post("/healthz").status_code for _ in range(20)]
    assert codes == [405] * 3 + [429] * 17
    assert len(desk.workshop.ports.audit.rows()) == before + 4
    assert [browser.get("/healthz").status_code for _ in range(9)] == [200] * 9


def listens(server):
    """Returns once it takes connections; before that they are refused."""
    pause, patience = threading.Event(), PATIENCE_S
    while not server.started:
        assert patience > 0
        pause.wait(0.05)
        patience -= 0.05


def test_address_is_that_of_the_connection_whatever_a_header_says(desk, keys, browser):
    server = server_of(browser.app)
    with _listening("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            listens(server)
            codes = [
                httpx.get(
                    f"{url}/api/v1/incidents",
                    headers={"X-Forwarded-For": f"10.0.0.{number}"},
                    timeout=PATIENCE_S,
                ).status_code
                for number in range(4)
            ]
        finally:
            server.should_exit = True
            thread.join()
    assert codes == [401] * 3 + [429]
    rows = [r for r in desk.workshop.ports.audit.rows() if r["what"] == "request"]
    assert {json.loads(row["fields"])["address"] for row in rows} == {"127.0.0.1"}


def test_process_answers_while_all_its_threads_wait(browser):
    async def asked():
        threads = anyio.to_thread.current_default_thread_limiter()
        for _ in range(int(threads.total_tokens)):
            threads.acquire_on_behalf_of_nowait(object())
        inside = httpx.ASGITransport(app=browser.app)
        async with httpx.AsyncClient(transport=inside, base_url="http://localhost") as client:
            with anyio.fail_after(PATIENCE_S):
                return (await client.get("/healthz")).status_code

    assert anyio.run(asked) == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"origin": "http://localhost:9999"}, 403),  # another program of this machine
        ({"origin": "http://localhost:99999"}, 403),
        ({"origin": "http://[localhost"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost", "sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://localhost:80", "sec-fetch-site": "same-origin"}, 404),
        ({"origin": "http://127.0.0.1:8000"}, 404),  # as links in notices name it
        ({"host": "[::1]:8000", "origin": "http://[::1]:8000"}, 404),
        ({"sec-fetch-site": "none"}, 404),
        ({}, 404),
    ],
)
def test_page_of_another_port_is_another_site(browser, headers, code):
    path = "/api/v1/incidents/INC-2026-9999/retry"
    assert browser.post(path, headers=headers).status_code == code
