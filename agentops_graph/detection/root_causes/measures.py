"""Makes series comparable: counters become rates, shares near their top become shortfalls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

COUNTER_ROWS = 12  # rises in a row; a gauge does that by chance once in 4,000 times
COUNTER_NAME = re.compile(r"(?:[_\-.]|^)(?:total|count|counter|sum)$", re.IGNORECASE)
TOPS = (1.0, 100.0)
NEAR_TOP = 0.9


def rates(times: Floats, values: Floats, metric: str, until: float) -> tuple[Floats, Floats]:
    """A counter as its rise per unit of time, where it was reset nothing; others as they are.

    Whether it is a counter shows before `until`: it never falls but by a reset to near 0, and it
    rises in most rows, or its name says that it counts.
    """
    if not _is_counter(values[times < until], metric):
        return times, values
    steps, rises = np.diff(times), np.diff(values)
    kept = rises >= 0
    return times[1:][kept], rises[kept] / steps[kept]


def _is_counter(normal: Floats, metric: str) -> bool:
    if len(normal) <= COUNTER_ROWS or normal.min() < 0:
        return False
    rises = np.diff(normal)
    resets = (rises < 0) & (normal[1:] <= 0.1 * normal[:-1])
    if (rises < 0).sum() > resets.sum() or resets.sum() > len(rises) / 20:
        return False
    risen = int((rises > 0).sum())
    if COUNTER_NAME.search(metric):
        return risen > 0
    return risen >= COUNTER_ROWS and risen * 2 > len(rises)


def top_of(normal: Floats) -> float | None:
    """1 or 100 where a share stands near that and never above, such as an availability: what
    matters there is how much is missing."""
    if not len(normal):
        return None
    highest = float(normal.max())
    near = highest in TOPS and normal.min() >= 0 and float(np.median(normal)) >= NEAR_TOP * highest
    return highest if near else None
