"""How often one caller may ask: moving windows, counted before a body is read."""

import hashlib
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agentops_graph.serving.api.door import COOKIE
from agentops_graph.serving.api.problems import problem

MINUTE_S, HOUR_S = 60.0, 3600.0
MOST_CALLERS = 10_000
UNCOUNTED = ("/healthz",)
_READS = ("GET", "HEAD")
_LINK = "/a/"
# Noise elsewhere shuts out neither who logs in nor who follows a link: each has room of its own.
APART = (_LINK, "/api/v1/session")


class Rates:
    """Who asked when, in this process.

    A caller is whoever a token, session or link was proved to speak for, else an address: made-up
    tokens buy no room, and neither do many sessions of one token.
    """

    def __init__(
        self, per_minute: int, per_hour: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = ((per_minute, MINUTE_S), (per_hour, HOUR_S))
        self._clock = clock
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
        self._trusted: OrderedDict[str, str] = OrderedDict()  # whose each secret is
        self._lock = threading.Lock()

    def trust(self, secret: str, owner: str) -> None:
        """From now on this secret counts for its owner, not for the address it comes from."""
        with self._lock:
            self._trusted[_short(secret)] = owner
            self._trusted.move_to_end(_short(secret))
            if len(self._trusted) > MOST_CALLERS:
                self._trusted.popitem(last=False)

    def owner(self, secret: str | None) -> str | None:
        return None if secret is None else self._trusted.get(_short(secret))

    def wait_s(self, caller: str) -> float:
        """Counts a request and returns 0, or the seconds after which the next is let in."""
        now = self._clock()
        with self._lock:
            asked = self._asked.setdefault(caller, deque(maxlen=self._limits[-1][0]))
            self._asked.move_to_end(caller)
            waits = [
                asked[-most] + window - now for most, window in self._limits if len(asked) >= most
            ]
            if waits and max(waits) > 0:
                return max(waits)
            asked.append(now)
            if len(self._asked) > MOST_CALLERS:  # whoever has not asked for longest begins anew
                self._asked.popitem(last=False)
        return 0.0


class RateLimit:
    """Middleware: 429 with `Retry-After` for a caller who asks too often.

    `owner_of` looks a secret up. It is asked only where an address has no room left, so that the
    noise of others at the same address never shuts out who shows one that counts.
    """

    def __init__(self, app: ASGIApp, rates: Rates, owner_of: Callable[[str], str | None]) -> None:
        self._app, self._rates, self._owner_of = app, rates, owner_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait_s = 0.0 if _is_uncounted(scope) else await self._wait_s(scope)
        if wait_s <= 0:
            await self._app(scope, receive, send)
            return
        seconds = math.ceil(wait_s)
        refusal = problem(429, f"too many requests; ask again in {seconds} s")
        refusal.headers["Retry-After"] = str(seconds)
        await refusal(scope, receive, send)

    async def _wait_s(self, scope: Scope) -> float:
        secret = _secret_of(scope)
        owner = self._rates.owner(secret)
        wait_s = self._rates.wait_s(owner or _place_of(scope))
        if wait_s <= 0 or owner is not None or secret is None:
            return wait_s
        found = await run_in_threadpool(self._owner_of, secret)
        if found is None:
            return wait_s
        self._rates.trust(secret, found)
        return self._rates.wait_s(found)


def _is_uncounted(scope: Scope) -> bool:
    """A change is counted wherever it goes: each is a row of the audit, even a refused one."""
    if scope["type"] != "http":
        return True
    return scope["path"] in UNCOUNTED and scope["method"] in _READS


def _place_of(scope: Scope) -> str:
    client = scope.get("client")
    apart = next((path for path in APART if scope["path"].startswith(path)), "")
    return f"{client[0] if client else 'unknown'} {apart}"


def _secret_of(scope: Scope) -> str | None:
    if scope["path"].startswith(_LINK):
        return str(scope["path"]).removeprefix(_LINK)
    headers = Headers(scope=scope)
    bearer = headers.get("authorization", "").partition(" ")[2].strip()
    if bearer:
        return bearer
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie is not None else None


def _short(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
