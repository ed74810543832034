"""Requests go to the addresses that were checked, whatever names and servers say."""

import socket
import ssl
import threading
import time

import pytest

from agentops_graph.domain.address import checked_address, why_refused
from agentops_graph.errors import InputError, UnavailableError
from agentops_graph.guarded_http import GuardedHttp, Limits, Rules
from tests.adapters.log_wire import serving, status

LIMITS = Limits(timeout_s=1, most_bytes=10_000)
PUBLIC = ("8.8.8.8", "2606:4700::1111")
REFUSED = {
    "127.0.0.1": "loopback",
    "::1": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "private",
    "fd00::1": "private",
    "169.254.169.254": "link-local",
    "::ffff:169.254.169.254": "link-local",
    "64:ff9b::a9fe:a9fe": "link-local",
    "2002:a9fe:a9fe::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fd00:ec2::254": "cloud's own",
    "100.100.100.200": "cloud's own",
    "0.0.0.0": "no host's address",
    "::": "no host's address",
    "224.0.0.1": "no host's address",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_asked(address):
    assert why_refused("api.example.com", address, allow_private=()) is None


@pytest.mark.parametrize(("address", "reach"), REFUSED.items())
def test_an_inner_address_is_refused_and_a_listed_host_reaches_private_ones_only(address, reach):
    assert reach in why_refused("api.example.com", address, allow_private=())
    refused = why_refused("api.example.com", address, allow_private=("api.example.com",))
    assert (refused is None) is (reach in ("private", "loopback"))


def test_metadata_is_reached_only_where_the_list_names_the_very_address():
    given = {"allow_private": ("169.254.169.254",)}
    assert why_refused("169.254.169.254", "169.254.169.254", **given) is None
    assert why_refused("x", "169.254.169.253", **given)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://me:pass@api.example.com/",
            "https://token@api.example.com/",
            "file:///etc/passwd",
        ),
        *(
            "gopher://x/",
            "https://",
            "https://a b/",
            "https://x\\@y/",
            "http://x:99999/",
            "https://ä/",
        ),
    ],
)
def test_addresses_with_users_or_of_other_kinds_are_refused(url):
    with pytest.raises(ValueError, match="must") as refused:
        checked_address(url)
    assert "me:pass" not in str(refused.value)


def test_a_name_that_changes_its_answer_never_leads_to_another_address():
    """The first look-up says one address, every other one this machine: the one that was checked is
    the one that is connected to."""
    answers = iter(["127.0.0.2"])  # the rules allow this very address, where nobody listens

    def resolve(host, port):
        return [next(answers, "127.0.0.1")]

    with serving(status(200)) as server:
        http = GuardedHttp(Rules(frozenset({"127.0.0.2"}), allow_plain=True), resolve)
        url = f"http://rebound.example:{server.server_port}/"
        with pytest.raises(UnavailableError, match="refused"):
            http.get(url, {}, LIMITS)
        with pytest.raises(InputError, match=r"leads to 127\.0\.0\.1, which is loopback"):
            http.get(url, {}, LIMITS)
        assert server.asked == []


def test_one_inner_address_among_public_ones_refuses_all_of_them():
    http = GuardedHttp(Rules(allow_plain=True), lambda host, port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(InputError, match=r"mixed\.example leads to 10\.0\.0\.1"):
        http.get("http://mixed.example/", {}, LIMITS)


def test_the_address_is_resolved_once_and_the_name_stays_in_the_request():
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return ["127.0.0.1"]

    with serving(status(200, b"[]")) as server:
        rules = Rules(frozenset({"logs.internal"}), allow_plain=True)
        url = f"http://logs.internal:{server.server_port}/x"
        assert GuardedHttp(rules, resolve).get(url, {}, LIMITS).body == b"[]"
    assert asked == [("logs.internal", server.server_port)]
    assert server.asked[0].headers["Host"] == f"logs.internal:{server.server_port}"


def test_tls_is_asked_for_by_name_though_the_address_is_connected_to():
    seen = []
    listener = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda tls, name, _: seen.append(name)

    def greet():
        connection, _ = listener.accept()
        connection.settimeout(2)
        with connection, pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(connection, server_side=True)

    thread = threading.Thread(target=greet)
    thread.start()
    rules = Rules(frozenset({"logs.internal"}))
    http = GuardedHttp(rules, lambda host, port: ["127.0.0.1"])
    with listener, pytest.raises(UnavailableError):
        http.get(f"https://logs.internal:{listener.getsockname()[1]}/", {}, LIMITS)
    thread.join()
    assert seen == ["logs.internal"]


def test_a_redirect_is_an_answer_and_is_not_followed():
    def answer(wire, asked):
        wire.say(302, b"", Location=f"http://127.0.0.1:{wire.server.server_port}/secret")

    with serving(answer) as server:
        reply = GuardedHttp(Rules()).get(server.url, {"Authorization": "Bearer x"}, LIMITS)
    assert reply.status == 302
    assert len(server.asked) == 1


def test_no_proxy_of_the_environment_sees_a_request(monkeypatch):
    with serving(status(500)) as proxy, serving(status(200)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert GuardedHttp(Rules()).get(server.url, {}, LIMITS).status == 200
    assert proxy.asked == []


def test_plain_http_to_another_machine_is_refused_before_anything_is_resolved():
    def resolve(host, port):
        raise AssertionError

    with pytest.raises(InputError, match="must begin with https"):
        GuardedHttp(Rules(), resolve).get("http://api.example.com/", {}, LIMITS)


def test_a_resolver_that_hangs_costs_the_time_of_the_request_and_no_more():
    release = threading.Event()

    def resolve(host, port):
        release.wait(10)
        return []

    begun = time.perf_counter()
    with pytest.raises(UnavailableError, match="not resolved in time"):
        GuardedHttp(Rules(), resolve).get("https://slow.example/", {}, Limits(0.2, 1000))
    assert time.perf_counter() - begun < 2
    release.set()


def test_a_name_that_nobody_knows_is_unavailable():
    def resolve(host, port):
        raise socket.gaierror

    with pytest.raises(UnavailableError, match="can't be resolved"):
        GuardedHttp(Rules(), resolve).get("https://nowhere.example/", {}, LIMITS)
