"""Evidence of where it began: the series of the component and of those around it, ranked."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.root_causes.moves import BEGUN
from agentops_graph.detection.root_causes.ranking import RankedMetric, Ranking, rank_root_causes
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.case import Case, Observed, seen, typed_read
from agentops_graph.gathering.series import HISTORY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Floats, SeriesTable
    from agentops_graph.domain.record import Scalar

SUBJECTS = 30  # components looked at, nearest first; one read each
NAMED = 5
BUCKETS = 240
# Batches come every few minutes: a shorter lead says nothing about who was first.
LEAD = timedelta(minutes=1)
TABLES: dict[str, SeriesTable] = {
    "model": "model_metrics",
    "pipeline": "data_quality",
    "agent": "agent_metrics",
}

Frame = dict[str, tuple["Floats", "Floats"]]


def root_cause_ranking(case: Case) -> Observed:
    """Which component and metric moved first and furthest around the onset.

    Looked at are the component, what it is fed by, what shares a feed with it and its tenant, and
    what else belongs to its tenant, at most thirty.
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
    return _observed(case, query, ranking, _upstream(case))


def _around(case: Case) -> list[Component]:
    """The component first, then upstream by distance, those that share a feed, the tenant's."""
    own, known = case.component, case.ports.components
    upstream = [case.feed(name) for name in _upstream(case)]
    fed = {own.name, *own.feeds}
    others = [known[name] for name in sorted(known)]
    alike = [one for one in others if one.tenant == own.tenant]
    beside = [one for one in alike if fed & {one.name, *one.feeds}]
    neighbours = alike if own.tenant is not None else []
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
    for one in around:
        measured = _stored(case, one, start)
        if one.name == case.component.name and one.kind == "model":
            measured |= _of_predictions(case)
        for metric, (times, values) in measured.items():
            if np.isfinite(values).any():
                frame[f"{one.name}.{metric}"] = times, values
                pairs[f"{one.name}.{metric}"] = one.name, metric
    return frame, pairs


def _stored(case: Case, one: Component, start: datetime) -> Frame:
    try:
        read = case.ports.warehouse.series(TABLES[one.kind], one.name, start, case.now)
    except NotEnoughDataError:  # a table that is not kept; the others still compare
        return {}
    return {name: (read.timestamps, values) for name, values in read.columns.items()}


def _of_predictions(case: Case) -> Frame:
    """The prediction log as series: means over short stretches of time."""
    rows, _ = case.rows()
    times = rows.timestamps
    if len(times) < 2 or times[-1] <= times[0]:
        return {}
    edges = np.linspace(times[0], times[-1], BUCKETS + 1)
    place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, BUCKETS - 1)
    failed = np.isnan(rows.prediction).astype(np.float64)
    measured = {
        "latency_ms": rows.latency_ms,
        "failed_share": failed,
        "prediction": rows.prediction,
    }
    return {name: (edges[:-1], _means(place, values)) for name, values in measured.items()}


def _means(place: NDArray[np.intp], values: Floats) -> Floats:
    known = np.isfinite(values)
    counts = np.bincount(place[known], minlength=BUCKETS)
    sums = np.bincount(place[known], weights=values[known], minlength=BUCKETS)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _observed(case: Case, query: str, ranking: Ranking, upstream: list[str]) -> Observed:
    moved = [one for one in ranking.metrics if one.began_at is not None]
    values: dict[str, Scalar] = {
        "components": len(ranking.components),
        "metrics": len(ranking.metrics),
        "moved": len(moved),
    }
    for place, one in enumerate(moved[:NAMED], 1):
        values |= {
            f"{place}.what": f"{one.component}.{one.metric}",
            f"{place}.score": round(one.score, 3),
            f"{place}.spreads": round(min(one.spreads, 1e9), 1),
            f"{place}.began_at": one.began_at,
        }
    signals = _signals(case.component.name, upstream, moved)
    said = "; ".join(_told(one) for one in moved[:NAMED])
    if not said:
        said = f"none of {len(ranking.metrics)} series left its usual range after the onset"
    return Observed("warehouse series", query, said, values, signals, found=bool(moved))


def _told(one: RankedMetric) -> str:
    assert one.began_at is not None
    at = datetime.fromtimestamp(one.began_at, UTC)
    return f"{one.component}: {one.reason}, from {at:%H:%M:%S}"


def _signals(own: str, upstream: list[str], moved: list[RankedMetric]) -> dict[str, float]:
    """Who moved first among those that moved clearly; nothing about the component itself when it
    did not move in these series."""
    began: dict[str, float] = {}
    for one in moved:
        if one.began_at is not None and one.spreads > BEGUN:
            began[one.component] = min(one.began_at, began.get(one.component, np.inf))
    fed = min((began[name] for name in upstream if name in began), default=None)
    here = began.get(own)
    lead = LEAD.total_seconds()
    first = fed is not None and (here is None or fed <= here - lead)
    signals = {"upstream_moved_first": seen(first)} if upstream else {}
    if here is not None:
        signals["moved_first_here"] = seen(here <= min(began.values()) + lead and not first)
    return signals
