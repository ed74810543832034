"""Ranks components and metrics by how likely the fault began there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentops_graph.detection.root_causes.common_onset import common_onset
from agentops_graph.detection.root_causes.dependencies import (
    causes_by_effect,
    near_symptom,
    relevance,
    unexplained,
)
from agentops_graph.detection.root_causes.moves import Move, moves_of, without_score
from agentops_graph.detection.root_causes.panel import Frame, Moment, read_panel, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentops_graph.detection.root_causes.names import Pair
    from agentops_graph.detection.root_causes.panel import Track

# A move that began long after the first one loses this share of its score; half of it when it
# began a twentieth of the time later.
LATE = 0.3
LATE_HALF = 0.05
# Of its component's largest score; with it a metric that moved earlier is where it began.
SPEAKS = 0.4
MOST_SAID = 9999.0  # spreads; more tell nothing


@dataclass(frozen=True)
class RankedMetric:
    """One metric of one component; moments are seconds since the epoch, or the frame's numbers."""

    component: str
    metric: str
    column: str
    score: float  # ln(1 + spreads moved), less what is explained; 0 says that it did not move
    began_at: float | None
    direction: Literal["up", "down", "none"]
    before: float | None  # its level before the onset
    after: float | None  # and at its furthest lasting point after it
    spreads: float
    explained_by: str | None
    reason: str


@dataclass(frozen=True)
class RankedComponent:
    """A component, with the metric of its own that moved first and furthest."""

    component: str
    score: float
    metric: str
    began_at: float | None
    direction: Literal["up", "down", "none"]
    explained_by: str | None
    reason: str


@dataclass(frozen=True)
class Ranking:
    """Most likely first. Every component and metric of the frame is in it."""

    onset: float | None  # the moment that was used: declared, or found in the series
    onset_from: Literal["declared", "found", "none"]
    components: tuple[RankedComponent, ...]
    metrics: tuple[RankedMetric, ...]

    @property
    def names(self) -> list[str]:
        """The components' names, most likely first."""
        return [ranked.component for ranked in self.components]

    @property
    def columns(self) -> list[str]:
        """The columns' names, most likely first."""
        return [ranked.column for ranked in self.metrics]


def rank_root_causes(
    frame: Frame,
    onset: Moment | None = None,
    *,
    normal: Frame | None = None,
    flows: Iterable[tuple[str, str]] = (),
    calls: Iterable[tuple[str, str]] = (),
    symptom: str | tuple[str, str | None] | None = None,
    columns: Mapping[Any, Pair] | None = None,
) -> Ranking:
    """Where a fault began, from the series of many components around its onset.

    `frame` is a DataFrame (times in a column `time` or in the index) or a mapping of arrays; its
    columns are named `component_metric`, are tuples, or `columns` tells the pair of each.
    `onset` is a time as the frame has them, a datetime or ISO text; without one it is looked for.
    `normal` is a frame of the same columns in healthy times, when the rows before the onset are
    few. `flows` are edges (upstream, downstream), `calls` are (caller, callee). `symptom` names
    the component, or (component, metric), where the fault was noticed.

    The score follows the robust scorer of Pham et al. (BARO, FSE 2024, arXiv:2405.09330): the
    distance from the median before the onset in robust spreads. Raises InputError for a frame
    without numeric series or times.
    """
    tracks = read_panel(frame, columns)
    healthy = None if normal is None else read_panel(normal, columns)
    moment, source = _onset(tracks, onset)
    moves = moves_of(tracks, _middle(tracks) if moment is None else moment, healthy)
    causes = causes_by_effect(flows, calls)
    where, noticed = (symptom, None) if isinstance(symptom, str) else symptom or (None, None)
    if where is not None:
        moves = near_symptom(moves, where, causes)
    left = unexplained(moves, causes)
    ranked = sorted(_timely(left), key=lambda pair: -pair[0].score)
    metrics = tuple(_ranked_metric(move, by) for move, by in ranked)
    return Ranking(moment, source, _components(metrics, noticed or None), metrics)


def _onset(
    tracks: Sequence[Track], given: Moment | None
) -> tuple[float | None, Literal["declared", "found", "none"]]:
    declared = None if given is None else seconds_of(given)
    found = common_onset(tracks, declared)
    if found is not None:
        return found, "found"
    return declared, "none" if declared is None else "declared"


def _middle(tracks: Sequence[Track]) -> float:
    ends = [(t.times[0], t.times[-1]) for t in tracks if len(t.times)]
    if not ends:
        return 0.0
    return float(min(e[0] for e in ends) + max(e[1] for e in ends)) / 2


def _timely(left: Sequence[tuple[Move, str | None]]) -> list[tuple[Move, str | None]]:
    """Who moved first counts fully, who moved later loses some."""
    begun = [move.began_at for move, _ in left if move.began_at is not None]
    if not begun:
        return list(left)
    first = min(begun)
    span = max(float(move.track.times[-1]) for move, _ in left if len(move.track.times)) - first
    return [(_delayed(move, first, span), by) for move, by in left]


def _delayed(move: Move, first: float, span: float) -> Move:
    if move.began_at is None or span <= 0:
        return move
    lag = (move.began_at - first) / span
    return without_score(move, 1 - LATE * lag / (lag + LATE_HALF))


def _components(
    metrics: Sequence[RankedMetric], noticed: str | None
) -> tuple[RankedComponent, ...]:
    by_name: dict[str, list[RankedMetric]] = {}
    for ranked in metrics:
        by_name.setdefault(ranked.component, []).append(ranked)
    found = [_component(name, own, noticed) for name, own in by_name.items()]
    return tuple(sorted(found, key=lambda one: -one.score))


def _component(name: str, own: Sequence[RankedMetric], noticed: str | None) -> RankedComponent:
    """Its place is that of its metric nearest to the symptom, its words those of the metric that
    moved first and furthest."""
    said = _speaker(own)
    return RankedComponent(
        component=name,
        score=round(max(m.score * relevance(m.metric, noticed) for m in own), 6),
        metric=said.metric,
        began_at=said.began_at,
        direction=said.direction,
        explained_by=said.explained_by,
        reason=said.reason,
    )


def _speaker(own: Sequence[RankedMetric]) -> RankedMetric:
    """Of the metrics that moved clearly the first one; of those that began together the one that
    moved furthest, as `own` is in that order."""
    begun = [m for m in own if m.began_at is not None and m.score >= SPEAKS * own[0].score]
    return min(begun, key=lambda m: m.began_at or 0.0, default=own[0])


def _ranked_metric(move: Move, by: str | None) -> RankedMetric:
    track = move.track
    after = None if move.before is None else move.before + move.by
    return RankedMetric(
        component=track.component,
        metric=track.metric,
        column=track.column,
        score=round(move.score, 6),
        began_at=move.began_at,
        direction=move.direction,
        before=move.before,
        after=after,
        spreads=move.spreads,
        explained_by=by,
        reason=_reason(move, after, by),
    )


def _reason(move: Move, after: float | None, by: str | None) -> str:
    metric = move.track.metric
    if move.before is None or after is None:
        return f"{metric} has too few values to tell"
    if move.direction == "none":
        return f"{metric} stayed at {move.before:.4g}"
    went = "rose" if move.direction == "up" else "fell"
    said = f"{metric} {went} from {move.before:.4g} to {after:.4g}, {_spreads(move.spreads)}"
    return f"{said}; {by} moved as well and explains it" if by else said


def _spreads(count: float) -> str:
    return f"{min(count, MOST_SAID):,.0f} times its usual spread"
