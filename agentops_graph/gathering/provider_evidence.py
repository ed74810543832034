"""Evidence of an agent's providers: whose requests fail, before the onset and since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.domain.record import Scalar
from agentops_graph.gathering.case import BEFORE, Case, Gatherer, Observed, typed_read
from agentops_graph.gathering.log_evidence import shown

if TYPE_CHECKING:
    from agentops_graph.domain.outputs import Calls
    from agentops_graph.gathering.rows import Mask

PROVIDERS_SHOWN = 6
FEW = 20  # requests; less tells no rate
CLEAR = 0.05  # share of requests; a rise below it is the daily breath


def provider_status(case: Case) -> Observed:
    """The share of failed requests by provider, an hour before the onset and since; with what the
    table of changes says of providers."""
    name, start, end = case.component.name, case.window.start, case.window.end
    query = typed_read("calls", start - BEFORE, end, agent=name)
    calls = case.ports.warehouse.calls(name, start - BEFORE, end)
    if not len(calls):
        said = "no requests are logged by provider"
        return Observed("AGENT_OUTPUTS", query, said, found=False)
    since = calls.timestamps >= start.timestamp()
    values: dict[str, Scalar] = {}
    told = []
    for provider in _busiest(calls):
        its = np.array([each == provider for each in calls.provider])
        label = shown(provider, 60) or "unnamed"
        before, now = _rate(calls, its & ~since), _rate(calls, its & since)
        count = int((its & since).sum())
        values |= {f"{label}.requests": count, f"{label}.failed": now}
        values |= {f"{label}.failed_before": before}
        told.append(
            f"{label}: {_words(before)} -> {_words(now)} of {count} failed{_mark(before, now)}"
        )
    return Observed("AGENT_OUTPUTS", query, "; ".join(told), values)


PROVIDERS = Gatherer("provider_status", "AGENT_OUTPUTS", provider_status)


def _busiest(calls: Calls) -> list[str]:
    names, counts = np.unique(np.array(calls.provider, dtype=str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:PROVIDERS_SHOWN]
    return [str(names[place]) for place in order]


def _rate(calls: Calls, chosen: Mask) -> float | None:
    failed = calls.failed[chosen]
    return float(failed.mean()) if len(failed) >= FEW else None


def _words(rate: float | None) -> str:
    return "too few" if rate is None else f"{rate:.1%}"


def _mark(before: float | None, now: float | None) -> str:
    if before is None or now is None or now - before <= CLEAR:
        return ""
    return " (rose with the onset)"
