"""Series on an even grid, whatever the rows' rhythm: counts as rates, anything else as means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

# Columns that count what came since the row before: a batch twice as long holds twice as many.
COUNTED = frozenset({"record_count", "schema_violations", "requests"})
HOUR_S = 3600.0
SHORTEST_S = 60.0
LONGEST_WAIT = 3.0  # times the wait before; a longer silence is a gap and no slow batch
MOST_BUCKETS = 2000
FILLED = 0.5  # of a bucket that has to be known, or it says nothing
LEAST_AFTER = 2  # buckets after the onset; one alone is no move


def named(metric: str) -> str:
    """A metric with the unit that it has on the grid."""
    return f"{metric} per hour" if metric in COUNTED else metric


def evened(metric: str, times: Floats, values: Floats, onset: float, until: float) -> Floats | None:
    """Rows (bucket begin, value), shape (2, n); None where too little is known after the onset.

    A row holds from its time to the next one's. A bucket is as long as the rows of most of the
    time lie apart, and one begins at the onset; a bucket less than half of which is known, as the
    last one may be, is left out.
    """
    known = np.isfinite(values) & np.isfinite(times)
    times, values = _summed(times[known], values[known], metric in COUNTED)
    if len(times) < 3:
        return None
    held = _held(times, until)
    length = bucket_length(times)
    before = min(np.ceil((onset - times[0]) / length), MOST_BUCKETS)
    edges = onset + length * np.arange(-before, np.floor((until - onset) / length) + 2)
    if len(edges) < 2:
        return None
    amounts = values if metric in COUNTED else values * held
    lasting = held > 0  # a row of this very moment says nothing yet
    sums, covered = _in_buckets(times[lasting], held[lasting], amounts[lasting], edges)
    enough = covered >= FILLED * length
    if (enough & (edges[:-1] >= onset)).sum() < LEAST_AFTER:
        return None
    shown = sums[enough] / covered[enough]
    return np.stack([edges[:-1][enough], shown * HOUR_S if metric in COUNTED else shown])


def bucket_length(times: Floats) -> float:
    """Seconds that the rows lie apart during most of the time, at least a minute."""
    gaps = np.sort(np.diff(times))
    along = np.cumsum(gaps)
    return max(SHORTEST_S, float(gaps[np.searchsorted(along, along[-1] / 2)]))


def _summed(times: Floats, values: Floats, counted: bool) -> tuple[Floats, Floats]:
    """One row per moment: the sum of what was counted, the mean of the rest."""
    moments, place, rows = np.unique(times, return_inverse=True, return_counts=True)
    sums = np.bincount(place, weights=values, minlength=len(moments))
    return moments, (sums if counted else sums / rows).astype(np.float64)


def _held(times: Floats, until: float) -> Floats:
    """Seconds that each row stands for."""
    gaps = np.diff(times)
    waits = np.append(gaps[:1], gaps)
    after = np.append(gaps, max(until - times[-1], 0.0))
    longest: Floats = np.append(np.full(len(gaps), LONGEST_WAIT), 1.0) * waits
    held: Floats = np.minimum(after, longest)
    return held


def _in_buckets(
    times: Floats, held: Floats, amounts: Floats, edges: Floats
) -> tuple[Floats, Floats]:
    """What falls into each bucket when each row's amount is spread over the time that it holds."""
    corners = np.column_stack([times, times + held]).ravel()
    amount = np.column_stack([np.zeros(len(times)), amounts]).ravel().cumsum()
    known = np.column_stack([np.zeros(len(times)), held]).ravel().cumsum()
    return (
        np.diff(np.interp(edges, corners, amount)),
        np.diff(np.interp(edges, corners, known)),
    )
