"""Which moves a dependency explains: what a component depends on moved as well, and as far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.detection.root_causes.moves import Move, without_score
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

EXPLAINED = 0.8  # of a score, when a dependency's move covers all of it
UNREACHED = 0.5  # of a score, where nothing leads from the component to the symptom
OTHER_METRIC = 0.5  # of a score, where the symptom is of another metric
CLEAR = 1.5  # score, about 3.5 spreads; a smaller move explains nothing
MOST_EDGES = 200_000


def causes_by_effect(
    flows: Iterable[tuple[str, str]], calls: Iterable[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """Per component those that it depends on. A flow is (upstream, downstream), a call is
    (caller, callee): a fault goes down the flow, and from the callee to the caller."""
    pairs = [*((str(down), str(up)) for up, down in flows), *((str(a), str(b)) for a, b in calls)]
    if len(pairs) > MOST_EDGES:
        raise InputError(f"{len(pairs)} edges are too many; at most {MOST_EDGES}", field="edges")
    causes: dict[str, dict[str, None]] = {}
    for effect, cause in pairs:
        if effect != cause:
            causes.setdefault(effect, {})[cause] = None
    return {effect: tuple(found) for effect, found in causes.items()}


def unexplained(
    moves: Sequence[Move], causes: Mapping[str, Sequence[str]]
) -> list[tuple[Move, str | None]]:
    """Each move with what is left of its score, and the dependency that explains most of it.

    A dependency explains a move of the same metric in the same direction to the share that its
    own move covers: latencies add up along a call, so a callee that became slower by 2 ms does
    not explain a caller that became slower by 500.
    """
    by_place: dict[tuple[str, str], Move] = {}
    for move in moves:
        by_place[move.track.component, move.track.metric] = move
    return [_left_of(move, causes.get(move.track.component, ()), by_place) for move in moves]


def _left_of(
    move: Move, upstream: Sequence[str], by_place: Mapping[tuple[str, str], Move]
) -> tuple[Move, str | None]:
    most, by = 0.0, None
    for name in upstream:
        other = by_place.get((name, move.track.metric))
        if other is None or other.score < CLEAR or other.by * move.by <= 0:
            continue
        covered = min(1.0, abs(other.by) / abs(move.by))
        if covered > most:
            most, by = covered, name
    return without_score(move, 1 - EXPLAINED * most), by if most > 0.5 else None


def near_symptom(
    moves: Sequence[Move], component: str, causes: Mapping[str, Sequence[str]]
) -> list[Move]:
    """Scores weighed by where the symptom is: components that it does not depend on count half
    when its edges are known."""
    if component not in causes:
        return list(moves)
    reached = _behind(component, causes)
    return [
        move if move.track.component in reached else without_score(move, UNREACHED)
        for move in moves
    ]


def relevance(metric: str, noticed: str | None) -> float:
    """What a metric counts for its component's place: half when another one was noticed. Inside
    the component it counts for nothing: a fault seldom begins in the metric that it shows in."""
    return 1.0 if noticed is None or is_of_kind(metric, noticed) else OTHER_METRIC


def is_of_kind(metric: str, asked: str) -> bool:
    """`latency_p90` and `latency-90` are of the kind `latency`."""
    rest = metric.lower().removeprefix(asked.lower())
    return rest != metric.lower() and not rest[:1].isalnum()


def _behind(component: str, causes: Mapping[str, Sequence[str]]) -> set[str]:
    seen, waiting = {component}, [component]
    while waiting:
        for name in causes.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen
