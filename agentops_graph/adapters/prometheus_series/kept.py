"""Points that were read before, so that a tick asks only for what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats

    Places = NDArray[np.int64]
    Read = Callable[[int, int], tuple[Places, Floats]]

MOST_KEPT = 2_000_000  # points of all queries together: 32 MB


@dataclass(frozen=True)
class Span:
    """All that there is from one place of a query's grid to before another; a place is the time
    divided by the step."""

    first: int
    end: int
    places: Places
    values: Floats

    def part(self, first: int, end: int) -> Span:
        """What of it lies there."""
        first, end = max(self.first, first), min(self.end, end)
        cut = slice(*np.searchsorted(self.places, [first, end]).tolist())
        return Span(first, max(first, end), self.places[cut], self.values[cut])

    def widened(self, first: int, end: int, read: Read) -> Span:
        """It, and what is read of the places before and after it."""
        parts = [(self.places, self.values)]
        if first < self.first:
            parts.insert(0, read(first, self.first))
        if end > self.end:
            parts.append(read(self.end, end))
        places, values = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return Span(min(first, self.first), max(end, self.end), places, values)


class KeptPoints:
    """Bounded in all; what was not asked for longest goes first. Safe between threads."""

    def __init__(self, *, most: int = MOST_KEPT) -> None:
        self._most = most
        self._spans: OrderedDict[Hashable, Span] = OrderedDict()
        self._lock = threading.Lock()

    def between(
        self, key: Hashable, first: int, end: int, *, oldest: int, settled: int, read: Read
    ) -> tuple[Places, Floats]:
        """Places from `first` to before `end`, and their values. Of what was read, that from
        `oldest` to before `settled` is kept."""
        with self._lock:
            held = self._spans.get(key)
        if held is not None and end <= held.first:
            return read(first, end)  # long past, and asked for this once
        if held is None or first >= held.end:
            whole = Span(first, end, *read(first, end))
        else:
            whole = held.widened(first, end, read)
        self._keep(key, whole.part(oldest, settled))
        wanted = whole.part(first, end)
        return wanted.places, wanted.values

    def _keep(self, key: Hashable, span: Span) -> None:
        with self._lock:
            self._spans.pop(key, None)
            if span.end > span.first:
                self._spans[key] = span
            count = sum(len(each.places) for each in self._spans.values())
            while count > self._most:
                count -= len(self._spans.popitem(last=False)[1].places)
