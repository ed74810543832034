"""Signals of load: requests against those of before, memory that grows, sessions that don't end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.leak import leak_of
from agentops_graph.gathering.case import seen
from agentops_graph.gathering.series import joined

if TYPE_CHECKING:
    from agentops_graph.domain.component import Thresholds
    from agentops_graph.domain.frames import Floats, Predictions, Series
    from agentops_graph.domain.record import Scalar

BUSIER = 1.5  # times the requests of before; a day's rhythm within an hour or two is less
FEWEST = 30  # requests on either side
FOREVER_H = 10_000.0
STEEP = 1.15  # times the memory of before, once it is beyond its limit
NEAR_S = 3600.0
DAY_S = 86400.0


def busier(
    rows: Predictions, before: float, onset: float, end: float
) -> tuple[float, float] | None:
    """Requests a minute of the hours until `before`, which the rise itself may not reach into, and
    since the onset; None with too few, or where the rows are a sample."""
    times = rows.timestamps
    earlier, since = times[times < before], times[times >= onset]
    if rows.is_sample or min(len(earlier), len(since)) < FEWEST or end <= onset:
        return None
    return 60 * len(earlier) / (before - float(earlier[0])), 60 * len(since) / (end - onset)


def load_signals(
    now: Series, earlier: Series, limits: Thresholds
) -> tuple[dict[str, Scalar], dict[str, float]]:
    """An agent's requests, memory, sessions and false positives since the onset."""
    values: dict[str, Scalar] = {}
    signals: dict[str, float] = {}
    both = joined(earlier, now)
    usual, asked = _at_this_hour(earlier, now), _median(now.columns["requests"])
    if usual and asked is not None:
        values |= {"requests": asked, "requests_before": usual}
        signals["requests_high"] = seen(asked > BUSIER * usual)
    memory = both.columns["memory_mb"]
    if np.isfinite(memory).any():
        signals |= _memory(both, now, earlier, limits)
    for column, signal, limit in (
        ("session_minutes", "sessions_long", limits.session_minutes),
        ("policy_false_positive_rate", "false_positives_high", limits.policy_false_positive_rate),
    ):
        known = now.columns[column][np.isfinite(now.columns[column])]
        if len(known):
            signals[signal] = seen(float(known.max()) > limit)
    return values, signals


def _memory(both: Series, now: Series, earlier: Series, limits: Thresholds) -> dict[str, float]:
    """Beyond its limit a leak is told by how far it rose: there is no limit left to reach."""
    memory, held = both.columns["memory_mb"], _median(now.columns["memory_mb"][-3:])
    before = _median(earlier.columns["memory_mb"])
    over = held is not None and held > limits.memory_mb
    leak = leak_of(both.timestamps, memory, max(limits.memory_mb, 2 * (held or 0)), FOREVER_H)
    rose = over and before is not None and held is not None and held > STEEP * before
    return {"memory_high": seen(over), "memory_growing": seen(leak is not None or rose)}


def _at_this_hour(earlier: Series, now: Series) -> float | None:
    """The median requests at about this time of day, a day ago, or just before the onset."""
    if not len(earlier) or not len(now):
        return None
    middle = float(now.timestamps.mean())
    away = np.abs((earlier.timestamps - middle + DAY_S / 2) % DAY_S - DAY_S / 2)
    near = away <= NEAR_S
    return _median(earlier.columns["requests"][near if near.any() else slice(None)])


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
