"""JWTs of an outside issuer: a small local one publishes its keys, and signs good and bad ones."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi.testclient import TestClient

from agentops_graph.adapters.oidc_issuer import OidcIssuer
from agentops_graph.errors import InputError, UnauthenticatedError, UnavailableError
from agentops_graph.serving.api import create_app

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PATIENCE_S = 20


def published():
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    return public | {"kid": "one", "use": "sig", "alg": "RS256"}


@contextmanager
def issuer(**changes):
    """Serves discovery and keys on a free port of this machine."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            document = self.server.documents.get(self.path)
            body = json.dumps(document).encode()
            self.send_response(200 if document else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    url = f"http://127.0.0.1:{server.server_port}"
    server.documents = {
        "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"} | changes,
        "/keys": {"keys": [published()]},
    }
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def url():
    with issuer() as url:
        yield url


def claims(url, **changes):
    now = int(time.time())
    standard = {"iss": url, "aud": "agentops", "sub": "u-1", "iat": now, "exp": now + 300}
    every = standard | {"roles": ["ml", "ml-oncall"], "tenant": "north"} | changes
    return {name: value for name, value in every.items() if value is not None}


def signed(url, key=KEY, algorithm="RS256", kid="one", **changes):
    return jwt.encode(claims(url, **changes), key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def door(desk, url):
    """The service with the issuer set, as a client that shows a bearer token."""
    desk.workshop.settings = desk.workshop.settings.model_copy(
        update={
            "oidc_issuer": url,
            "oidc_audience": "agentops",
            "oidc_roles": {"ml": "viewer", "ml-oncall": "approver"},
        }
    )
    client = TestClient(create_app(desk.workshop, run=False), base_url="http://localhost")

    def ask(token, path="/api/v1/session", **request):
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        method = "POST" if request else "GET"
        return client.request(method, path, headers=headers, **request)

    return ask


def test_person_is_known_by_the_subject_with_the_highest_role_that_is_listed(door, desk, url):
    known = door(signed(url)).json()
    assert (known["name"], known["role"], known["tenant"]) == ("u-1", "approver", None)
    assert door(signed(url, roles="ml other")).json()["role"] == "viewer"
    pending = desk.propose(desk.report())
    body = {"verdict": "approve", "actor": "forged"}
    path = f"/api/v1/approvals/{pending.approval_id}/decision"
    assert door(signed(url, roles=["ml"]), path, json=body).status_code == 403
    assert door(signed(url), path, json=body).json()["approval"]["decided_by"] == "u-1"


def test_token_that_is_not_whole_or_not_for_us_is_refused(door, url):
    now = int(time.time())
    bad = {
        "other audience": signed(url, aud="another service"),
        "no audience": signed(url, aud=None),
        "other issuer": signed(url, iss="https://evil.example"),
        "expired": signed(url, exp=now - 120),
        "without an end": signed(url, exp=None),
        "not yet": signed(url, nbf=now + 600),
        "without a subject": signed(url, sub=None),
        "signed by another": signed(url, key=OTHER_KEY),
        "of an unknown key": signed(url, kid="two"),
        "unsigned": signed(url, key=None, algorithm="none"),
        "signed with a shared key": signed(url, key="x" * 40, algorithm="HS256"),
        "without a role": signed(url, roles=None),
        "with an unknown role": signed(url, roles=["root"]),
        "with a malformed role": signed(url, roles={"ml-oncall": True}),
        "no token": "agops",
        "empty": "",
    }
    for why, token in bad.items():
        assert door(token).status_code == 401, why


def test_with_an_issuer_nobody_is_let_in_without_a_token(door):
    assert door(None).status_code == 401
    assert door("agops_" + "x" * 43).status_code == 401


def test_own_tokens_count_beside_it(door, desk):
    from agentops_graph.access import Access, Keys
    from agentops_graph.domain.identity import Identity

    root = Access(desk.service, Identity(name="root", role="admin"), "cli")
    assert door(Keys(root).create("root", "admin").secret).json()["name"] == "root"


def test_tenant_and_name_are_taken_from_the_claims_that_are_named(url):
    roles = {"ml": "viewer"}
    named = OidcIssuer(url, "agentops", roles=roles, name_claim="email", tenant_claim="tenant")
    known = named.identity_of(signed(url, email="mia@example.com"))
    assert (known.name, known.tenant, known.is_proved) == ("mia@example.com", "north", True)
    for changes in ({"email": None}, {"email": 7}, {"email": "m", "tenant": None}):
        with pytest.raises(Exception, match="this token"):
            named.identity_of(signed(url, **changes))


@pytest.mark.parametrize(
    ("address", "audience", "field"),
    [
        ("http://login.example.com", "agentops", "AGENTOPS_OIDC_ISSUER"),
        ("ftp://127.0.0.1", "agentops", "AGENTOPS_OIDC_ISSUER"),
        ("https://login.example.com", None, "AGENTOPS_OIDC_AUDIENCE"),
    ],
)
def test_issuer_that_can_not_be_trusted_is_refused_at_the_start(address, audience, field):
    with pytest.raises(InputError, match=field):
        OidcIssuer(address, audience, roles={})


def test_issuer_that_does_not_answer_or_speaks_for_another_lets_nobody_in():
    roles = {"ml": "viewer"}
    with (
        issuer(issuer="https://another.example") as other,
        pytest.raises(UnavailableError, match="does not speak for"),
    ):
        OidcIssuer(other, "agentops", roles=roles).identity_of(signed(other))
    with pytest.raises(UnavailableError, match="did not answer"):
        OidcIssuer(other, "agentops", roles=roles).identity_of(signed(other))
    with (
        issuer(jwks_uri="http://keys.example.com/") as plain,
        pytest.raises(UnavailableError, match="not https"),
    ):
        OidcIssuer(plain, "agentops", roles=roles).identity_of(signed(plain))


class Issuer(ThreadingHTTPServer):
    """Answers when it is let, and counts who asked for what."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Counted)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.documents = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
            },
            "/keys": {"keys": [published()]},
        }
        self.asked, self.reached, self.answers = [], threading.Event(), threading.Event()
        self.answers.set()


class _Counted(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.reached.set()
        self.server.answers.wait(PATIENCE_S)
        body = json.dumps(self.server.documents.get(self.path)).encode()
        self.send_response(200 if self.path in self.server.documents else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def counted():
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.answers.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def trusting(counted, now):
    return OidcIssuer(counted.url, "agentops", roles={"ml": "viewer"}, clock=lambda: now[0])


def test_while_one_waits_for_the_issuer_nobody_else_does(counted, trusting, now):
    counted.answers.clear()
    with ThreadPoolExecutor(1) as first:
        waiting = first.submit(trusting.identity_of, signed(counted.url))
        assert counted.reached.wait(PATIENCE_S)
        for _ in range(50):
            with pytest.raises(UnavailableError, match="ask again"):
                trusting.identity_of(signed(counted.url))
        counted.answers.set()
        assert waiting.result().name == "u-1"
    now[0] += 301  # the keys are old; while they are fetched anew, they still serve
    counted.answers.clear()
    counted.reached.clear()
    with ThreadPoolExecutor(1) as first:
        waiting = first.submit(trusting.identity_of, signed(counted.url))
        assert counted.reached.wait(PATIENCE_S)
        assert trusting.identity_of(signed(counted.url)).name == "u-1"
        counted.answers.set()
        assert waiting.result().name == "u-1"


def test_issuer_that_failed_is_left_alone_for_a_while(counted, trusting, now):
    keys = counted.documents.pop("/keys")
    for _ in range(20):
        with pytest.raises(UnavailableError, match="did not answer"):
            trusting.identity_of(signed(counted.url))
    assert len(counted.asked) == 2
    counted.documents["/keys"] = keys
    now[0] += 15
    assert trusting.identity_of(signed(counted.url)).name == "u-1"


def test_made_up_keys_send_nobody_to_the_issuer_and_a_new_one_is_found(counted, trusting, now):
    assert trusting.identity_of(signed(counted.url)).name == "u-1"
    for number in range(20):
        with pytest.raises(UnauthenticatedError, match="nobody published"):
            trusting.identity_of(signed(counted.url, kid=f"made up {number}"))
    assert counted.asked.count("/keys") == 1
    counted.documents["/keys"] = {"keys": [published() | {"kid": "two"}]}
    now[0] += 15
    assert trusting.identity_of(signed(counted.url, kid="two")).name == "u-1"


@pytest.mark.parametrize("document", [None, [], {"keys": "x"}, {"keys": [1]}, {"keys": [{}]}])
def test_issuer_without_a_key_that_can_be_used_lets_nobody_in(counted, trusting, document):
    counted.documents["/keys"] = document
    with pytest.raises(UnavailableError):
        trusting.identity_of(signed(counted.url))
