"""Looks once more, further back, where nothing was found, and says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.gathering.case import Case, Gatherer, Observed


def looked_again(gatherer: Gatherer, case: Case) -> tuple[Observed, datetime | None]:
    """What the gatherer saw, and from when it looked the second time, if it did.

    Signals stay those of the first look: what lies further back explains less, and the weights of
    the runbooks are meant for the usual window. The gatherer's clock stops with its answer.
    """
    observed, since = _looked(gatherer, case)
    case.asking.meter.stop()
    return observed, since


def _looked(gatherer: Gatherer, case: Case) -> tuple[Observed, datetime | None]:
    observed = gatherer.observe(case)
    wider = case.wider()
    has_further = gatherer.looks_before or wider.window.start < case.window.start
    if observed.found or not has_further:
        return observed, None
    again = gatherer.observe(wider)
    since = wider.onset - wider.look_back if gatherer.looks_before else wider.window.start
    told = f"there was {again.summary}" if again.found else "nothing there either"
    return (
        replace(
            observed,
            query=again.query,
            summary=f"{observed.summary}; looked further back, from {since:%Y-%m-%d %H:%M}: {told}",
            values=again.values if again.found else observed.values,
            references=again.references if again.found else observed.references,
            whole=again.whole or observed.whole,
        ),
        since,
    )
