"""What a feed's batches tell beside their sum: their number, their size, copies and their times."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.feed_triggers import violation_rate
from agentops_graph.detection.loaded_twice import LIKELY, twins_of
from agentops_graph.domain.frames import Series
from agentops_graph.gathering.case import seen
from agentops_graph.gathering.series import joined, part_of

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.frames import Floats

AHEAD = timedelta(hours=14)  # no two time zones are further apart
SKEW_S = 300.0  # clocks of two machines differ by less
OVERDUE = 3.0  # usual gaps without a batch
SMALL, LARGE = 0.6, 1.6  # of the usual records in a batch at this time of day
CROWDED = 1.5  # times the usual batches in the hours a negative shift falls into
LEAST_COPIES = 0.3  # share of the records
FEWEST = 12  # earlier batches, that tell what is usual
NEAR_H = 1.0  # of the time of day
HOUR_S, DAY_S = 3600.0, 86400.0


def batch_signals(
    window: Window, now: Series, earlier: Series, ahead: Series
) -> tuple[dict[str, float], dict[str, float]]:
    """Figures and signals of the batches since the onset (`now`) against those of days before;
    `ahead` are batches whose time has not come yet."""
    figures: dict[str, float] = {}
    signals: dict[str, float] = {}
    if len(now):
        figures["nulls"] = float(np.nan_to_num(now.columns["null_rate"]).max())
        limit = window.component.thresholds.quality_violations
        signals["feed_nulls"] = seen(figures["nulls"] > limit)
        signals["feed_violations"] = seen(_schema_rate(now) > limit)
    if len(earlier) < FEWEST:
        return figures, signals
    gap = float(np.median(np.diff(earlier.timestamps[-4 * FEWEST :])))
    last = now.timestamps[-1] if len(now) else earlier.timestamps[-1]
    figures["overdue_gaps"] = (window.end.timestamp() - float(last)) / max(gap, 1.0)
    moved = _times_moved(window, now, earlier, ahead, gap)
    signals["feed_overdue"] = seen(figures["overdue_gaps"] > OVERDUE)
    signals["batch_times_shifted"] = seen(moved)
    if len(now):
        size = _usual_size(earlier, float(now.timestamps.mean()))
        if size:
            figures["batch_size"] = float(np.median(now.columns["record_count"])) / size
            signals["batches_small"] = seen(figures["batch_size"] < SMALL)
            signals["batches_large"] = seen(figures["batch_size"] > LARGE)
        twins = twins_of(now, earlier)
        figures["copies"] = 0.0 if twins is None else twins.share
        copied = twins is not None and twins.share > LEAST_COPIES and twins.chance <= LIKELY
        signals["batches_repeated"] = seen(copied)
    return figures, signals


def _schema_rate(batches: Series) -> float:
    """Violations of the schema alone: missing values are told apart."""
    without = batches.columns | {"null_rate": np.zeros(len(batches))}
    return violation_rate(Series(batches.timestamps, without))


def _usual_size(earlier: Series, at: float) -> float | None:
    """The median records of a batch at about this time of day."""
    away = np.abs((earlier.timestamps - at + DAY_S / 2) % DAY_S - DAY_S / 2)
    near = earlier.columns["record_count"][away <= NEAR_H * HOUR_S]
    near = near[np.isfinite(near)]
    return float(np.median(near)) if len(near) else None


def _times_moved(window: Window, now: Series, earlier: Series, ahead: Series, gap: float) -> bool:
    """Batches from the future; or none in time, and twice as many as usual in hours gone by."""
    if np.any(ahead.timestamps > window.end.timestamp() + SKEW_S):
        return True
    if len(now) and window.end.timestamp() - now.timestamps[-1] <= OVERDUE * gap:
        return False
    both = joined(earlier, now)
    start = window.end.timestamp() - AHEAD.total_seconds()
    recent = part_of(both, both.timestamps >= start).timestamps
    return bool(len(recent) and _per_hour(recent).max() >= CROWDED * HOUR_S / gap)


def _per_hour(times: Floats) -> Floats:
    """Batches in each hour, the hours beginning with the first batch."""
    places = ((times - times[0]) // HOUR_S).astype(np.int64)
    return np.bincount(places).astype(np.float64)
