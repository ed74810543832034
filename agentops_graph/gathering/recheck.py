"""Whether an earlier answer still holds: what spoke for it, and what would speak for another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentops_graph.domain.evidence import merged_signals
from agentops_graph.gathering.earlier import evidence_kept, named_by, telling_of
from agentops_graph.gathering.gather import gather

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.diagnosis import Diagnosis, Hypothesis
    from agentops_graph.domain.evidence import Evidence, EvidenceKind
    from agentops_graph.domain.incident import Incident
    from agentops_graph.domain.model_use import ModelUse
    from agentops_graph.domain.record import Scalar
    from agentops_graph.ports import Ports

SHARE = 0.1  # of the first calls, for what spoke for the answer
BESIDE_EVIDENCE = 4  # causes, two searches and the reasoner, which a repeat does without
# A new cause leaves the old signals as they were and shows here first. They come on top of the
# share: a tenth of the usual sixteen calls is one, and one alone proves nothing of the others.
GUARDS: tuple[EvidenceKind, ...] = ("changes", "model_versions", "service_health")


@dataclass(frozen=True)
class Recheck:
    """What was gathered anew, and what it cost beside the first time."""

    found: list[Evidence]
    first: list[Evidence]
    asked: ModelUse | None  # of the first time

    @property
    def first_calls(self) -> int:
        """A model counts as one, however often it was asked: what a repeat may spend grows not."""
        return len(self.first) + BESIDE_EVIDENCE

    @property
    def cost(self) -> dict[str, float]:
        """By the same measure: the time of each piece, which other pieces may have run beside."""
        return {
            "calls": len(self.found),
            "first_calls": self.first_calls,
            "ms": _ms(self.found),
            "first_ms": _ms(self.first) + (self.asked.seconds * 1000 if self.asked else 0.0),
        }


def rechecked(
    ports: Ports,
    incident: Incident,
    alert: Alert,
    now: datetime,
    *,
    of: Incident,
    origin: tuple[str, Diagnosis],
) -> Recheck | None:
    """The most telling pieces of the first investigation and the guards, gathered in one push;
    None when there is too little to go by, or the world is another than then."""
    investigated, diagnosis = origin
    named = named_by(diagnosis)
    told, then = telling_of(ports, incident), [telling_of(ports, of)]
    if named is None or told.is_graver(then) or told.tells_more(then):
        return None
    first = evidence_kept(ports, investigated)
    wanted = _telling(named, first)[: int(SHARE * (len(first) + BESIDE_EVIDENCE))]
    if not wanted:
        return None
    kinds = {*GUARDS, *(piece.kind for piece in wanted)}
    found = gather(
        ports, incident, alert, now, kept=ports.answers, only=lambda each: each.kind in kinds
    )
    same = _say_the_same(named, wanted, found) and not _is_another_world(named, first, found)
    return Recheck(found, first, diagnosis.model_use) if same else None


def _telling(named: Hypothesis, first: Sequence[Evidence]) -> list[Evidence]:
    """Pieces that spoke for the cause, those with the most signals for it first."""
    spoke = {p.evidence_id: sum(p.signals.get(s, 0) > 0 for s in named.signals_for) for p in first}
    telling = [piece for piece in first if spoke[piece.evidence_id]]
    return sorted(telling, key=lambda piece: -spoke[piece.evidence_id])


def _say_the_same(named: Hypothesis, then: list[Evidence], now: list[Evidence]) -> bool:
    """Every signal for the cause that those pieces gave is seen again."""
    was, is_now = merged_signals(tuple(then)), merged_signals(tuple(now))
    seen = [signal for signal in named.signals_for if was.get(signal, 0) > 0]
    return bool(seen) and all(is_now.get(signal, 0) > 0 for signal in seen)


def _is_another_world(
    named: Hypothesis, first: Sequence[Evidence], found: Sequence[Evidence]
) -> bool:
    """True when something is seen that was not, or less, and that did not speak for the answer:
    it speaks for another cause or against this one. And when that can't be told any more."""
    was, is_now = merged_signals(tuple(first)), merged_signals(tuple(found))
    is_new = any(
        strength > max(0.0, was.get(signal, 0.0))
        for signal, strength in is_now.items()
        if signal not in named.signals_for
    )
    return is_new or _serving(first) != _serving(found) or _is_blind(first, found)


def _is_blind(first: Sequence[Evidence], found: Sequence[Evidence]) -> bool:
    """A source failed, or does not measure any more what it measured then."""
    measured = {piece.kind for piece in found if piece.signals}
    asked = {piece.kind for piece in found}
    lost = {piece.kind for piece in first if piece.signals and piece.kind in asked} - measured
    return bool(lost) or any(piece.status == "failed" for piece in found)


def _serving(evidence: Sequence[Evidence]) -> Scalar:
    versions = [p.values.get("serving") for p in evidence if p.kind == "model_versions"]
    return versions[0] if versions else None


def _ms(evidence: Sequence[Evidence]) -> float:
    return round(sum(piece.got.ms for piece in evidence if piece.got), 1)
