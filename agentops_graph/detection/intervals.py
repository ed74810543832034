"""How sure a share or a percentile is, given the rows it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

# 99% two-sided: a monitor looks every minute, so 95% would raise a false alarm every hour.
Z = 2.5758


def wilson(share: float, rows: float, z: float = Z) -> tuple[float, float]:
    """Interval of a proportion; Wilson, JASA 22 (1927). (0, 1) without rows."""
    if rows <= 0:
        return 0.0, 1.0
    scale = 1 + z**2 / rows
    centre = (share + z**2 / (2 * rows)) / scale
    half = z / scale * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def percentile_floor(values: Floats, level: float) -> float | None:
    """A value the true percentile exceeds with 99.5% confidence, from order statistics.

    Conover, Practical Nonparametric Statistics, section 3.2. None when the rows are too few.
    """
    ordered = np.sort(values[np.isfinite(values)])
    rank = percentile_rank(len(ordered), level)
    return None if rank is None else float(ordered[rank - 1])


def percentile_rank(count: int, level: float) -> int | None:
    """Which of so many ordered values `percentile_floor` is, the smallest being 1."""
    rank = int(np.floor(level * count - Z * np.sqrt(count * level * (1 - level))))
    return rank if rank >= 1 and count >= 30 else None
