"""How often one caller may ask: moving windows, counted before a body is read."""

import hashlib
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agentops_graph.serving.api.door import COOKIE
from agentops_graph.serving.api.problems import problem

MINUTE_S, HOUR_S = 60.0, 3600.0
MOST_CALLERS = 10_000
UNCOUNTED = ("/healthz",)


class Rates:
    """Who asked when, in this process.

    A caller is a token or session that was proved here before, else an address: made-up tokens
    buy no room.
    """

    def __init__(
        self, per_minute: int, per_hour: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = ((per_minute, MINUTE_S), (per_hour, HOUR_S))
        self._clock = clock
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
        self._trusted: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def trust(self, secret: str) -> None:
        """From now on this token counts for itself, not for the address it comes from."""
        with self._lock:
            self._trusted[_short(secret)] = None
            self._trusted.move_to_end(_short(secret))
            if len(self._trusted) > MOST_CALLERS:
                self._trusted.popitem(last=False)

    def caller(self, secret: str | None, address: str) -> str:
        is_trusted = secret is not None and _short(secret) in self._trusted
        return _short(secret or "") if is_trusted else address

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
    """Middleware: 429 with `Retry-After` for a caller who asks too often."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNCOUNTED:
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        secret = _secret_of(Headers(scope=scope))
        wait_s = self._rates.wait_s(self._rates.caller(secret, client[0] if client else "unknown"))
        if wait_s <= 0:
            await self._app(scope, receive, send)
            return
        seconds = math.ceil(wait_s)
        refusal = problem(429, f"too many requests; ask again in {seconds} s")
        refusal.headers["Retry-After"] = str(seconds)
        await refusal(scope, receive, send)


def _secret_of(headers: Headers) -> str | None:
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
