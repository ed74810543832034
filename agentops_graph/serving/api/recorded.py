"""Who asked the HTTP service for what: a row of the audit for what changes or was refused."""

import logging
import time
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentops_graph.domain.approval import Door
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import PortError, WrongKeyError

log = logging.getLogger(__name__)

READS = ("GET", "HEAD", "OPTIONS")
REFUSED = (401, 403)
TOO_MANY = 429
NO_ANSWER = 500
QUIET_S = 60.0  # of one address that asks too often, one refusal in this time is a row
MOST_ADDRESSES = 10_000
LONGEST = 200
NOBODY = "anonymous"
NO_ROUTE = "(no such route)"


class Recorded:
    """Middleware, the outermost: writes down each request as it is answered.

    Routes stand as their templates and bodies stay out, so that no row holds what was sent. A row
    that can't be written is an error in the log; what was asked for has been done by then.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._told: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                await self._note(scope, status)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if status is None:
                await self._note(scope, NO_ANSWER)

    async def _note(self, scope: Scope, status: int) -> None:
        asked = _asked(scope, status)
        if not self._is_row(scope, status):
            log.info("%(method)s %(route)s %(status)s %(actor)s %(address)s", asked)
            return
        try:
            await run_in_threadpool(_write, scope, asked)
        except (PortError, WrongKeyError) as error:
            log.error("a request is missing in the audit: %s; it was %s", error, asked)

    def _is_row(self, scope: Scope, status: int) -> bool:
        if status == TOO_MANY:
            return self._is_first(str(_address(scope)))
        return scope["method"] not in READS or status in REFUSED

    def _is_first(self, address: str) -> bool:
        """A flood is to be seen in the audit, not to fill it."""
        now = time.monotonic()
        if now - self._told.get(address, -QUIET_S) < QUIET_S:
            return False
        if len(self._told) >= MOST_ADDRESSES:
            self._told.clear()
        self._told[address] = now
        return True


def _asked(scope: Scope, status: int) -> dict[str, Scalar]:
    identity = scope.get("state", {}).get("identity")
    agent = Headers(scope=scope).get("user-agent")
    return {
        "actor": getattr(identity, "name", NOBODY),
        "method": str(scope["method"])[:LONGEST],
        "route": _template(scope),
        "status": status,
        "address": _address(scope),
        "user_agent": agent[:LONGEST] if agent else None,
        "role": getattr(identity, "role", None),
        "credential_id": getattr(identity, "credential_id", None),
        "approval_id": getattr(identity, "approval_id", None),
    }


def _template(scope: Scope) -> str:
    route: Any = scope.get("route")
    return str(getattr(route, "path", NO_ROUTE))


def _address(scope: Scope) -> str | None:
    client = scope.get("client")
    return str(client[0]) if client else None


def _write(scope: Scope, asked: dict[str, Scalar]) -> None:
    ports = scope["app"].state.workshop.ports
    via: Door = "link" if asked["approval_id"] is not None else "http"
    rest = {name: value for name, value in asked.items() if name != "actor"}
    ports.audit.write("request", actor=str(asked["actor"]), via=via, at=ports.clock.now(), **rest)
