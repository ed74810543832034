"""A lasting rise of a metric over what is usual at this time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.changepoint import Onset, onset_of
from agentops_graph.detection.season import DAY_S, SLACK_S, without_season
from agentops_graph.detection.unusual import judge

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

CLEAR_RISE = 1.5  # smaller ones are real at times, but nobody acts on them
MIN_ROWS = 3  # one slow minute is not an alert


@dataclass(frozen=True)
class Rise:
    """The level since the rise began, the level expected, and when it began."""

    level: float
    expected: float
    onset: Onset | None


def suspected(times: Floats, values: Floats, since: float) -> bool:
    """Whether a longer history is worth reading: lately clearly above the rows before."""
    now, before = values[times >= since], values[times < since]
    now, before = now[np.isfinite(now)], before[np.isfinite(before)]
    if len(now) < MIN_ROWS or not len(before):
        return False
    return float(np.quantile(now, 0.75)) > CLEAR_RISE * float(np.median(before))


def rise_since(times: Floats, values: Floats, since: float) -> Rise | None:
    """A row from `since` on is unusual, and the rows after it stay 1.5 times above the expected."""
    keep = np.isfinite(values) & np.isfinite(times)
    times, values = times[keep], values[keep]
    alarms = judge(times, values, since=since).alarms
    if not len(alarms) or len(values) - alarms[0] < MIN_ROWS:
        return None
    level, expected = float(np.median(values[alarms[0] :])), _expected(times, values, since)
    if expected is None or level <= CLEAR_RISE * expected:
        return None
    lately = times >= times[-1] - DAY_S
    return Rise(level, expected, onset_of(times[lately], without_season(times, values)))


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
