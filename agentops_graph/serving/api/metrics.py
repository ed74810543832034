"""The service's figures for Prometheus: what this process counted, and what the ledger holds."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentops_graph.delivery_ports import Backlog
from agentops_graph.domain.incident import GRAPH_VERSION
from agentops_graph.errors import PortError, WrongKeyError
from agentops_graph.monitor import Tick
from agentops_graph.ports import Ports

NO_ROUTE = "(no such route)"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SLOW_S = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
LONG_S = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
EFFECTS = ("intent", "done", "failed", "unknown", "reconciled", "late_result")
DECISIONS = ("approved", "rejected", "expired", "superseded", "withdrawn")
INCIDENTS = ("opened", "joined", "recovered", "closed", "retried")


class Metrics:
    """What one service counts about itself, with the ledger's figures read at each scrape."""

    def __init__(self, ports: Ports) -> None:
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
            "Components that nobody may call healthy, by the last round.",
            **own,
        )
        for outcome in ("ok", "failed"):
            self._rounds.labels(outcome)
        ProcessCollector(registry=self.registry)
        self.registry.register(_Ledger(ports))

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "other"
        self._requests.labels(route, method, str(status)).observe(seconds)

    def ticked(self, tick: Tick | None, seconds: float) -> None:
        """One round of the monitor; None when it failed."""
        self._lasted.observe(seconds)
        self._rounds.labels("failed" if tick is None else "ok").inc()
        if tick is not None:
            self._ended_at.set(time.time())
            self._unjudged.set(len(tick.unjudged))


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


@dataclass
class _Written:
    """What was written into the audit since this process began to count."""

    seq: int | None
    counts: dict[str, int]


class _Ledger:
    """The ledger's figures. One that can't be read leaves `agentops_ledger_up` at 0."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._written = _Written(None, {})
        self._lock = threading.Lock()

    def describe(self) -> list[Metric]:
        return []  # nothing is read when the collector is registered

    def collect(self) -> Iterator[Metric]:
        yield _gauge(
            "build_info",
            "The version of agentops.",
            {(version("agentops-graph"), GRAPH_VERSION): 1},
            ("version", "graph_version"),
        )
        try:
            backlog = self._ports.figures.backlog(self._ports.clock.now())
            runners = len(self._ports.leases.runners_alive())
            paused = self._ports.switches.paused()
            counts = self._counted()
        except (PortError, WrongKeyError):
            yield _gauge("ledger_up", "Whether the ledger could be read.", {(): 0})
            return
        yield _gauge("ledger_up", "Whether the ledger could be read.", {(): 1})
        yield _gauge("runners_alive", "Runners with a heartbeat.", {(): runners})
        yield _gauge("actions_paused", "Whether actions are paused.", {(): paused is not None})
        yield from _standing(backlog, self._ports.clock.now())
        yield from _happened(backlog, counts)

    def _counted(self) -> dict[str, int]:
        """Rows are counted once, by whichever scrape comes to them first."""
        with self._lock:
            held = self._written
            tally = self._ports.figures.written_since(held.seq)
            held.seq = tally.seq
            for what, number in tally.counts.items():
                held.counts[what] = held.counts.get(what, 0) + number
            return dict(held.counts)


def _standing(backlog: Backlog, now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "incidents_open",
        "Open incidents.",
        backlog.open_incidents,
        ("status", "alert_type", "severity"),
    )
    yield _gauge(
        "incidents_ended_day",
        "Incidents that ended in the last 24 hours.",
        backlog.ended_lately,
        ("status", "alert_type"),
    )
    yield _gauge(
        "approvals_pending", "Approvals that wait for a person.", {(): backlog.approvals_pending}
    )
    yield _gauge(
        "approvals_oldest_pending_seconds",
        "How long the oldest of them has waited.",
        {(): _age(backlog.oldest_pending_at, now)},
    )
    yield _gauge(
        "effects_open",
        "Effects of which the outcome is not written yet, or not known.",
        {(state,): backlog.effects_open.get(state, 0) for state in ("intent", "unknown")},
        ("state",),
    )
    yield _gauge(
        "jobs_waiting", "Incidents' jobs that no runner has done yet.", {(): backlog.jobs_waiting}
    )
    yield _gauge("outbox_waiting", "Notices that are not sent yet.", {(): backlog.notices_waiting})
    yield _gauge(
        "outbox_oldest_seconds",
        "How long the oldest of them has been due.",
        {(): _age(backlog.oldest_notice_at, now)},
    )
    if backlog.heard_at is not None:
        yield _gauge(
            "delivery_last_timestamp_seconds",
            "When another system last pushed something new.",
            {(): backlog.heard_at.timestamp()},
        )


def _happened(backlog: Backlog, counts: dict[str, int]) -> Iterator[Metric]:
    yield _counter("alerts_admitted", "Alerts that were ever admitted.", {(): backlog.alerts})
    yield _counter(
        "incidents_numbered", "Incidents that were ever opened.", {(): backlog.incidents}
    )
    yield _counter(
        "incidents",
        "What became of incidents, since this process started.",
        _of(counts, "incident", INCIDENTS),
        ("event",),
    )
    yield _counter(
        "approvals",
        "How approvals ended, since this process started.",
        _of(counts, "approval", DECISIONS),
        ("outcome",),
    )
    yield _counter(
        "effects",
        "Effects by what was written of them, since this process started.",
        _of(counts, "effect", EFFECTS),
        ("outcome",),
    )


def _of(counts: dict[str, int], subject: str, words: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    return {(word,): counts.get(f"{subject}.{word}", 0) for word in words}


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _gauge(name: str, told: str, values: dict[Any, float], labels: tuple[str, ...] = ()) -> Metric:
    return _filled(GaugeMetricFamily(f"agentops_{name}", told, labels=labels), values)


def _counter(
    name: str, told: str, values: dict[Any, float], labels: tuple[str, ...] = ()
) -> Metric:
    return _filled(CounterMetricFamily(f"agentops_{name}", told, labels=labels), values)


def _filled(family: Any, values: dict[Any, float]) -> Metric:
    for key, value in values.items():
        family.add_metric(list(key), float(value))
    metric: Metric = family
    return metric
