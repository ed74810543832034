"""Finds the segments that lost the primary metric while the rest did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.segment_baseline import Baselines, level_of
from agentops_graph.detection.segment_levels import Levels, Scorer, Tally
from agentops_graph.detection.segment_tests import bearable, evidence, loss, surely
from agentops_graph.domain.segment import SegmentLevel, SegmentReading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.segments import Dimension
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.metric import Metric

    Mask = NDArray[np.bool_]

MOST_REPORTED = 3
# How many standard errors a segment has to be worse off than the rest, to be told from it.
APART = 3.29
SAME_ROWS = 0.98  # of a segment lie in another that holds it


@dataclass(frozen=True)
class Lost:
    """A segment that surely lost more than is borne while all other rows did not."""

    label: str
    mask: Mask  # of all rows in the window
    share: float
    rows: int
    value: float
    error: float
    baseline: SegmentLevel
    strength: float
    rest: float | None
    rest_baseline: SegmentLevel
    covers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scan:
    """What one look at all segments gave."""

    lost: tuple[Lost, ...]
    readings: tuple[SegmentReading, ...]


@dataclass(frozen=True)
class Bearing:
    """What losses are held against."""

    metric: Metric
    share: float  # of the baseline, that is borne
    min_rows: int


@dataclass
class _Place:
    """One segment of one dimension that can be judged."""

    dimension: Dimension
    tally: Tally
    code: int
    share: float
    baseline: SegmentLevel
    rest: SegmentLevel
    strength: float = 0.0

    @property
    def label(self) -> str:
        return self.dimension.labels[self.code]

    @property
    def mask(self) -> Mask:
        return np.asarray(self.dimension.codes == self.code)


def scan(
    rows: Predictions, dimensions: Sequence[Dimension], baselines: Baselines, bearing: Bearing
) -> Scan:
    """Every segment against its own baseline, all of them at one level; then which of the lost
    ones say the same, and whether the rest is as it was."""
    scorer = Scorer(bearing.metric, rows)
    places: list[_Place] = []
    readings: dict[str, SegmentReading] = {}
    for dimension in dimensions:
        tally = scorer.tally(dimension.codes, len(dimension.labels))
        found = _judged(dimension, tally, baselines, bearing, len(rows))
        places += found[0]
        readings |= {reading.segment: reading for reading in found[1]}
    held = surely(np.array([place.strength for place in places]))
    suspects = [place for place, sure in zip(places, held, strict=True) if sure]
    lost = _told_apart(scorer, _apart_from_rest(suspects, bearing), baselines, bearing)
    sure = {label for each in lost for label in (each.label, *each.covers)}
    ordered = sorted(readings.values(), key=lambda r: (r.segment not in sure, -(r.loss or 0.0)))
    return Scan(
        tuple(lost),
        tuple(r.model_copy(update={"is_lost": r.segment in sure}) for r in ordered),
    )


def may_be_lost(
    rows: Predictions, dimensions: Sequence[Dimension], whole: SegmentLevel, bearing: Bearing
) -> bool:
    """True when some segment is clearly worse than the whole; whether it always was is to be
    looked up."""
    scorer, baselines = Scorer(bearing.metric, rows), Baselines({}, len(rows), whole)
    for dimension in dimensions:
        tally = scorer.tally(dimension.codes, len(dimension.labels))
        places, _ = _judged(dimension, tally, baselines, bearing, len(rows))
        if any(place.strength > APART for place in places):
            return True
    return False


def _judged(
    dimension: Dimension, tally: Tally, baselines: Baselines, bearing: Bearing, rows: int
) -> tuple[list[_Place], list[SegmentReading]]:
    now, counts = tally.inside(), dimension.rows
    places, readings = [], []
    for code in np.flatnonzero(counts):
        label, share = dimension.labels[code], float(counts[code]) / rows
        enough = now.rows[code] >= bearing.min_rows and bool(np.isfinite(now.value[code]))
        levels = baselines.of(label, share) if enough else None
        readings.append(_reading(label, share, now, int(code), levels, enough, bearing.metric))
        if levels is not None:
            places.append(_Place(dimension, tally, int(code), share, *levels))
    if places:
        chosen = np.array([place.code for place in places])
        strengths = evidence(
            bearing.metric, now.at(chosen), level_of([p.baseline for p in places]), bearing.share
        )
        for place, strength in zip(places, strengths, strict=True):
            place.strength = float(strength)
    return places, readings


def _reading(
    label: str,
    share: float,
    now: Levels,
    code: int,
    levels: tuple[SegmentLevel, SegmentLevel] | None,
    enough: bool,
    metric: Metric,
) -> SegmentReading:
    value = float(now.value[code]) if enough else None
    known = value is not None and levels is not None
    return SegmentReading(
        segment=label,
        share=share,
        rows=int(now.rows[code]),
        value=value,
        baseline=levels[0].value if known and levels else None,
        loss=metric.loss(value, levels[0].value) if value is not None and levels else None,
    )


def _apart_from_rest(places: list[_Place], bearing: Bearing) -> list[_Place]:
    """Those that are clearly worse off than all other rows together."""
    kept = []
    for place in places:
        chosen = np.array([place.code])
        inside, outside = place.tally.inside().at(chosen), place.tally.outside(chosen)
        if outside.rows[0] < bearing.min_rows or not np.isfinite(outside.value[0]):
            continue
        own = bearing.metric.loss(float(inside.value[0]), place.baseline.value)
        others = bearing.metric.loss(float(outside.value[0]), place.rest.value)
        errors = (inside.error[0], outside.error[0], place.baseline.error, place.rest.error)
        if own - others > APART * float(np.sqrt(np.sum(np.square(errors)))):
            kept.append(place)
    return sorted(kept, key=_evidence_then_plainness)


def _evidence_then_plainness(place: _Place) -> tuple[float, int, bool, bool, str]:
    dimension = place.dimension
    plain = (len(dimension.names), not dimension.is_declared, not dimension.is_named)
    return (-round(place.strength, 6), *plain, place.label)


def _told_apart(
    scorer: Scorer, places: list[_Place], baselines: Baselines, bearing: Bearing
) -> list[Lost]:
    """The fewest segments that explain the others; none when what is left has lost as well."""
    chosen: list[_Place] = []
    covered: dict[str, list[str]] = {}
    for place in places:
        inner = [held for held in chosen if _lies_in(held.mask, place.mask)]
        taken = np.logical_or.reduce([held.mask for held in chosen]) if chosen else None
        if taken is None:
            chosen.append(place)
        elif _still_lost(scorer, place, place.mask & ~taken, bearing):
            chosen = [held for held in chosen if held not in inner] + [place]
            _move(covered, inner, place)
        else:
            by = max(chosen, key=lambda held: int((held.mask & place.mask).sum()))
            covered.setdefault(by.label, []).append(place.label)
    chosen = chosen[:MOST_REPORTED]
    taken = np.logical_or.reduce([held.mask for held in chosen]) if chosen else np.empty(0, bool)
    if not chosen or not _rest_holds(scorer, chosen, ~taken, baselines, bearing):
        return []
    return [_lost(scorer, place, tuple(covered.get(place.label, ())), ~taken) for place in chosen]


def _move(covered: dict[str, list[str]], inner: list[_Place], outer: _Place) -> None:
    for held in inner:
        gone = [held.label, *covered.pop(held.label, [])]
        covered.setdefault(outer.label, []).extend(gone)


def _lies_in(inner: Mask, outer: Mask) -> bool:
    return int((inner & outer).sum()) >= SAME_ROWS * int(inner.sum())


def _still_lost(scorer: Scorer, place: _Place, left: Mask, bearing: Bearing) -> bool:
    """True when the rows that no chosen segment holds lost as surely."""
    now = _level_in(scorer, left)
    if now.rows[0] < bearing.min_rows or not np.isfinite(now.value[0]):
        return False
    return float(evidence(bearing.metric, now, level_of([place.baseline]), bearing.share)[0]) > (
        APART
    )


def _rest_holds(
    scorer: Scorer, chosen: list[_Place], rest: Mask, baselines: Baselines, bearing: Bearing
) -> bool:
    """True when the other rows lost no more than is borne: else all of the model is down."""
    now = _level_in(scorer, rest)
    if now.rows[0] < bearing.min_rows or not np.isfinite(now.value[0]):
        return False
    value = chosen[0].rest.value
    if len(chosen) > 1:
        shares = [place.share for place in chosen]
        parts = sum(s * p.baseline.value for s, p in zip(shares, chosen, strict=True))
        left = 1 - sum(shares)
        value = (baselines.whole.value - parts) / left if left > 0.1 else baselines.whole.value
    baseline = np.array([value])
    lost = loss(bearing.metric, now.value, baseline)
    return bool((lost <= bearable(bearing.metric, baseline, bearing.share))[0])


def _level_in(scorer: Scorer, mask: Mask) -> Levels:
    return scorer.tally(np.where(mask, 0, -1).astype(np.int32), 1).inside()


def _lost(scorer: Scorer, place: _Place, covers: tuple[str, ...], rest: Mask) -> Lost:
    now = place.tally.inside().at(np.array([place.code]))
    others = _level_in(scorer, rest).value[0]
    return Lost(
        label=place.label,
        mask=place.mask,
        share=place.share,
        rows=int(now.rows[0]),
        value=float(now.value[0]),
        error=float(now.error[0]),
        baseline=place.baseline,
        strength=place.strength,
        rest=float(others) if np.isfinite(others) else None,
        rest_baseline=place.rest,
        covers=covers[:20],
    )
