"""Makes the reference profile of a model version from the rows it was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.categories import category_profile, is_free_text
from agentops_graph.detection.cells import counted
from agentops_graph.detection.columns import over_columns
from agentops_graph.detection.together import together_of
from agentops_graph.domain.profile import Cells, FeatureProfile, ReferenceProfile
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

BINS = 10
CELLS = 128
LOWEST = np.finfo(np.float64).min  # nothing finite lies below it
SAMPLE_ROWS = 100_000  # place the edges of a longer column, each off by 0.2% of the rows at most
LEVELS = np.linspace(0, 1, 101)


def profile_of(
    model: str,
    version: str,
    features: Mapping[str, Floats],
    metrics: Mapping[str, float],
    at: datetime,
    *,
    like: ReferenceProfile | None = None,
    categories: Mapping[str, Iterable[object]] | None = None,
    outputs: Mapping[str, Floats] | None = None,
) -> ReferenceProfile:
    """Ten quantile bins, fine cells and the percentiles of every feature, how they move together,
    and the metrics while healthy.

    Metrics that are not finite are left out, and so is free text among the `categories`.
    `features` are arrays of one length; `outputs` are the model's `prediction` and `label`, whose
    missing ones don't count. With `like`, features that it knows are counted over its cells, so
    that the two merge.
    """
    known = like.features if like else {}
    counts = {name: category_profile(words) for name, words in (categories or {}).items()}
    rows = max((len(values) for values in features.values()), default=0)
    return ReferenceProfile(
        model_name=model,
        model_version=version,
        rows=rows,
        features=over_columns(
            features, lambda name, values: feature_profile(values, like=known.get(name))
        ),
        categories={name: each for name, each in counts.items() if not is_free_text(each)},
        outputs={
            name: feature_profile(
                values[np.isfinite(values)], like=like.outputs.get(name) if like else None
            )
            for name, values in (outputs or {}).items()
            if np.isfinite(values).any()
        },
        together=None if like else together_of(features),
        metrics={name: float(value) for name, value in metrics.items() if np.isfinite(value)},
        recorded_at=at,
    )


def feature_profile(values: Floats, *, like: FeatureProfile | None = None) -> FeatureProfile:
    """Bins of equal weight; whatever is not a finite number counts as missing.

    A value so common that it fills a whole bin gets a bin of its own, so that a constant or a
    zero-inflated column shows a move to either side of it. Of more than 100,000 rows a sample
    places the edges; all are counted.
    """
    if like is not None and like.cells is not None:
        return from_cells(counted(like.cells.edges, values), like.edges)
    finite = _ordered_sample(values)
    edges = _edges(finite, BINS)
    cells = counted(tuple(np.union1d(edges, _edges(finite, CELLS)).tolist()), values)
    profile = from_cells(cells, tuple(edges.tolist()))
    if not len(finite) or len(values) > SAMPLE_ROWS:
        return profile
    exact = tuple(np.quantile(finite, LEVELS).tolist())
    return profile.model_copy(update={"quantiles": exact})


def merged(first: ReferenceProfile, second: ReferenceProfile) -> ReferenceProfile:
    """The profile of both sets of rows, in which a later call's metrics and name win.

    Associative, and independent of the order but for the metrics. Raises InputError when the two
    differ in features or were counted over different cells (see `like` of `profile_of`).
    """
    if first.features.keys() != second.features.keys():
        odd = sorted(first.features.keys() ^ second.features.keys())
        raise InputError(f"only one of the profiles has {', '.join(odd[:5])}", field="features")
    names = first.categories.keys() & second.categories.keys()
    return second.model_copy(
        update={
            "rows": first.rows + second.rows,
            "features": {
                name: _merged_feature(name, one, second.features[name])
                for name, one in first.features.items()
            },
            "categories": {
                name: first.categories[name].merged(second.categories[name])
                for name in sorted(names)
            },
            "outputs": first.outputs
            | second.outputs
            | {
                name: _merged_feature(name, first.outputs[name], second.outputs[name])
                for name in sorted(first.outputs.keys() & second.outputs.keys())
            },
            # How rows move together can't be read off counts; one part speaks for both.
            "together": first.together or second.together,
            "metrics": first.metrics | second.metrics,
            "recorded_at": max(first.recorded_at, second.recorded_at),
        }
    )


def _merged_feature(name: str, first: FeatureProfile, second: FeatureProfile) -> FeatureProfile:
    if first.cells is None or second.cells is None or first.edges != second.edges:
        raise InputError("one of the profiles has no cells, or other bins", field=name)
    return from_cells(first.cells.merged(second.cells), first.edges)


def from_cells(cells: Cells, edges: tuple[float, ...]) -> FeatureProfile:
    """Bins and percentiles read off the cells; `edges` are some of the cells' edges.

    Percentiles are linear within a cell, so exact to the width of one.
    """
    counts = np.asarray(cells.counts, dtype=np.float64)
    total, rows = int(counts.sum()), cells.rows
    missing = cells.missing / rows if rows else 0.0
    if not total:
        none = (1.0, *(0.0 for _ in edges))
        return FeatureProfile(edges=edges, shares=none, quantiles=(), missing=missing, cells=cells)
    return FeatureProfile(
        edges=edges,
        shares=tuple((grouped(cells.edges, counts, edges) / total).tolist()),
        quantiles=_percentiles(cells, counts),
        missing=missing,
        cells=cells,
    )


def grouped(fine: tuple[float, ...], counts: Floats, edges: tuple[float, ...]) -> Floats:
    """Counts per cell summed up to the bins between `edges`, which are some of the `fine` ones."""
    starts = np.searchsorted(np.asarray(fine), np.asarray(edges, dtype=np.float64)) + 1
    return np.add.reduceat(counts, np.append(0, starts))


def _percentiles(cells: Cells, counts: Floats) -> tuple[float, ...]:
    # Far edges may lie outside of what was seen here, when they come from another profile.
    knots = np.clip([cells.low or 0.0, *cells.edges, cells.high or 0.0], cells.low, cells.high)
    reached = np.append(0.0, np.cumsum(counts) / counts.sum())
    rising = np.append(True, np.diff(reached) > 0)
    # The cell before an empty one ends at its own edge, the cell after it starts at the last.
    # Made smaller, because the slope between two opposite huge numbers is no float.
    inner = np.interp(LEVELS, reached[rising], knots[rising] * 2.0**-40)
    inner = np.clip(inner, knots[0] * 2.0**-40, knots[-1] * 2.0**-40) * 2.0**40
    return tuple(np.clip(inner, knots[0], knots[-1]).tolist())


def _ordered_sample(values: Floats) -> Floats:
    """The finite values in order, or those of 100,000 rows drawn the same way every time."""
    if len(values) > SAMPLE_ROWS:
        drawn = np.random.default_rng(0).integers(0, len(values), SAMPLE_ROWS)
        sample = np.asarray(values[drawn], dtype=np.float64)
        finite = sample[np.isfinite(sample)]
        if len(finite):
            return np.sort(finite)
    return np.sort(values[np.isfinite(values)])


def _edges(ordered: Floats, bins: int) -> Floats:
    if not len(ordered):
        return np.empty(0)
    places = np.ceil(np.linspace(0, 1, bins + 1) * (len(ordered) - 1)).astype(np.int64)
    inner = ordered[places]
    values_at, times = np.unique(inner, return_counts=True)
    common = values_at[times > 1]
    below = np.nextafter(common, LOWEST)
    return np.unique(np.concatenate([inner[1:-1], common, below]))
