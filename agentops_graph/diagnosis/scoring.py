"""How strongly evidence speaks for each candidate cause, as probabilities that sum to one.

Naive Bayes in log-odds form (Good 1950, "weights of evidence"): a cause starts at the log-odds of
its prior, and every signal adds its weight when seen or subtracts its weight when it was looked
for and is absent; a signal nobody looked for changes nothing. Signals of one failure go together,
so plain naive Bayes is far too sure of itself; scores are divided by a temperature before the
softmax and the probability is calibrated on labelled cases (`calibration.py`). "None of these"
competes as a hypothesis of its own, and the answer is never surer than `CONFIDENCE_LIMIT`, nor than
`UNTESTED_LIMIT` while what decides between it and another cause is unknown (`apart.py`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agentops_graph.diagnosis.apart import CONSEQUENCES, OWN_WEIGHT, untested
from agentops_graph.diagnosis.calibration import shipped
from agentops_graph.diagnosis.precedents import bonus
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE
from agentops_graph.domain.knowledge import Cause, Page, SignalWeight

UNKNOWN_LOG_ODDS = 0.0  # a cause must be more likely than not before it beats "none of these"
CONFIDENCE_LIMIT = 0.95
UNTESTED_LIMIT = 0.64  # with the little that a model that agrees may add it is still not sure
SETTLED = 0.5  # under this probability no cause is named
MARGIN = 0.1  # two causes nearer than this are not told apart
MIN_SIGNALS = 2  # observed signals that must speak for a cause before it is named
SIMILAR = "similar_incident"


@dataclass(frozen=True)
class Weighed:
    """One cause with what each measured signal did to it."""

    cause: Cause
    score: float  # log-odds
    effects: dict[str, float]  # signal -> what it added or took away
    coverage: float  # share of the cause's weight that somebody looked for
    seen: frozenset[str]  # those of its signals that are there
    probability: float = 0.0
    untested: tuple[str, ...] = ()  # of the first: unknown signals that may put another before it

    @property
    def prior(self) -> float:
        """In log-odds."""
        return math.log(self.cause.prior / (1 - self.cause.prior))

    @property
    def signals_for(self) -> tuple[str, ...]:
        return tuple(s for s, effect in self.effects.items() if effect > 0)

    @property
    def signals_against(self) -> tuple[str, ...]:
        return tuple(s for s, effect in self.effects.items() if effect < 0)

    @property
    def held_back(self) -> float:
        """The probability, held back while much of what would test the cause was not looked for."""
        return self.probability * (0.7 + 0.3 * self.coverage)

    @property
    def confidence(self) -> float:
        limit = UNTESTED_LIMIT if self.untested else CONFIDENCE_LIMIT
        return min(limit, shipped().of(self.held_back))


def weighed(
    causes: Sequence[Cause], signals: Mapping[str, float], incidents: dict[str, Page]
) -> list[Weighed]:
    """Candidates, the most probable first; with "none of these" their probabilities sum to 1."""
    scored = [_scored(cause, signals, incidents) for cause in _distinct(causes)]
    temperature = shipped().temperature
    scores = [w.score / temperature for w in scored]
    top = max([*scores, UNKNOWN_LOG_ODDS])
    total = math.fsum(math.exp(s - top) for s in [*scores, UNKNOWN_LOG_ODDS])
    found = [
        replace(one, probability=math.exp(score - top) / total)
        for one, score in zip(scored, scores, strict=True)
    ]
    return _tested(sorted(found, key=lambda w: -w.probability), signals)


def _tested(ranked: list[Weighed], signals: Mapping[str, float]) -> list[Weighed]:
    """The first knows which signals are missing that may put another before it; a cause that holds
    beside it does not compete."""
    if not ranked:
        return []
    beside = {w.cause.cause for w in holding_too(ranked)}
    others = [w for w in ranked[1:] if w.cause.cause not in beside]
    return [replace(ranked[0], untested=untested(ranked[0], others, signals)), *ranked[1:]]


def holding_too(ranked: Sequence[Weighed]) -> list[Weighed]:
    """Causes that hold beside the best: more likely than not by themselves, and seen in at least
    two signals that the best does not explain. Two causes of one failure are seldom both; of two
    failures each leaves marks of its own. What is absent marks nothing, nor does what follows from
    most failures."""
    if not ranked:
        return []
    best = {s for s in ranked[0].signals_for if s != SIMILAR}
    explained = {s for s, effect in ranked[0].effects.items() if effect >= 0} | CONSEQUENCES
    found = []
    for other in ranked[1:]:
        marks = other.seen - explained
        own = {s: e for s, e in other.effects.items() if e > 0 and s in marks}
        lost = {s for s in best if s not in other.effects}
        is_apart = len(own) >= MIN_SIGNALS and len(lost) >= MIN_SIGNALS
        if is_apart and other.score > 0 and math.fsum(own.values()) >= OWN_WEIGHT:
            found.append(other)
    return found


def led(ranked: Sequence[Weighed]) -> list[Weighed]:
    """The ranking in which causes that hold beside the best don't compete with it."""
    beside = holding_too(ranked)
    taken = math.fsum(w.probability for w in beside)
    if not taken:
        return list(ranked)
    names = {w.cause.cause for w in beside}
    alone = [w for w in ranked if w.cause.cause not in names]
    return [replace(w, probability=min(1.0, w.probability / (1 - taken))) for w in alone]


