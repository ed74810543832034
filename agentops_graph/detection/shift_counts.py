"""What moved in a window that was counted where it lies, by the same measures as over rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.categories import binned
from agentops_graph.detection.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    stability_index,
)
from agentops_graph.detection.drift import bins_of_cells
from agentops_graph.detection.shift import Shift, chance_of, shift_over

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import Cells, FeatureProfile, ReferenceProfile
    from agentops_graph.domain.tally import Tally


def shift_of_tally(reference: ReferenceProfile, tally: Tally) -> Shift:
    """As `shift_of`, without a row."""
    tables = {
        name: bins_of_cells(profile, tally.features[name], reference.rows)
        for name, profile in reference.features.items()
    }
    tables |= {
        name: binned(profile, tally.categories[name])
        for name, profile in reference.categories.items()
    }
    return shift_over(tables, dict(tally.categories), tally.rows)


def output_shift_of_cells(profile: FeatureProfile, now: Cells, rows: int) -> tuple[float, float]:
    """As `output_shift`; `rows` are the reference's."""
    table = bins_of_cells(profile, now, rows)
    table[:, -1] = 0
    return float(stability_index(table[0], table[1])), chance_of(table)


def distances_of_cells(profile: FeatureProfile, now: Cells) -> tuple[float | None, float]:
    """KS, where the reference has cells, and JS."""
    bins = bins_of_cells(profile, now, max(now.rows, 1))
    apart = None
    if profile.cells is not None:
        fine: Floats = np.array([profile.cells.counts, now.counts], dtype=np.float64)
        apart = float(kolmogorov_smirnov(*fine))
    return apart, float(jensen_shannon(*bins))
