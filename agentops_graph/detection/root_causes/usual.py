"""What is usual for a series before the onset: its level, and how far it strays from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

QUARTILES = 1.349  # of a normal distribution, in standard deviations
TAIL_SHARE, TAIL = 0.95, 1.96  # so much of it lies within so many standard deviations
# A smaller share of its own level is no move that matters, however quiet the series was.
SMALLEST_SHARE = 0.02
FEW_ROWS = 4  # so many rows know a spread half as well as many rows do


@dataclass(frozen=True)
class Usual:
    """`spread` is 0 for a series that never moved."""

    level: float
    spread: float
    rows: int


def usual_of(normal: Floats) -> Usual | None:
    """Median and robust spread of the rows before the onset; None without two of them.

    The spread is the larger one of quartile range and 95% range, so that a heavy-tailed series
    (latencies) is not called unusual at its every peak, and of a fiftieth of the level.
    """
    if len(normal) < 2:
        return None
    ordered = np.sort(normal)
    low, level, high = (_share_of(ordered, share) for share in (0.25, 0.5, 0.75))
    tail = _share_of(np.sort(np.abs(ordered - level)), TAIL_SHARE) / TAIL
    spread = max((high - low) / QUARTILES, tail, SMALLEST_SHARE * abs(level))
    return Usual(level, spread, len(normal))


def _share_of(ordered: Floats, share: float) -> float:
    """The quantile, linear between rows; a tenth of what the library's checks would cost."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def trust(rows: int) -> float:
    """How much a spread known from so many rows counts, 0 to 1."""
    return rows / (rows + FEW_ROWS)
