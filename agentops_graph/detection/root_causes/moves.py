"""How far each series moved after the onset, and when it began to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from agentops_graph.detection.root_causes.measures import rates, top_of
from agentops_graph.detection.root_causes.usual import Usual, trust, usual_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.detection.root_causes.panel import Track
    from agentops_graph.domain.frames import Floats

# A fall counts half as much as a rise: what is starved by a fault falls, and seldom the cause.
FALL = 0.5
# A series that never moved before has no spread of its own; of its metric's moves the largest
# counts as this many spreads, the others in proportion.
SURPRISE = 50.0
LASTING = 40  # a move has to last a 40th of the time after the onset; a spike is no level
LONGEST = 31  # rows
EARLIER = 0.1  # of the time after the onset; what was out for longer is an older matter
BEGUN = 4.0  # spreads; where a series is seen to have begun to move


@dataclass(frozen=True)
class Move:
    """A series' largest lasting move after the onset; `by` is signed, in the series' own unit."""

    track: Track
    score: float = 0.0  # ln(1 + spreads moved)
    by: float = 0.0
    spreads: float = 0.0
    before: float | None = None
    began_at: float | None = None

    @property
    def direction(self) -> Literal["up", "down", "none"]:
        if self.score <= 0:
            return "none"
        return "up" if self.by > 0 else "down"


@dataclass(frozen=True)
class _Apart:
    """How far the rows of a series lie from its level; `rise` and `fall` are never negative."""

    track: Track
    usual: Usual
    times: Floats
    apart: Floats
    since: int  # the first row after the onset
    old: float  # how far it lay from healthy before
    rise: float
    fall: float
    shown: float  # level, as it is read
    sign: float  # -1 where a shortfall is looked at


def moves_of(
    tracks: Sequence[Track], onset: float, normal: Sequence[Track] | None = None
) -> list[Move]:
    """One move per track, in order. `normal` are the same columns in healthy times; without
    them the rows before the onset tell what is usual."""
    healthy = {(t.component, t.metric, t.column): t for t in normal or ()}
    seen = [
        _apart(track, onset, healthy.get((track.component, track.metric, track.column)))
        for track in tracks
    ]
    largest = _largest_by_metric([one for one in seen if one is not None])
    return [
        Move(track) if one is None else _move(one, largest[track.metric])
        for track, one in zip(tracks, seen, strict=True)
    ]


def _apart(track: Track, onset: float, healthy: Track | None) -> _Apart | None:
    times, values = rates(track.times, track.values, track.metric, onset)
    after = times >= onset
    before = values[~after]
    known = before
    if healthy is not None:
        known = rates(healthy.times, healthy.values, track.metric, np.inf)[1]
        if len(known) < 2:
            known = before
    usual = usual_of(known)
    if usual is None or not after.any():
        return None
    top, sign, shown = top_of(known), 1.0, usual.level
    if top is not None:
        usual, sign = _missing(known, top), -1.0
        values = top - values
    apart, since = values - usual.level, len(before)
    old = _old(apart[:since]) if healthy is not None else 0.0
    lasting = lasting_part(apart[since:])
    rise = max(float(lasting.max()) - max(old, 0.0), 0.0)
    fall = max(-float(lasting.min()) - max(-old, 0.0), 0.0)
    return _Apart(track, usual, times, apart, since, old, rise, fall, shown, sign)


def _missing(known: Floats, top: float) -> Usual:
    usual = usual_of(top - known)
    assert usual is not None
    return usual


def _old(before: Floats) -> float:
    """How far the series lay from healthy just before the onset. Where healthy times are known
    apart, only what lies further out is new; of those rows the one nearest to healthy counts, as
    the fault may have begun in the others."""
    return float(before[np.argmin(np.abs(before))]) if len(before) else 0.0


def lasting_part(values: Floats) -> Floats:
    """The moving median over a 40th of the rows, which drops what does not last."""
    width = min(len(values) // LASTING, LONGEST) | 1
    if width == 1:
        return values
    return np.asarray(np.median(sliding_window_view(values, width), axis=1), dtype=np.float64)


def _largest_by_metric(seen: list[_Apart]) -> dict[str, float]:
    largest: dict[str, float] = {}
    for one in seen:
        metric = one.track.metric
        largest[metric] = max(largest.get(metric, 0.0), one.rise, one.fall)
    return largest


def _move(one: _Apart, largest: float) -> Move:
    spread = one.usual.spread or largest / SURPRISE
    if spread <= 0:
        return Move(one.track, before=one.shown)
    up, down = float(np.log1p(one.rise / spread)), FALL * float(np.log1p(one.fall / spread))
    rose = up >= down
    size = one.rise if rose else one.fall
    return Move(
        track=one.track,
        score=trust(one.usual.rows) * max(up, down),
        by=one.sign * (size if rose else -size),
        spreads=size / spread,
        before=one.shown,
        began_at=_began(one, rose, spread) if size > BEGUN * spread else None,
    )


def _began(one: _Apart, rose: bool, spread: float) -> float | None:
    """The first of two rows in a row that are clearly out. One that was out at the onset already
    began where it left its usual range, if that was not long before."""
    out = (one.apart - one.old if rose else one.old - one.apart) > BEGUN * spread
    twice = out & np.append(out[1:], True) if len(out) > 2 else out
    first = np.flatnonzero(twice[one.since :])
    if not len(first):
        return None
    place = one.since + int(first[0])
    if first[0] <= 1:
        calm = np.flatnonzero(~out[:place])
        left = int(calm[-1]) + 1 if len(calm) else 0
        place = left if one.since - left <= (len(out) - one.since) * EARLIER else place
    return float(one.times[place])


def without_score(move: Move, share: float) -> Move:
    """The move, with that share of its score left."""
    return replace(move, score=move.score * share)
