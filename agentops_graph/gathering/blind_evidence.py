"""Evidence about a source that can't be read: what is behind it, since when, and what it said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.domain.sight import OF_A_SOURCE
from agentops_graph.domain.standing import spoken
from agentops_graph.gathering.case import Case, Observed, seen

if TYPE_CHECKING:
    from agentops_graph.domain.record import Scalar
    from agentops_graph.domain.sight import Sight

NAMED = 20
SAID = 300  # characters of what a source said


def blindness(case: Case) -> Observed:
    """The sights of every component that this source leaves blind."""
    source = case.incident.component.removeprefix(OF_A_SOURCE)
    rounds = case.ports.rounds
    known = [] if rounds is None else rounds.sights()
    dark = [s for s in known if s.blind_since is not None and s.source == source]
    query = f"sights(source={source})"
    if not dark:
        said = f"{source} answers again; no component waits for it"
        return Observed("the ledger's sights", query, said, signals={"source_blind": -1.0})
    return Observed("the ledger's sights", query, _told(case, source, dark), *_figures(dark))


def _told(case: Case, source: str, dark: list[Sight]) -> str:
    since = min(s.blind_since for s in dark if s.blind_since)
    lasted = spoken(max(0.0, (case.now - since).total_seconds()))
    last = max((s.seen_at for s in dark if s.seen_at), default=None)
    answered = "never" if last is None else f"{last:%Y-%m-%d %H:%M:%S} UTC"
    newest = max(dark, key=lambda s: (s.looked_at is not None, s.looked_at or since))
    names = ", ".join(sorted(s.component for s in dark)[:NAMED])
    return (
        f"{source} is not read since {since:%Y-%m-%d %H:%M:%S} UTC ({lasted}); last answer: "
        f"{answered}; it leaves {len(dark)} blind: {names}; it said: {newest.why[:SAID]}"
    )


def _figures(dark: list[Sight]) -> tuple[dict[str, Scalar], dict[str, float]]:
    faults = {s.fault for s in dark}
    values: dict[str, Scalar] = {
        "components": len(dark),
        "missed_looks": max(s.missed for s in dark),
        "faults": ", ".join(sorted(f for f in faults if f)),
    }
    signals = {
        "source_blind": seen(sum(s.missed for s in dark) > 1),
        "source_down": seen(bool(faults & {"down", "gone"})),
        "source_slow": seen("slow" in faults),
        "source_garbled": seen("garbled" in faults),
    }
    return values, signals
