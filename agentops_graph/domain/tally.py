"""A window of a prediction log in counts, as a database counted it: no row of it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_graph.domain.profile import CategoryProfile, Cells


@dataclass(frozen=True)
class Latencies:
    """Of the rows whose latency is known, in milliseconds."""

    rows: int
    mean: float
    percentiles: Mapping[str, float]  # latency_p50, latency_p95, latency_p99
    p99_floor: float | None  # what the true p99 surely exceeds; None for too few rows


@dataclass(frozen=True)
class Tally:
    """What one version's rows of a window add up to."""

    rows: int
    failed: int  # without a prediction
    anomalous: int  # with a feature far outside of the reference
    features: Mapping[str, Cells] = field(default_factory=dict)  # over the reference's cells
    categories: Mapping[str, CategoryProfile] = field(default_factory=dict)
    outputs: Mapping[str, Cells] = field(default_factory=dict)  # `prediction` and `label`
    latency: Latencies | None = None
    # How many rows were called the first and labelled the second; None where these are no classes.
    outcomes: Mapping[tuple[float, float], int] | None = None

    @property
    def labelled(self) -> int:
        """Rows with a label and a prediction."""
        return sum((self.outcomes or {}).values())
