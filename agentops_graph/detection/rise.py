"""A lasting rise of a metric over what is usual at this time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.changepoint import Onset, onset_of
from agentops_graph.detection.season import DAY_S, SLACK_S, without_season
from agentops_graph.detection.unusual import judge
from agentops_graph.detection.usual_level import over_usual

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

CLEAR_RISE = 1.5  # smaller ones are real at times, but nobody acts on them
ONSET_S = (DAY_S / 4, DAY_S)  # a rise is looked for where it is likeliest first
MIN_ROWS = 3  # one slow minute is not an alert


@dataclass(frozen=True)
class Rise:
    """The level since the rise began, the level expected, and when it began."""

    level: float
    expected: float
    onset: Onset | None


def suspected(times: Floats, values: Floats, since: float) -> bool:
    """Whether a longer history is worth reading: lately clearly above the rows before, or above
    those of this time yesterday, which a rise in a quiet hour is held against."""
    keep = np.isfinite(values) & np.isfinite(times)
    times, values = times[keep], values[keep]
    now, before = values[times >= since], values[times < since]
    if len(now) < MIN_ROWS or not len(before):
        return False
    high = float(np.quantile(now, 0.75))
    yesterday = values[times <= times[-1] - DAY_S + SLACK_S]
    levels = [float(np.median(rows)) for rows in (before, yesterday) if len(rows)]
    return high > CLEAR_RISE * min(levels)


def rise_since(times: Floats, values: Floats, since: float) -> Rise | None:
    """The rows from `since` on hold a lasting rise of half or more over what is expected: a row is
    unusual and those after it stay up, or the whole window lies over its time of day."""
    keep = np.flatnonzero(np.isfinite(values) & np.isfinite(times))
    keep = keep[np.argsort(times[keep], kind="stable")]
    times, values = times[keep], values[keep]
    found = _after_alarm(times, values, since) or over_usual(times, values, since, CLEAR_RISE)
    if found is None:
        return None
    return Rise(*found, _began(times, values))


def _began(times: Floats, values: Floats) -> Onset | None:
    """Where the level went up, in the last hours or else in the last day: a weekend that ends is a
    change as well, and not this one."""
    usual_less = without_season(times, values)
    times = times[-len(usual_less) :]
    for back in ONSET_S:
        late = times >= times[-1] - back
        found = onset_of(times[late], usual_less[late])
        if found is not None and found.after > found.before:
            return found
    return None


def _after_alarm(times: Floats, values: Floats, since: float) -> tuple[float, float] | None:
    """The level since the first unusual row, and the expected one, when they are far apart."""
    day = values[(times < since) & (times >= since - DAY_S)]
    if len(day) and float(values[times >= since].max(initial=0)) <= CLEAR_RISE * np.median(day):
        return None  # judging every row costs most, and could only end so
    alarms = judge(times, values, since=since).alarms
    if not len(alarms) or len(values) - alarms[0] < MIN_ROWS:
        return None
    level, expected = float(np.median(values[alarms[0] :])), _expected(times, values, since)
    if expected is None or level <= CLEAR_RISE * expected:
        return None
    return level, expected


def _expected(times: Floats, values: Floats, since: float) -> float | None:
    """The larger of the last day's median and the 90th percentile at this time on earlier days."""
    day = values[(times < since) & (times >= since - DAY_S)]
    span = times[-1] - since + 2 * SLACK_S
    back = (times[-1] + SLACK_S - times) % DAY_S
    alike = values[(times < since) & (times < times[-1] - DAY_S / 2) & (back <= span)]
    levels = [float(np.median(day))] if len(day) else []
    levels += [float(np.quantile(alike, 0.9))] if len(alike) >= MIN_ROWS else []
    return max(levels, default=None)


def said_since(onset: Onset | None) -> str:
    """Such as ", since 14:05 UTC, +-5 min"; nothing without an onset."""
    if onset is None:
        return ""
    moment = np.datetime64(round(onset.at), "s")
    minutes = max(1, round(onset.within_s / 60))
    return f", since {str(moment)[11:16]} UTC, +-{minutes} min"