def doubt(ranked: Sequence[Weighed]) -> str | None:
    """Why no cause can be named yet, or None when the first of the ranking stands."""
    if not ranked:
        return "no runbook describes a cause for this kind of alert"
    ranked = led(ranked)
    best = ranked[0]
    if best.probability <= 1.0 - math.fsum(w.probability for w in ranked):
        return "none of the described causes fits the evidence"
    if len([s for s in best.signals_for if s != SIMILAR]) < MIN_SIGNALS:
        return "too few signals were seen to name a cause"
    if len(ranked) > 1 and best.probability - ranked[1].probability < MARGIN:
        return f"{best.cause.title!r} and {ranked[1].cause.title!r} fit about equally well"
    if best.probability < SETTLED or best.confidence < SETTLED:
        return f"{best.cause.title!r} fits best, but not well enough to be named"
    return None


def leans_on_the_past(best: Weighed, unaided: Sequence[Weighed]) -> str | None:
    """Why the best cause is not to be named if it is only likely because it was the cause before:
    the past may decide between two causes, it may not stand in for measurements. `unaided` is the
    ranking without precedents; there the cause must be likelier than all but its nearest rival."""
    competing = {w.cause.cause: w.probability for w in led(unaided)}
    alone = competing.pop(best.cause.cause, None)
    if alone is None or alone >= SETTLED * (1 - max(competing.values(), default=0.0)):
        return None  # where it is not among them it holds beside another cause
    return f"{best.cause.title!r} was the cause before, but what was measured does not show it"


def would_settle(ranked: Sequence[Weighed], signals: Mapping[str, float]) -> list[str]:
    """Signals nobody looked for, those that part the three best causes most first."""
    parting: dict[str, float] = {}
    for candidate in ranked[:3]:
        for weight in candidate.cause.signals:
            if weight.signal != SIMILAR and not signals.get(weight.signal):
                gain = candidate.probability * (abs(weight.seen) + abs(weight.absent))
                parting[weight.signal] = parting.get(weight.signal, 0.0) + gain
    return sorted(parting, key=lambda s: (-parting[s], s))


def _scored(cause: Cause, signals: Mapping[str, float], incidents: dict[str, Page]) -> Weighed:
    effects: dict[str, float] = {}
    looked_for, weight_of_all = 0.0, 0.0
    for weight in cause.signals:
        if weight.signal == SIMILAR:
            continue
        size = abs(weight.seen) + abs(weight.absent)
        weight_of_all += size
        strength = max(-1.0, min(1.0, signals.get(weight.signal, 0.0)))
        if strength:
            looked_for += size
            change = _change(weight, strength)
            effects[weight.signal] = effects.get(weight.signal, 0.0) + change
    # Whether a past incident looks alike is asked per cause: only those with its root cause count.
    precedent = bonus(cause, incidents)
    if precedent:
        effects[SIMILAR] = precedent
    prior = math.log(cause.prior / (1 - cause.prior))
    coverage = looked_for / weight_of_all if weight_of_all else 0.0
    is_there = frozenset(s for s in effects if s != SIMILAR and signals[s] > 0)
    return Weighed(cause, prior + math.fsum(effects.values()), effects, coverage, is_there)


def _change(weight: SignalWeight, strength: float) -> float:
    return weight.seen * strength if strength > 0 else weight.absent * strength


def _distinct(causes: Sequence[Cause]) -> list[Cause]:
    """Each cause once; `unknown` is the reasoner's own word and no candidate."""
    named = {cause.cause: cause for cause in reversed(causes)}
    return [named[name] for name in dict.fromkeys(c.cause for c in causes) if name != UNKNOWN_CAUSE]
