"""Which component and which metric a column of a frame speaks of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

Pair = tuple[str, str]

# Words that metrics begin with; a component's own name may hold the separator as well.
METRIC_WORDS = frozenset(
    word
    for row in (
        "cpu mem memory latency lat duration response error errors err failure failures",
        "load workload request requests req rps qps tps throughput traffic disk diskio io",
        "network net rx tx tcp udp socket sockets socks connections threads heap gc jvm",
        "process container availability success saturation utilization usage queue lag",
        "rate p50 p90 p95 p99 status null record volume cost tokens drift f1 precision",
        "recall auc accuracy freshness duplicates schema http grpc istio restarts count",
        "total bytes",
    )
    for word in row.split()
)
_SEPARATOR = re.compile(r"_|::|[/|]|\.(?=[A-Za-z])")


def pair_of(column: Hashable) -> Pair:
    """The component and the metric: of a tuple its first part and the rest; of text the parts
    before and after the separator where a metric's usual word begins, else the first separator.
    A column without one is its component's only metric, `value`."""
    if isinstance(column, tuple):
        parts = [str(part) for part in column if str(part)]
        return (parts[0], "_".join(parts[1:]) or "value") if parts else ("", "value")
    text = str(column)
    places = [match for match in _SEPARATOR.finditer(text) if match.start() and text[match.end() :]]
    if not places:
        return text, "value"
    known = (place for place in places if _first_word(text[place.end() :]) in METRIC_WORDS)
    place = next(known, places[0])
    return text[: place.start()], text[place.end() :]


def _first_word(text: str) -> str:
    found = re.match(r"[A-Za-z]+\d*", text)
    return found.group().lower() if found else ""
