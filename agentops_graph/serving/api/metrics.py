"""The service's figures for Prometheus: what this process counts itself."""

import time
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentops_graph.monitor import Tick
from agentops_graph.ports import Ports
from agentops_graph.serving.api.ledger_metrics import LedgerMetrics

NO_ROUTE = "(no such route)"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SLOW_S = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
LONG_S = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)


class Metrics:
    """What one service counts about itself, with the ledger's figures read at each scrape."""

    def __init__(self, ports: Ports) -> None:
        # Or each has a second series, which nobody here asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        own: Any = {"registry": self.registry}
        self._requests = Histogram(
            "agentops_http_request_seconds",
            "Requests that were answered, by route, method and status.",
            ("route", "method", "status"),
            buckets=SLOW_S,
            **own,
        )
        self._rounds = Counter(
            "agentops_monitor_ticks", "Rounds of the monitor.", ("outcome",), **own
        )
        self._lasted = Histogram(
            "agentops_monitor_tick_seconds", "How long rounds lasted.", buckets=LONG_S, **own
        )
        self._ended_at = Gauge(
            "agentops_monitor_last_tick_timestamp_seconds", "When the last good round ended.", **own
        )
        self._unjudged = Gauge(
            "agentops_monitor_unjudged_components",
            "Components that nobody may call healthy, by the last look at each.",
            **own,
        )
        self._unjudged_ones: set[str] = set()
        self._blind = Gauge(
            "agentops_monitor_blind_components",
            "Components that can't be seen for too long, by the last look at each.",
            **own,
        )
        self._blind_ones: set[str] = set()
        for outcome in ("ok", "failed"):
            self._rounds.labels(outcome)
        ProcessCollector(registry=self.registry)
        self.registry.register(LedgerMetrics(ports))

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "other"
        self._requests.labels(route, method, str(status)).observe(seconds)

    def ticked(self, tick: Tick | None, seconds: float) -> None:
        """One round of the monitor; None when it failed."""
        self._lasted.observe(seconds)
        self._rounds.labels("failed" if tick is None else "ok").inc()
        if tick is not None:
            self._ended_at.set(time.time())
            # A round looks at those that are due, not at all.
            self._unjudged_ones -= set(tick.readings)
            self._unjudged_ones |= set(tick.unjudged)
            self._unjudged.set(len(self._unjudged_ones))
            self._blind_ones -= set(tick.readings)
            self._blind_ones |= set(tick.blind)
            self._blind.set(len(self._blind_ones))


class Measured:
    """Middleware, the outermost: how long each request took. Routes stand as their templates, so
    that nobody outside decides how many there are."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = str(getattr(scope.get("route"), "path", NO_ROUTE))
            self._metrics.answered(route, scope["method"], status, time.monotonic() - began)
