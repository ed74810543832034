"""Reads over HTTP that go only where they may, for as long and as much as they were allowed.

The one place with the guard against requests that a name leads elsewhere: the address is resolved
and checked here and the connection goes to the address that was checked, so that a name which
changes its answer gains nothing. The host's name stays in the request and in TLS. Redirects are
not followed, no proxy and no stored password of the environment is used.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpcore

from agentops_graph.domain.address import LOOPBACK, refuse_plain_http, why_refused
from agentops_graph.errors import InputError, UnavailableError

USER_AGENT = "agentops"
Resolve = Callable[[str, int], list[str]]  # a host's name and port -> its addresses


@dataclass(frozen=True)
class Limits:
    """How long one request may take, from the look-up of the name to the last byte, and how long
    its answer may be."""

    timeout_s: float
    most_bytes: int


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Rules:
    """Where requests may go."""

    allow_private: frozenset[str] = frozenset()  # hosts that may lie in a private network
    allow_plain: bool = False  # http to another machine


def addresses_of(host: str, port: int) -> list[str]:
    """What the system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedHttp:
    """Asks one source; every failure is an UnavailableError that names the host and no secret."""

    def __init__(self, rules: Rules, resolve: Resolve = addresses_of) -> None:
        self._rules, self._resolve = rules, resolve

    def get(self, url: str, headers: Mapping[str, str], limits: Limits) -> Reply:
        return self._ask("GET", url, headers, b"", limits)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, limits: Limits) -> Reply:
        """For reads that take their question in a body; never for writes."""
        return self._ask("POST", url, headers, body, limits)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, limits: Limits
    ) -> Reply:
        refuse_plain_http(url, field="url", allow_remote=self._rules.allow_plain)
        host = urlsplit(url).hostname or ""
        deadline = monotonic() + max(limits.timeout_s, 0.0)
        network = _CheckedNetwork(self._rules, self._resolve, deadline)
        # Encoded bodies could grow without end once they are opened.
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        patience = dict.fromkeys(("connect", "read", "write", "pool"), limits.timeout_s)
        try:
            with (
                httpcore.ConnectionPool(trusted(url), network_backend=network) as pool,
                pool.stream(
                    method,
                    url,
                    headers=list(sent.items()),
                    content=body or None,
                    extensions={"timeout": patience},
                ) as response,
            ):
                return _whole(response, limits, host, deadline)
        except httpcore.TimeoutException:
            raise UnavailableError(
                f"{host} did not answer within {limits.timeout_s:.3g} s"
            ) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise UnavailableError(f"{host} can't be read: {_told(error)}") from None
        except (httpcore.UnsupportedProtocol, UnicodeError) as error:
            raise UnavailableError(f"{host} can't be asked: {type(error).__name__}") from None


def document_of(reply: Reply, name: str, *, mend: str) -> Any:
    """The JSON of a good answer. Anything else is an UnavailableError that says what was answered,
    never in the words of the answer; `mend` is what to check when we are not let in."""
    if reply.status in (401, 403):
        raise UnavailableError(f"{name} did not let us in ({reply.status}); check {mend}")
    if reply.status == 429:
        raise UnavailableError(f"{name} limits how often it is asked (429); try again later")
    if reply.status != 200:
        raise UnavailableError(f"{name} answered with status {reply.status}")
    kind = reply.content_type.partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnavailableError(f"{name} did not answer with JSON")
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise UnavailableError(f"{name} answered with what is no JSON") from None


def _whole(response: httpcore.Response, limits: Limits, host: str, deadline: float) -> Reply:
    named = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    if named.get(b"content-encoding", "identity").lower() not in ("identity", ""):
        raise UnavailableError(f"{host} answered in an encoding that was not asked for")
    parts, size = [], 0
    for part in response.iter_stream():
        size += len(part)
        if size > limits.most_bytes:
            raise UnavailableError(f"{host} answered more than {limits.most_bytes} bytes")
        if monotonic() > deadline:
            raise UnavailableError(f"{host} was not done within {limits.timeout_s:.3g} s")
        parts.append(part)
    return Reply(response.status, named.get(b"content-type", ""), b"".join(parts))


def _told(error: Exception) -> str:
    """The kind and the words of a failure to connect; they come from this machine."""
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def trusted(url: str) -> ssl.SSLContext | None:
    """The authorities that ship and those that this machine trusts."""
    if not url.startswith("https:"):
        return None
    return _authorities()


@lru_cache(maxsize=1)  # reading them takes longer than most answers
def _authorities() -> ssl.SSLContext:
    context = httpcore.default_ssl_context()
    context.load_default_certs()
    return context


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to nothing else; ends at the deadline."""

    def __init__(self, rules: Rules, resolve: Resolve, deadline: float) -> None:
        self._rules, self._resolve, self._deadline = rules, resolve, deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        last: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in self._allowed(host, port):
            try:
                stream = self._network.connect_tcp(address, port, _left(self._deadline))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
            else:
                return _TimedStream(stream, self._deadline)
        raise last or httpcore.ConnectError(f"{host} has no address")

    def _allowed(self, host: str, port: int) -> list[str]:
        """Every address of the host; one that may not be asked refuses all of them."""
        name = host.strip("[]")
        # The system's resolver takes no time-out: one that hangs is left behind.
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resolve")
        try:
            found = pool.submit(self._resolve, name, port).result(_left(self._deadline))
        except TimeoutError:
            raise UnavailableError(f"the name {name} was not resolved in time") from None
        except OSError:
            raise UnavailableError(f"the name {name} can't be resolved") from None
        finally:
            pool.shutdown(wait=False)
        for address in found:
            refused = why_refused(name, address, allow_private=self._rules.allow_private)
            if refused is not None:
                mend = "" if name in LOOPBACK else "; name it under allow_private if that is meant"
                raise InputError(f"{refused}{mend}", field="url")
        return found


class _TimedStream(httpcore.NetworkStream):
    """A connection that nobody can keep open byte by byte."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        wrapped = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _TimedStream(wrapped, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for this request is over")
    return left
