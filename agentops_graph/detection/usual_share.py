"""The share of requests that usually fails at this time of day, from counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.season import DAY_S, SLACK_S

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats


def usual_share(times: Floats, hits: Floats, sizes: Floats, since: float) -> float:
    """The median over earlier days of hits / sizes at the time of day from `since` to the last row,
    0 without any.

    Of a few requests a minute most have no failure, so that the median of such rows says less than
    usually fails; the day's counts taken together don't.
    """
    known = np.isfinite(hits) & (sizes > 0) & (times < since)
    end = float(times[-1]) + SLACK_S
    ago = end - times[known]
    alike = ago % DAY_S <= end - since + SLACK_S
    day = (ago[alike] // DAY_S).astype(np.int64)
    failed = np.bincount(day, hits[known][alike])
    asked = np.bincount(day, sizes[known][alike])
    shares = failed[asked > 0] / asked[asked > 0]
    return float(np.median(shares)) if len(shares) else 0.0
