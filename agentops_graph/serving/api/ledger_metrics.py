"""The service's figures for Prometheus: what the ledger holds, read at each scrape."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from agentops_graph.delivery_ports import Backlog
from agentops_graph.domain.incident import GRAPH_VERSION
from agentops_graph.errors import PortError, WrongKeyError
from agentops_graph.ports import Ports

EFFECTS = ("intent", "done", "failed", "unknown", "reconciled", "late_result")
DECISIONS = ("approved", "rejected", "expired", "superseded", "withdrawn")
INCIDENTS = ("opened", "joined", "recovered", "closed", "retried")


@dataclass
class _Written:
    """What was written into the audit since this process began to count."""

    seq: int
    counts: dict[str, int]


class LedgerMetrics:
    """The ledger's figures. One that can't be read leaves `agentops_ledger_up` at 0."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._written = _Written(ports.figures.written_since(None).seq, {})
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
        "incidents_ended_last_day",
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
    yield _counter("incidents_opened", "Incidents that were ever opened.", {(): backlog.incidents})
    yield _counter(
        "incident_events",
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


def _gauge(
    name: str, told: str, values: Mapping[Any, float], labels: tuple[str, ...] = ()
) -> Metric:
    return _filled(GaugeMetricFamily(f"agentops_{name}", told, labels=labels), values)


def _counter(
    name: str, told: str, values: Mapping[Any, float], labels: tuple[str, ...] = ()
) -> Metric:
    return _filled(CounterMetricFamily(f"agentops_{name}", told, labels=labels), values)


def _filled(family: Any, values: Mapping[Any, float]) -> Metric:
    for key, value in values.items():
        family.add_metric(list(key), float(value))
    metric: Metric = family
    return metric
