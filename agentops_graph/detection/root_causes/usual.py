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
    low, level, high = np.quantile(normal, (0.25, 0.5, 0.75))
    tail = float(np.quantile(np.abs(normal - level), TAIL_SHARE)) / TAIL
    moved = max(float(high - low) / QUARTILES, tail)
    spread = max(moved, SMALLEST_SHARE * abs(float(level)))
    return Usual(float(level), spread, len(normal))


def trust(rows: int) -> float:
    """How much a spread known from so many rows counts, 0 to 1."""
    return rows / (rows + FEW_ROWS)
