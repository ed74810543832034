"""Metrics of predicted numbers and of rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import Z
from agentops_graph.detection.labelled import Found, Labelled, Measure, mean, spread_of_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats


def _mae(rows: Labelled) -> Found | str:
    return mean(np.abs(rows.label - rows.prediction))


def _mse(rows: Labelled) -> Found | str:
    return mean((rows.label - rows.prediction) ** 2)


def _rmse(rows: Labelled) -> Found | str:
    found = _mse(rows)
    if isinstance(found, str):
        return found
    value, low, high = (float(np.sqrt(square)) for square in found)
    return value, low, high


def _mape(rows: Labelled) -> Found | str:
    """A share of the label; rows whose label is 0 have none and are left out."""
    some = rows.label != 0
    if not some.any():
        return f"all {len(rows)} labels are 0, of which nothing is a share"
    return mean(np.abs((rows.label[some] - rows.prediction[some]) / rows.label[some]))


def _smape(rows: Labelled) -> Found | str:
    """2 |y - p| / (|y| + |p|), between 0 and 2; 0 where both are 0."""
    size = np.abs(rows.label) + np.abs(rows.prediction)
    off = 2 * np.abs(rows.label - rows.prediction)
    return mean(np.divide(off, size, out=np.zeros_like(off), where=size > 0), highest=2.0)


def _pinball(rows: Labelled) -> Found | str:
    """Koenker and Bassett, Econometrica 46 (1978)."""
    off, level = rows.label - rows.prediction, rows.metric.quantile
    return mean(np.maximum(level * off, (level - 1) * off))


def _r2(rows: Labelled) -> Found | str:
    """1 - SSE / SST, with the interval from its influence function (the delta method)."""
    errors = (rows.label - rows.prediction) ** 2
    around = (rows.label - rows.label.mean()) ** 2
    spread = float(around.mean())
    if len(rows) < 2 or spread == 0:
        return f"all {len(rows)} labels are the same; there is nothing to explain"
    unexplained = float(errors.mean()) / spread
    half = Z * spread_of_mean((errors - unexplained * around) / spread)
    return 1 - unexplained, 1 - unexplained - half, min(1.0, 1 - unexplained + half)


def _by_query(rows: Labelled) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats, Floats] | str:
    """Row order by query and falling score; for each sorted row its query, its place among ties
    (first and last rank)."""
    if rows.queries is None:
        return "no `prediction_id` has the form query:item, so no row belongs to a ranking"
    order = np.lexsort((-rows.prediction, rows.queries))
    query, score = rows.queries[order], rows.prediction[order]
    place = np.arange(len(order))
    new_query = np.r_[True, query[1:] != query[:-1]]
    new_tie = new_query | np.r_[True, score[1:] != score[:-1]]
    start = np.maximum.accumulate(np.where(new_query, place, 0))
    first = np.maximum.accumulate(np.where(new_tie, place, 0))
    ends = np.r_[np.flatnonzero(new_tie)[1:], len(order)]
    last = ends[np.cumsum(new_tie) - 1]
    return order, query, (first - start + 1).astype(np.float64), (last - start).astype(np.float64)


def ndcg_by_query(rows: Labelled) -> tuple[NDArray[np.intp], Floats] | str:
    """Queries and their NDCG, with gains as labelled and tied scores sharing their discounts:
    Jarvelin and Kekalainen, ACM TOIS 20 (2002); McSherry and Najork, ECIR (2008).

    Queries with a single row, or in which nothing is relevant, can't be ranked well or badly and
    are left out.
    """
    if rows.label.min() < 0:
        return "a relevance below 0 is no gain"
    found = _by_query(rows)
    if isinstance(found, str):
        return found
    order, query, first, last = found
    label, size = rows.label[order], int(query[-1]) + 1
    sums = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, len(order) + 2)))]
    shared = (sums[last.astype(np.intp)] - sums[first.astype(np.intp) - 1]) / (last - first + 1)
    best = np.lexsort((-label, query))
    rank = np.arange(len(order)) - np.searchsorted(query, query, side="left")
    gained = np.bincount(query, label * shared, minlength=size)
    possible = np.bincount(query, label[best] / np.log2(rank + 2), minlength=size)
    counted = (possible > 0) & (np.bincount(query, minlength=size) > 1)
    chosen = np.flatnonzero(counted)
    return chosen, np.minimum(1.0, gained[chosen] / possible[chosen])


def _ndcg(rows: Labelled) -> Found | str:
    found = ndcg_by_query(rows)
    if isinstance(found, str):
        return found
    return _over_queries(found[1])


def _mrr(rows: Labelled) -> Found | str:
    """The mean of 1 / rank of each query's first relevant row; tied rows all have the last rank of
    their tie, so that a constant score earns nothing."""
    found = _by_query(rows)
    if isinstance(found, str):
        return found
    order, query, _first, last = found
    relevant = rows.label[order] > 0
    best = np.full(int(query[-1]) + 1, np.inf)
    np.minimum.at(best, query[relevant], last[relevant])
    best = best[np.isfinite(best) & (np.bincount(query, minlength=len(best)) > 1)]
    return _over_queries(1 / best)


def _over_queries(values: Floats) -> Found | str:
    if len(values) < 2:
        return f"{len(values)} queries have several rows and a relevant one; it takes two"
    return mean(values, highest=1.0)


NUMBERS: dict[str, Measure] = {
    "mae": _mae,
    "rmse": _rmse,
    "mse": _mse,
    "mape": _mape,
    "smape": _smape,
    "pinball": _pinball,
    "r2": _r2,
}
RANKINGS: dict[str, Measure] = {"ndcg": _ndcg, "mrr": _mrr}
