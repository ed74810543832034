"""Memory that grows steadily: a leak, and when it reaches the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

SPAN_S = 6 * 3600.0  # over which growth is measured
DAY_S = 86400.0
BUCKETS = 36
FEWEST_BUCKETS = 12  # two hours
SURE = 3.9  # standard deviations of Kendall's score: one look in 20,000 by chance
RESTART = 0.3  # a floor that much lower is a process begun anew
STEADY = 0.75  # of the growth of the first half; a cache that fills grows ever slower
FOOT = 0.1  # of the whole rise; floors up to there lie before it
NEW_HIGH = 1.02  # over everything seen before; a daily rhythm comes back to where it was
SLOPE_Z = 2.5758


@dataclass(frozen=True)
class Leak:
    """Level (MB), growth (MB per hour) and hours until the limit, with the ends of its interval;
    `since` is when it began, in seconds since the epoch."""

    level: float
    growth: float
    hours: float
    soonest: float
    latest: float
    since: float


def leak_of(times: Floats, memory: Floats, limit: float, horizon_h: float) -> Leak | None:
    """Steady growth of the least memory held, that reaches `limit` within the horizon.

    What counts are the floors, the minima of short stretches: memory that is freed again is none
    leaked. The floors of the last six hours, since the last restart and the foot of their rise,
    have to rise for two hours (Mann, Econometrica 13, 1945; Kendall) without slowing down, up to
    where memory never was before.
    Growth is the median of pairwise slopes with its interval (Sen, JASA 63, 1968). `times` rise;
    None over the limit.
    """
    keep = np.isfinite(times) & np.isfinite(memory)
    times, memory = times[keep], memory[keep]
    if len(memory) < FEWEST_BUCKETS:
        return None
    middles, floors = _risen(*_floors(times, memory))
    if len(floors) < FEWEST_BUCKETS or _kendall(floors) < SURE:
        return None
    level, before = float(floors[-1]), memory[times < middles[0] - SPAN_S / BUCKETS]
    if len(before) and level < NEW_HIGH * float(before.max()):
        return None
    slope, low, high = _slopes(middles, floors)
    if low <= 0 or level >= limit or not _keeps_on(middles, floors):
        return None
    hours = [(limit - level) / each / 3600 for each in (slope, high, low)]
    if hours[0] > horizon_h:
        return None
    since = _began(times, memory, middles, level, slope)
    return Leak(level, slope * 3600, hours[0], hours[1], hours[2], since)


def _began(times: Floats, memory: Floats, middles: Floats, level: float, slope: float) -> float:
    """Where the line of the growth leaves the usual level of the day before its foot."""
    foot, end = float(middles[0]), float(middles[-1])
    usual = memory[(times < foot) & (times >= foot - DAY_S)]
    if not len(usual):
        return foot
    left = end - (level - float(np.median(usual))) / slope
    return float(np.clip(left, foot - SPAN_S, end))


def _floors(times: Floats, memory: Floats) -> tuple[Floats, Floats]:
    """Middle and minimum of each stretch of the last hours, since the last restart."""
    length = SPAN_S / BUCKETS
    back = np.floor((times[-1] - times) / length).astype(np.int64)
    late = back < BUCKETS
    floors = np.full(BUCKETS, np.inf)
    np.minimum.at(floors, BUCKETS - 1 - back[late], memory[late])
    middles = times[-1] - length * (np.arange(BUCKETS)[::-1] + 0.5)
    there = np.isfinite(floors)
    middles, floors = middles[there], floors[there]
    drops = np.flatnonzero(floors[1:] < (1 - RESTART) * floors[:-1])
    first = int(drops[-1]) + 1 if len(drops) else 0
    return middles[first:], floors[first:]


def _risen(middles: Floats, floors: Floats) -> tuple[Floats, Floats]:
    """From the last floor at the foot of the rise on."""
    if not len(floors):
        return middles, floors
    foot = float(floors.min()) + FOOT * float(floors[-1] - floors.min())
    first = int(np.flatnonzero(floors <= foot)[-1])
    return middles[first:], floors[first:]


def _kendall(values: Floats) -> float:
    """Mann and Kendall's score in standard deviations, corrected for ties."""
    count = len(values)
    signs = np.sign(values[None, :] - values[:, None])
    score = float(np.triu(signs, 1).sum())
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    tied = float(np.sum(ties * (ties - 1) * (2 * ties + 5)))
    spread = count * (count - 1) * (2 * count + 5) - tied
    return float((score - np.sign(score)) / np.sqrt(spread / 18)) if spread > 0 else 0.0


def _slopes(middles: Floats, floors: Floats) -> tuple[float, float, float]:
    """The median of the slopes between all pairs, per second, and the ends of its interval."""
    first, second = np.triu_indices(len(floors), 1)
    slopes = np.sort((floors[second] - floors[first]) / (middles[second] - middles[first]))
    count, pairs = len(floors), len(slopes)
    reach = SLOPE_Z * np.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, int(np.floor((pairs - reach) / 2)))
    high = min(pairs - 1, int(np.ceil((pairs + reach) / 2)))
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def _keeps_on(middles: Floats, floors: Floats) -> bool:
    half = len(floors) // 2
    early = _slopes(middles[:half], floors[:half])[0]
    return _slopes(middles[half:], floors[half:])[0] >= STEADY * max(early, 0.0)
