"""Reference profiles: what a model version's data looked like while it was healthy."""

from typing import Literal

from pydantic import Field

from agentops_graph.domain.healthy_rows import HealthyRows
from agentops_graph.domain.record import Moment, Name, Record
from agentops_graph.domain.segment import SegmentProfile
from agentops_graph.errors import InputError


class Cells(Record):
    """How many rows of one feature lie in each of its fine cells.

    Counts over the same edges add up, in any order and grouping: partitions make a reference,
    minutes make an hour.
    """

    edges: tuple[float, ...]  # inner edges, rising, n - 1 for n cells; a cell holds its upper edge
    counts: tuple[int, ...]  # finite rows per cell, n
    missing: int = 0  # rows that are not a finite number
    low: float | None = None  # smallest and largest finite value; None when there is none
    high: float | None = None

    @property
    def rows(self) -> int:
        return sum(self.counts) + self.missing

    def merged(self, other: "Cells") -> "Cells":
        """The rows of both. Raises InputError when they were counted over different edges."""
        if self.edges != other.edges:
            raise InputError(
                "these profiles were counted over different cells; count both over the cells of "
                "one of them (`like=`)",
                field="cells",
            )
        return Cells(
            edges=self.edges,
            counts=tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            missing=self.missing + other.missing,
            low=min((v for v in (self.low, other.low) if v is not None), default=None),
            high=max((v for v in (self.high, other.high) if v is not None), default=None),
        )


class CategoryProfile(Record):
    """How many rows of one categorical feature hold each category."""

    counts: dict[str, int]
    missing: int = 0

    @property
    def rows(self) -> int:
        return sum(self.counts.values()) + self.missing

    def merged(self, other: "CategoryProfile") -> "CategoryProfile":
        """The rows of both; categories in alphabetical order."""
        names = sorted(self.counts.keys() | other.counts.keys())
        return CategoryProfile(
            counts={name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in names},
            missing=self.missing + other.missing,
        )


class FeatureProfile(Record):
    """Histogram and quantiles of one feature."""

    edges: tuple[float, ...]  # inner bin edges, n - 1 for n bins
    shares: tuple[float, ...]  # share of non-missing rows per bin, n
    quantiles: tuple[float, ...]  # 0%, 1% .. 100%
    missing: float = 0.0  # share of rows
    cells: Cells | None = None  # None in a profile stored before there were any


class Together(Record):
    """How features moved together: Spearman's rank correlation of every pair."""

    names: tuple[str, ...]
    correlations: tuple[float, ...]  # of the pairs (0, 1), (0, 2) .. (1, 2) .., n (n - 1) / 2
    rows: int  # that they were measured on


class ReferenceProfile(Record):
    """What one model version was trained on, and its metrics while healthy."""

    model_name: Name
    model_version: Name | Literal[""]  # empty when the log names no versions
    rows: int
    features: dict[str, FeatureProfile] = Field(default_factory=dict)
    categories: dict[str, CategoryProfile] = Field(default_factory=dict)
    outputs: dict[str, FeatureProfile] = Field(default_factory=dict)  # `prediction` and `label`
    together: Together | None = None  # None in a profile stored before there was any
    metrics: dict[str, float] = Field(default_factory=dict)
    metric_errors: dict[str, float] = Field(default_factory=dict)  # standard errors, where known
    healthy: HealthyRows | None = None  # what its labelled rows taught
    importance: dict[str, float] = Field(default_factory=dict)  # weight per feature, sum 1
    segments: dict[str, SegmentProfile] = Field(default_factory=dict)  # by name: "country=DE"
    recorded_at: Moment
