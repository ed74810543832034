"""When the system as a whole began to change, where no onset is declared or it came late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.root_causes.measures import rates
from agentops_graph.detection.root_causes.usual import usual_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.detection.root_causes.panel import Track
    from agentops_graph.domain.frames import Floats

GRID = 240  # places in time that are looked at
LEAST_ROWS = 24  # fewer have no change of their own
ROWS_TO_CORRECT = 60  # a declared onset is better than one found in fewer
EARLY = 1 / 3  # of the frame that is taken as healthy when no onset is declared
MOST_SPREADS = 5.0  # that one series adds; the onset is what many do together
CLEAR_RISE = 0.25  # spreads, in the mean over all series


def common_onset(tracks: Sequence[Track], declared: float | None) -> float | None:
    """The moment from which on the series stray further from their levels than before.

    Of each series the distance from its median is taken, in spreads and at most 5; their mean
    over all series is searched for one change (`onset_of`). Given a declared onset, only a change
    before it counts, in the later half of the rows before it: a fault that was noticed late.
    """
    clock = _clock(tracks)
    if len(clock) < (LEAST_ROWS if declared is None else ROWS_TO_CORRECT):
        return None
    begin, end = float(clock[0]), float(clock[-1])
    healthy = begin + EARLY * (end - begin) if declared is None else (begin + declared) / 2
    edges = np.linspace(begin, end, min(GRID, len(clock)) + 1)
    unrest = _unrest(tracks, healthy, edges)
    if unrest is None:
        return None
    found = onset_of(edges[:-1], unrest)
    if found is None or found.after - found.before < CLEAR_RISE:
        return None
    if declared is not None and not healthy <= found.at < declared:
        return None
    return found.at


def _clock(tracks: Sequence[Track]) -> Floats:
    longest = max(tracks, key=lambda track: len(track.times))
    return longest.times


def _unrest(tracks: Sequence[Track], healthy: float, edges: Floats) -> Floats | None:
    places = len(edges) - 1
    total, counted = np.zeros(places), np.zeros(places)
    for track in tracks:
        times, values = rates(track.times, track.values, track.metric, healthy)
        usual = usual_of(values[times < healthy])
        if usual is None or not usual.spread:
            continue
        far = np.minimum(np.abs(values - usual.level) / usual.spread, MOST_SPREADS)
        along = (times - edges[0]) / (edges[-1] - edges[0])
        place = np.clip((along * places).astype(np.intp), 0, places - 1)
        rows = np.bincount(place, minlength=places)
        sums = np.bincount(place, weights=far, minlength=places)
        total += np.divide(sums, rows, out=np.zeros(places), where=rows > 0)
        counted += rows > 0
    if not counted.any():
        return None
    return np.where(counted > 0, total / np.maximum(counted, 1), np.nan)
