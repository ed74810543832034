"""The gatherers of declared sources: one for each log and API that speaks of these components."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentops_graph.gathering.case import SLACK, Case, Gatherer, Observed
from agentops_graph.gathering.log_evidence import told_by_log

if TYPE_CHECKING:
    from agentops_graph.evidence_ports import FactSource


def declared_gatherers(case: Case) -> tuple[Gatherer, ...]:
    """In the order in which they are declared; none where nothing is."""
    logs = [
        Gatherer("logs", f"log {source.name}", partial(told_by_log, source=source, target=target))
        for source in case.ports.logs
        for target in source.targets(case.subjects)
    ]
    facts = [
        Gatherer("rest", source.name, partial(told_by_facts, source=source, target=target))
        for source in case.ports.facts
        for target in source.targets(case.subjects)
    ]
    return (*logs, *facts)


def told_by_facts(case: Case, source: FactSource, target: str) -> Observed:
    """What an API answers about the time since the onset."""
    found = case.counted(source, f"rest:{source.name}").facts(
        target, case.window.start - SLACK, case.window.end
    )
    return Observed(
        source=f"{source.name} ({found.place})",
        query=found.query,
        summary=found.summary,
        values=dict(found.values),
        signals=dict(found.signals),
    )
