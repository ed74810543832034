"""The HTTP API of one Prometheus server: reads only, bounded in time and size."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.prometheus_series.answers import (
    Points,
    outcome,
    points_in,
    told,
)
from agentops_graph.domain.address import refuse_plain_http
from agentops_graph.errors import InputError, UnavailableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    import httpx

    from agentops_graph.domain.sources.prometheus import PrometheusServer

MOST_POINTS = 10_000  # of one answer; the server refuses more than 11,000
MOST_BYTES = 8 * 1024 * 1024  # ten times what the most points need
LONGEST_GET = 4000  # characters of a query in the address; a longer one is posted
REST_S = 15.0  # how long a server that can't be reached is not asked again
STRIKES = 2  # answers in a row that never came before it counts as unreachable


class PromApi:
    """One server. Every failure is an UnavailableError, a query that it refuses a
    RefusedQueryError. `place` is where its address stands; its `ca_file` is found from `folder`.

    A server that can't be reached is left alone for `rest_s`: else each of a hundred components
    would wait for its time-out in turn.
    """

    def __init__(
        self,
        server: PrometheusServer,
        secret: str | None = None,
        *,
        allow_remote: bool = False,
        rest_s: float = REST_S,
        place: str = "url",
        folder: Path = Path(),
    ) -> None:
        _check_address(server, allow_remote, place)
        self.server = server
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._strikes, self._rests_until, self._why = 0, 0.0, ""
        self._http = _client(server, secret, folder)

    def version(self) -> str:
        """What it says of its build; empty where a server that speaks the same API says nothing."""
        found = self._asked("/api/v1/status/buildinfo", {}, optional=True)
        held = found.get("version") if isinstance(found, dict) else None
        return str(held)[:100] if held else ""

    def query(self, query: str, at: float) -> list[Points]:
        """The value of each series at one moment."""
        return points_in(self._asked("/api/v1/query", {"query": query, "time": f"{at:.3f}"}))

    def query_range(self, query: str, first: float, last: float, step: int) -> list[Points]:
        """Each series from `first` to `last`, both inside, every `step` seconds. Asked in pieces
        where there are more points than the server gives at once."""
        found: dict[tuple[tuple[str, str], ...], list[Points]] = {}
        length = step * (MOST_POINTS - 1)
        while first <= last:
            end = min(last, first + length)
            asked = {
                "query": query,
                "start": f"{first:.3f}",
                "end": f"{end:.3f}",
                "step": str(step),
            }
            for points in points_in(self._asked("/api/v1/query_range", asked)):
                found.setdefault(tuple(sorted(points.labels.items())), []).append(points)
            first = end + step
        return [Points.joined(parts) for parts in found.values()]

    def _asked(self, path: str, parameters: dict[str, str], *, optional: bool = False) -> Any:
        self._refuse_while_resting()
        with self._counted(path):
            status, body = self._read(path, parameters)
        if optional and status == 404:
            return {}
        return outcome(status, body, f"{self.server.name} ({self._http.base_url})")

    def _read(self, path: str, parameters: dict[str, str]) -> tuple[int, bytes]:
        """Twice where the connection broke; a time-out is not waited for again."""
        import httpx
        import stamina

        for attempt in stamina.retry_context(
            on=(httpx.NetworkError, httpx.RemoteProtocolError),
            attempts=2,
            wait_initial=0.05,
            wait_jitter=0.05,
        ):
            with attempt:
                return self._fetched(path, parameters)
        raise UnavailableError(f"{self.server.name} was not asked")

    def _fetched(self, path: str, parameters: dict[str, str]) -> tuple[int, bytes]:
        """Status and body, which may take as long in all as one read may."""
        long = sum(map(len, parameters.values())) > LONGEST_GET
        how: dict[str, Any] = {"data": parameters} if long else {"params": parameters}
        deadline, body = monotonic() + self.server.timeout_s, bytearray()
        with self._http.stream("POST" if long else "GET", path, **how) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise UnavailableError(
                        f"{self.server.name} answered more than {MOST_BYTES // 1024**2} MiB; "
                        "narrow the query, or take a longer step"
                    )
                if monotonic() > deadline:
                    raise UnavailableError(
                        f"{self.server.name} had not answered in full after "
                        f"{self.server.timeout_s:g} s"
                    )
            return response.status_code, bytes(body)

    @contextmanager
    def _counted(self, path: str) -> Iterator[None]:
        """Turns errors of the transport into ours, and remembers that the server is down."""
        import httpx

        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            lost = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            why = f"{self.server.name} ({self._http.base_url}) gave no answer to {path}: " + (
                f"nothing within {self.server.timeout_s:g} s"
                if isinstance(error, httpx.TimeoutException)
                else f"{type(error).__name__} {told(str(error))}".rstrip()
            )
            with self._lock:
                self._strikes += STRIKES if lost else 1
                if self._strikes >= STRIKES:
                    self._rests_until, self._why = monotonic() + self._rest_s, why
            raise UnavailableError(why) from error
        with self._lock:
            self._strikes = 0

    def _refuse_while_resting(self) -> None:
        with self._lock:
            if monotonic() < self._rests_until:
                raise UnavailableError(f"{self._why}; it is not asked again for a few seconds")


def _check_address(server: PrometheusServer, allow_remote: bool, field: str) -> None:
    refuse_plain_http(server.url, field=field, allow_remote=allow_remote)
    if "@" in server.url or "?" in server.url or "#" in server.url:
        raise InputError(
            "holds more than scheme, host, port and path; a password belongs into a variable that "
            "`password_env` names",
            field=field,
        )


def _client(server: PrometheusServer, secret: str | None, folder: Path) -> httpx.Client:
    import httpx

    headers = {"Accept": "application/json"}
    if server.token_env is not None:
        headers["Authorization"] = f"Bearer {secret}"
    if server.org_id is not None:
        headers["X-Scope-OrgID"] = server.org_id
    # No redirects: the credentials would follow them.
    return httpx.Client(
        base_url=server.url.rstrip("/"),
        headers=headers,
        auth=(server.user, secret or "") if server.user is not None else None,
        timeout=server.timeout_s,
        # A connection that rested between two ticks may be dead, and would look like a dead server.
        limits=httpx.Limits(max_keepalive_connections=0),
        verify=_trusted(server, folder),
        follow_redirects=False,
        trust_env=False,
    )


def _trusted(server: PrometheusServer, folder: Path) -> ssl.SSLContext | bool:
    import ssl

    if server.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=folder / server.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"{server.ca_file} holds no certificates that can be read: {error}",
            field=f"prometheus server {server.name}: ca_file",
        ) from None
