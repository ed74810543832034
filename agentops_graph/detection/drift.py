"""Every drift measure of every feature, from a reference profile and one pass over the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.cells import counted
from agentops_graph.detection.columns import over_columns
from agentops_graph.detection.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    stability_index,
    wasserstein,
)
from agentops_graph.detection.profile import grouped
from agentops_graph.detection.psi import bin_shares, ks, psi, reference_shares

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import Cells, FeatureProfile, ReferenceProfile


@dataclass(frozen=True)
class FeatureDrift:
    """How far one feature is from its reference; 0 everywhere for no move and for no rows."""

    psi: float  # 0 and up, over ten bins and one of missing values
    ks: float  # 0 to 1, of the finite values
    js: float  # 0 to 1, over the bins of `psi`
    wasserstein: float | None  # in the feature's unit; None with a profile that has no cells
    missing_shift: float  # share of missing values now, minus before: -1 to 1


def drift_of(profile: FeatureProfile, values: Floats) -> FeatureDrift:
    """The measures of one feature's values against its reference."""
    if profile.cells is not None:
        return drift_between(profile, counted(profile.cells.edges, values))
    now = bin_shares(profile, values)
    return FeatureDrift(
        psi=psi(profile, values),
        ks=ks(profile, values),
        js=float(jensen_shannon(reference_shares(profile), now)),
        wasserstein=None,
        missing_shift=_missing_shift(profile.missing, now[-1], len(values)),
    )


def drift_between(profile: FeatureProfile, now: Cells) -> FeatureDrift:
    """The measures from counts over the profile's own cells. It must have cells."""
    before = profile.cells
    if before is None or before.edges != now.edges:
        raise ValueError("counted over other cells than the profile's")
    fine = np.array([before.counts, now.counts], dtype=np.float64)
    bins = _bins(profile.edges, before, now)
    return FeatureDrift(
        psi=float(stability_index(*bins)),
        ks=float(kolmogorov_smirnov(*fine)),
        js=float(jensen_shannon(*bins)),
        wasserstein=_moved(before, now, fine),
        missing_shift=_missing_shift(profile.missing, now.missing / max(now.rows, 1), now.rows),
    )


def bins_of_feature(profile: FeatureProfile, values: Floats, reference_rows: int) -> Floats:
    """Rows per bin, missing last: the reference's first, then the values'; (2, bins).

    Against a profile without cells the reference's are its shares of `reference_rows`.
    """
    if profile.cells is not None:
        return _bins(profile.edges, profile.cells, counted(profile.cells.edges, values))
    now = bin_shares(profile, values) * len(values)
    return np.array([reference_shares(profile) * reference_rows, now], dtype=np.float64)


def bins_of_cells(profile: FeatureProfile, now: Cells, reference_rows: int) -> Floats:
    """As `bins_of_feature`, of rows that were counted over the profile's cells before; over its
    edges, where it has no cells."""
    if profile.cells is not None:
        return _bins(profile.edges, profile.cells, now)
    counts = np.append(np.asarray(now.counts, dtype=np.float64), now.missing)
    return np.array([reference_shares(profile) * reference_rows, counts], dtype=np.float64)


def _bins(edges: tuple[float, ...], before: Cells, now: Cells) -> Floats:
    return np.array(
        [
            np.append(grouped(cells.edges, np.asarray(cells.counts), edges), cells.missing)
            for cells in (before, now)
        ],
        dtype=np.float64,
    )


def drift_by_feature(
    reference: ReferenceProfile, features: Mapping[str, Floats]
) -> dict[str, FeatureDrift]:
    """The measures of every feature that the reference knows, by falling PSI.

    One pass over `features`, on every core. A feature that no longer arrives counts as all
    missing. Raises InputError naming a column that holds no numbers.
    """
    rows = max((len(values) for values in features.values()), default=0)
    gone = np.full(rows, np.nan)
    columns = {name: features.get(name, gone) for name in reference.features}
    found = over_columns(columns, lambda name, v: drift_of(reference.features[name], v))
    return _ordered(found)


def drift_between_profiles(
    reference: ReferenceProfile, current: ReferenceProfile
) -> dict[str, FeatureDrift]:
    """As `drift_by_feature`, for rows that were counted over the reference's cells before."""
    found = {}
    for name, profile in reference.features.items():
        now = current.features[name].cells if name in current.features else None
        if now is None:
            gone = np.full(current.rows, np.nan)
            found[name] = drift_of(profile, gone)
        else:
            found[name] = drift_between(profile, now)
    return _ordered(found)


def _ordered(found: dict[str, FeatureDrift]) -> dict[str, FeatureDrift]:
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].psi, pair[0])))


def _missing_shift(before: float, now: float, rows: int) -> float:
    return float(now - before) if rows else 0.0


def _moved(before: Cells, now: Cells, fine: Floats) -> float:
    """Earth mover's distance; mass beyond the reference's range widened by its own span counts as
    lying there, so that one absurd value can't drown the others."""
    if before.low is None or before.high is None or now.low is None or now.high is None:
        return 0.0
    # In eighths, because the span of two opposite huge numbers is no float.
    low, high = before.low / 8, before.high / 8
    span = (high - low) or max(abs(now.low / 8 - low), abs(now.high / 8 - high))
    ends = [np.clip(_ends(cells) / 8, low - span, high + span) for cells in (before, now)]
    return min(8 * wasserstein(fine[0], fine[1], ends[0], ends[1]), float(np.finfo(float).max))


def _ends(cells: Cells) -> Floats:
    return np.clip([cells.low or 0.0, *cells.edges, cells.high or 0.0], cells.low, cells.high)
