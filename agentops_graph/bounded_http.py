"""A transport for clients of language models: an answer ends in time and is no longer than allowed.

The clients' own time-outs are of one read each, so that a server which sends a byte now and then
would hold them for ever, and a line without an end would fill the memory before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import ModuleType
from typing import Any

from agentops_graph.guarded_http import trusted

# What a request needs to be understood.
TRANSFER = (
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
)
MOST_BYTES = 2 * 1024 * 1024  # a streamed draft of 1,500 tokens has under half of it


@dataclass(frozen=True)
class Bounds:
    """When the last byte must be there, and how many there may be."""

    deadline: float  # of the monotonic clock
    most_bytes: int = MOST_BYTES
    own: Mapping[str, str] = field(default_factory=dict)  # headers by small names, such as a key
    passed: Collection[str] = ()  # names of the client's headers that may go along as well


def bounded_transport(http: ModuleType, core: ModuleType, url: str, bounds: Bounds) -> Any:
    """A transport to `url` for a client of `http` (httpx or httpx2), over `core` (httpcore or
    httpcore2). It raises the errors of `http`, uses no proxy and keeps no connection."""
    pool = core.ConnectionPool(
        trusted(url), max_keepalive_connections=0, network_backend=_Network(core, bounds)
    )

    class Transport(http.BaseTransport):  # type: ignore[misc, name-defined]
        """One client's."""

        def handle_request(self, request: Any) -> Any:
            headers = _headers(request.headers.raw, bounds)
            try:
                reply = pool.handle_request(
                    core.Request(
                        request.method,
                        _target(core, request.url),
                        headers=headers,
                        content=request.stream,
                        extensions=request.extensions,
                    )
                )
            except (core.TimeoutException, core.NetworkError, core.ProtocolError) as error:
                raise _translated(http, core, error) from None
            return _response(http, core, reply)

        def close(self) -> None:
            pool.close()

    return Transport()


def _headers(raw: list[tuple[bytes, bytes]], bounds: Bounds) -> list[tuple[bytes, bytes]]:
    """Clients put in what they find in the environment: keys, organisations, whole headers."""
    known = ({*TRANSFER} | {*bounds.passed}) - {*bounds.own}
    kept = [(name, value) for name, value in raw if name.decode("latin-1").lower() in known]
    return kept + [(name.encode(), value.encode()) for name, value in bounds.own.items()]


def _target(core: ModuleType, url: Any) -> Any:
    return core.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _response(http: ModuleType, core: ModuleType, reply: Any) -> Any:
    class Stream(http.SyncByteStream):  # type: ignore[misc, name-defined]
        """The body, with the errors of `http`."""

        def __iter__(self) -> Iterator[bytes]:
            try:
                yield from reply.stream
            except (core.TimeoutException, core.NetworkError, core.ProtocolError) as error:
                raise _translated(http, core, error) from None

        def close(self) -> None:
            reply.close()

    named = {name.lower(): value.lower() for name, value in reply.headers}
    if named.get(b"content-encoding", b"identity") not in (b"identity", b""):
        reply.close()
        # It could grow without end once it is opened.
        raise http.ReadError("the answer is in an encoding that was not asked for")
    return http.Response(
        reply.status, headers=reply.headers, stream=Stream(), extensions=reply.extensions
    )


def _translated(http: ModuleType, core: ModuleType, error: Exception) -> Exception:
    said = str(error) or type(error).__name__
    if isinstance(error, core.TimeoutException):
        return http.ReadTimeout(said)  # type: ignore[no-any-return]
    if isinstance(error, core.ConnectError):
        return http.ConnectError(said)  # type: ignore[no-any-return]
    return http.ReadError(said)  # type: ignore[no-any-return]


class _Network:
    """Connections that end at the deadline and hold no more than their share."""

    def __init__(self, core: ModuleType, bounds: Bounds) -> None:
        self._core, self._bounds = core, bounds
        self._inner = core.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **more: Any
    ) -> _BoundedStream:
        left = _left(self._core, self._bounds.deadline, timeout)
        stream = self._inner.connect_tcp(host, port, timeout=left, **more)
        return _BoundedStream(stream, self._core, self._bounds)


class _BoundedStream:
    """One connection."""

    def __init__(self, stream: Any, core: ModuleType, bounds: Bounds) -> None:
        self._stream, self._core, self._bounds = stream, core, bounds
        self._came = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        content = bytes(self._stream.read(max_bytes, timeout=self._left(timeout)))
        self._came += len(content)
        if self._came > self._bounds.most_bytes:
            raise self._core.ReadError(f"the answer is over {self._bounds.most_bytes} bytes")
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._left(timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _BoundedStream:
        left = self._left(timeout)
        wrapped = self._stream.start_tls(ssl_context, server_hostname, timeout=left)
        return _BoundedStream(wrapped, self._core, self._bounds)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, name: str) -> Any:
        return self._stream.get_extra_info(name)

    def _left(self, timeout: float | None) -> float:
        return _left(self._core, self._bounds.deadline, timeout)


def _left(core: ModuleType, deadline: float, timeout: float | None) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise core.ReadTimeout("the time for this answer is over")
    return left if timeout is None else min(left, timeout)
