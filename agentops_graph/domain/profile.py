"""Reference profiles: what a model version's data looked like while it was healthy."""

from typing import Literal

from pydantic import Field

from agentops_graph.domain.record import Moment, Name, Record


class FeatureProfile(Record):
    """Histogram and quantiles of one feature."""

    edges: tuple[float, ...]  # inner bin edges, n - 1 for n bins
    shares: tuple[float, ...]  # share of non-missing rows per bin, n
    quantiles: tuple[float, ...]  # 0%, 1% .. 100%
    missing: float = 0.0  # share of rows


class ReferenceProfile(Record):
    """What one model version was trained on, and its metrics while healthy."""

    model_name: Name
    model_version: Name | Literal[""]  # empty when the log names no versions
    rows: int
    features: dict[str, FeatureProfile] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    recorded_at: Moment
