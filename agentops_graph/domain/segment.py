"""Segments: the parts of a model's traffic that are judged apart, and how each was when healthy."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from agentops_graph.domain.record import Name, Record

COLUMN = "segment"  # the column of PREDICTION_LOGS
AND = " & "  # between the conditions of a segment that has two
Bins = Annotated[int, Field(ge=2, le=20)]


class SegmentRule(Record):
    """What to tell rows apart by: the column `segment`, or a feature, cut into bins or by value."""

    by: Name
    bins: Bins | tuple[float, ...] | None = None  # so many of equal weight, or where to cut

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"by": given}
        if isinstance(given, Mapping) and isinstance(given.get("bins"), list):
            return {**given, "bins": tuple(given["bins"])}
        return given

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if isinstance(self.bins, tuple):
            if not self.bins:
                raise ValueError(f"{self.by} has no place to cut; leave `bins` out or name one")
            if any(a >= b for a, b in pairwise(self.bins)):
                raise ValueError(f"the cuts of {self.by} have to rise: {list(self.bins)}")
            if self.by == COLUMN:
                raise ValueError("the column `segment` holds names; only a number has bins")
        return self


class SegmentLevel(Record):
    """A metric's value over some rows, its standard error, and how many had a label."""

    value: float
    error: float
    rows: int
    hits: float | None = None  # of so many trials, for a metric that is a share of rows
    trials: float | None = None


class SegmentProfile(Record):
    """One segment of the rows that a reference profile was taken from."""

    rows: int
    level: SegmentLevel | None = None  # None with too few labels
    rest: SegmentLevel | None = None  # of all other rows
    bins: dict[str, tuple[int, ...]] = Field(default_factory=dict)  # by feature, missing last


class SegmentReading(Record):
    """The primary metric of one segment in one window."""

    segment: str
    share: float  # of all rows in the window
    rows: int  # with a label
    value: float | None  # None with too few labels
    baseline: float | None = None
    loss: float | None = None  # how much worse than the baseline, in the metric's unit
    is_lost: bool = False  # surely by more than is borne
