"""What each segment is held against: itself while healthy, and all other rows then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agentops_graph.detection.segment_levels import Levels
from agentops_graph.domain.segment import SegmentLevel, SegmentProfile

NEW_ROWS = 20.0  # expected in the reference of a segment that has none there: it is new


@dataclass(frozen=True)
class Baselines:
    """How segments were while healthy, and the whole."""

    segments: Mapping[str, SegmentProfile]
    rows: int  # behind the segments
    whole: SegmentLevel

    def of(self, label: str, share: float) -> tuple[SegmentLevel, SegmentLevel] | None:
        """The segment's level and its rest's. One too small to be known has none; one that is new
        is held against the whole."""
        held = self.segments.get(label)
        if held is None and self.rows * share >= NEW_ROWS:
            return self.whole, self.whole
        if held is None or held.level is None:
            return None
        return held.level, held.rest or self.whole


def level_of(levels: Sequence[SegmentLevel]) -> Levels:
    """Stored levels as one of arrays."""
    rows = np.array([level.rows for level in levels], dtype=np.float64)
    return Levels(
        rows,
        np.array([level.value for level in levels]),
        np.array([level.error for level in levels]),
        np.maximum(rows - 1, 1.0),
        np.array([level.hits or 0.0 for level in levels]),
        np.array([level.trials or 0.0 for level in levels]),  # 0 where none were counted
    )
