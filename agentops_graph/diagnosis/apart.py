"""What tells two causes apart, and which signals nobody could look for would.

A signal that nobody looked for changes no score. Where it is the one that decides between two
causes, the first may lead only because its runbook weighs more heavily what both of them explain.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentops_graph.diagnosis.scoring import Weighed
    from agentops_graph.domain.knowledge import Cause

OWN_WEIGHT = 2.0  # log-odds of signals that only it explains, before a second cause holds as well
TOLD_APART = 1.5  # log-odds of what only one of two explains, before the first is told from it
# A signal decides about its cause when the runbook weighs it heavily both ways, there and absent.
SEEN, ABSENT = 2.0, 1.0  # log-odds
# Marks of no failure in particular: a broken column alone brings the first five of them.
CONSEQUENCES = frozenset(
    {
        "accuracy_dropped",
        "errors_concentrated",
        "drift_seen",
        "drift_large",
        "drift_abrupt",
        "drift_gradual",
        "drift_growing",
        "latency_high",
        "quality_bad",
    }
)


def untested(
    best: Weighed, others: Iterable[Weighed], signals: Mapping[str, float]
) -> tuple[str, ...]:
    """Deciding signals nobody could look for of which one outcome would put another cause before
    the best that nothing else tells from it; those that would turn it furthest first."""
    turns: dict[str, float] = {}
    for other in others:
        if apart(best, other) < TOLD_APART:
            for name in {*_deciding(best.cause), *_deciding(other.cause)}:
                if not signals.get(name):
                    turns[name] = max(_turned(best, other, name), turns.get(name, 0.0))
    return tuple(sorted((n for n in turns if turns[n] > 0), key=lambda n: (-turns[n], n)))


def apart(best: Weighed, other: Weighed) -> float:
    """By how much the best leads in log-odds of what only one of the two explains. What both
    explain speaks for neither, nor does what most failures bring, unless it speaks against one."""
    names = {*best.effects, *other.effects}
    pairs = {name: (best.effects.get(name, 0.0), other.effects.get(name, 0.0)) for name in names}
    return math.fsum(
        one - two
        for name, (one, two) in pairs.items()
        if min(one, two) <= 0 and (name not in CONSEQUENCES or min(one, two) < 0)
    )


def _deciding(cause: Cause) -> list[str]:
    return [w.signal for w in cause.signals if w.seen >= SEEN and w.absent >= ABSENT]


def _turned(best: Weighed, other: Weighed, name: str) -> float:
    """How far the other would lead had the signal come out as it would like best."""
    there = other.score + _weight(other.cause, name, 1) - best.score - _weight(best.cause, name, 1)
    gone = other.score + _weight(other.cause, name, -1) - best.score - _weight(best.cause, name, -1)
    return max(there, gone)


def _weight(cause: Cause, name: str, strength: int) -> float:
    weights = [w for w in cause.signals if w.signal == name]
    return math.fsum(w.seen if strength > 0 else -w.absent for w in weights)
