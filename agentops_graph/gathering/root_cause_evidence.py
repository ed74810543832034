"""Evidence of where it began: the series of the component and of those around it, ranked."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.root_causes.ranking import RankedMetric, Ranking, rank_root_causes
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.case import Case, Observed, typed_read
from agentops_graph.gathering.even_series import bucket_length, evened, named
from agentops_graph.gathering.first_moves import Began, first_signals, is_near
from agentops_graph.gathering.series import HISTORY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Floats, SeriesTable
    from agentops_graph.domain.record import Scalar

SUBJECTS = 30  # components looked at, nearest first; one read each
NAMED = 5
LATER = 2
BUCKETS = 240
ROWS_A_BUCKET = 20
FEWEST_ROWS = 5  # of a bucket; the mean of fewer is chance
INPUTS = 300  # features looked at
INPUT = " delivered"
TABLES: dict[str, SeriesTable] = {
    "model": "model_metrics",
    "pipeline": "data_quality",
    "agent": "agent_metrics",
}

Frame = dict[str, tuple["Floats", "Floats"]]


def root_cause_ranking(case: Case) -> Observed:
    """Which component and metric moved first and furthest around the onset.

    Looked at are the component, what it is fed by, what shares a feed with it, and what belongs
    to the same tenant, at most thirty. A model's features count as series of what feeds it.
    """
    around = _around(case)
    start = case.onset - HISTORY
    query = typed_read("series", start, case.now, subjects=",".join(c.name for c in around))
    frame, pairs = _frame(case, around, start)
    if len({component for component, _ in pairs.values()}) < 2:
        said = "fewer than two components have series around the onset"
        return Observed("warehouse series", query, said, found=False)
    flows = [(feed, one.name) for one in around for feed in one.feeds]
    ranking = rank_root_causes(frame, case.onset, flows=flows, columns=pairs)
    within = {column: bucket_length(times) for column, (times, _) in frame.items()}
    return _observed(case, query, ranking, within)


def _around(case: Case) -> list[Component]:
    """The component first, then upstream by distance, those that share a feed, the tenant's."""
    own, known = case.component, case.ports.components
    upstream = [case.feed(name) for name in _upstream(case)]
    fed = {own.name, *own.feeds}
    others = [known[name] for name in sorted(known)]
    beside = [one for one in others if fed & {one.name, *one.feeds}]
    neighbours = [one for one in others if own.tenant is not None and one.tenant == own.tenant]
    near = {one.name: one for one in (own, *upstream, *beside, *neighbours)}
    return list(near.values())[:SUBJECTS]


def _upstream(case: Case) -> list[str]:
    """Feeds, their feeds and so on, nearest first; a circle ends it."""
    found: dict[str, None] = {}
    waiting = deque(case.component.feeds)
    while waiting and len(found) < SUBJECTS:
        name = waiting.popleft()
        if name not in found and name != case.component.name:
            found[name] = None
            waiting.extend(case.feed(name).feeds)
    return list(found)


def _frame(
    case: Case, around: list[Component], start: datetime
) -> tuple[Frame, dict[str, tuple[str, str]]]:
    frame: Frame = {}
    pairs: dict[str, tuple[str, str]] = {}

    def put(component: str, measured: Frame) -> None:
        for metric, (times, values) in measured.items():
            if np.isfinite(values).any():
                frame[f"{component}.{metric}"] = times, values
                pairs[f"{component}.{metric}"] = component, metric

    for one in around:
        put(one.name, _stored(case, one, start))
        if one.name == case.component.name and one.kind == "model":
            made, given = _of_predictions(case)
            put(one.name, made)
            put(one.feeds[0] if len(one.feeds) == 1 else f"inputs of {one.name}", given)
    return frame, pairs


def _stored(case: Case, one: Component, start: datetime) -> Frame:
    try:
        read = case.ports.warehouse.series(TABLES[one.kind], one.name, start, case.now)
    except NotEnoughDataError:  # a table that is not kept; the others still compare
        return {}
    onset, until = case.onset.timestamp(), case.now.timestamp()
    even = {
        named(metric): evened(metric, read.timestamps, values, onset, until)
        for metric, values in read.columns.items()
    }
    return {name: (rows[0], rows[1]) for name, rows in even.items() if rows is not None}


def _of_predictions(case: Case) -> tuple[Frame, Frame]:
    """The prediction log as series, means over short stretches of time: of what the model made,
    and of what it was given."""
    rows, _ = case.rows()
    times = rows.timestamps
    buckets = min(BUCKETS, len(times) // ROWS_A_BUCKET)
    if buckets < 2 or times[-1] <= times[0]:
        return {}, {}
    edges = np.linspace(times[0], times[-1], buckets + 1)
    place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, buckets - 1)
    failed = np.isnan(rows.prediction).astype(np.float64)
    made = {"latency_ms": rows.latency_ms, "failed_share": failed, "prediction": rows.prediction}
    given = {f"{name}{INPUT}": rows.features[name] for name in list(rows.features)[:INPUTS]}
    return _bucketed(edges, place, made), _bucketed(edges, place, given)


def _bucketed(edges: Floats, place: NDArray[np.intp], measured: dict[str, Floats]) -> Frame:
    return {
        name: (edges[:-1], _means(place, values, len(edges) - 1))
        for name, values in measured.items()
    }


def _means(place: NDArray[np.intp], values: Floats, buckets: int) -> Floats:
    known = np.isfinite(values)
    counts = np.bincount(place[known], minlength=buckets)
    sums = np.bincount(place[known], weights=values[known], minlength=buckets)
    return np.where(counts >= FEWEST_ROWS, sums / np.maximum(counts, 1), np.nan)


def _observed(case: Case, query: str, ranking: Ranking, within: dict[str, float]) -> Observed:
    own, upstream = case.component.name, _upstream(case)
    moved = [(one, _began(one, within)) for one in ranking.metrics if one.began_at is not None]
    near = [one for one, began in moved if is_near(case, began)]
    apart = [one for one, began in moved if not is_near(case, began)]
    values: dict[str, Scalar] = {
        "components": len(ranking.components),
        "metrics": len(ranking.metrics),
        "moved": len(near),
        "moved_at_other_times": len(apart),
    }
    for place, one in enumerate(near[:NAMED], 1):
        values |= {
            f"{place}.what": f"{one.component}.{one.metric}",
            f"{place}.score": round(one.score, 3),
            f"{place}.spreads": round(min(one.spreads, 1e9), 1),
            f"{place}.began_at": one.began_at,
        }
    signals = first_signals(
        own,
        upstream,
        [began for _, began in moved if is_near(case, began)],
        can_tell=any(one.component in upstream for one in ranking.metrics),
    )
    said = _said(ranking, near, apart)
    return Observed("warehouse series", query, said, values, signals, found=bool(near))


def _said(ranking: Ranking, near: list[RankedMetric], apart: list[RankedMetric]) -> str:
    said = "; ".join(_told(one) for one in near[:NAMED])
    if not said:
        said = f"none of {len(ranking.metrics)} series left its usual range around the onset"
    if apart:
        said += "; at other times, so not the cause: "
        said += "; ".join(_told(one) for one in apart[:LATER])
    return said


def _began(one: RankedMetric, within: dict[str, float]) -> Began:
    assert one.began_at is not None
    is_input = one.metric.endswith(INPUT)
    return Began(one.component, one.began_at, within[one.column], is_input)


def _told(one: RankedMetric) -> str:
    assert one.began_at is not None
    at = datetime.fromtimestamp(one.began_at, UTC)
    return f"{one.component}: {one.reason}, from {at:%H:%M:%S}"
