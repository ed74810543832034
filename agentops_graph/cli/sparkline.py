"""An alert's chart as one line of text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Chart

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"  # nothing was measured there


def sparkline(values: Sequence[float | None]) -> str:
    """One bar for each value, from the lowest to the highest; all the same are in the middle."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = high - low

    def bar(value: float | None) -> str:
        if value is None:
            return GAP
        share = (value - low) / span if span > 0 else 0.5
        return BARS[min(len(BARS) - 1, int(share * len(BARS)))]

    return "".join(bar(value) for value in values)


def in_words(chart: "Chart") -> str:
    """The bars, and what can't be seen from them: the range, the line and the onset."""
    known = [value for value in chart.values if value is not None]
    said = [f"{screen.figure(min(known))} to {screen.figure(max(known))}"] if known else []
    if chart.threshold is not None:
        said.append(f"line {screen.figure(chart.threshold)}")
    said.append(f"each bar {screen.duration(chart.every_s)}")
    if chart.onset_at is not None:
        said.append(f"since {chart.onset_at:%H:%M} UTC")
    return f"{sparkline(chart.values)}  {', '.join(said)}"
