"""Columns read from the warehouse, as numpy arrays in time order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Words = NDArray[np.object_]  # text, or None

SeriesTable = Literal["model_metrics", "data_quality", "agent_metrics"]


@dataclass(frozen=True)
class Predictions:
    """A model's prediction log; all arrays have one entry per row.

    `timestamps` and `labelled_at` are seconds since the epoch, `latency_ms` milliseconds. A
    failed prediction, a missing label or an unknown latency is NaN. A feature that holds text
    stands in `categories`, where None is missing; `features` has its numbers, and NaN for its text.
    """

    ids: list[str]
    timestamps: Floats
    features: dict[str, Floats]
    prediction: Floats
    confidence: Floats
    label: Floats
    latency_ms: Floats
    version: list[str]
    categories: dict[str, Words] = field(default_factory=dict)
    segment: list[str] | None = None  # as logged, "" where a row has none
    stands_for: int | None = None  # rows of the log that these are a sample of; None: all are here

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def rows(self) -> int:
        """How many there are, read or not."""
        return len(self) if self.stands_for is None else self.stands_for

    @property
    def is_sample(self) -> bool:
        return self.stands_for is not None

    def sampled_of(self, rows: int) -> Predictions:
        """The same rows, drawn from so many."""
        return replace(self, stands_for=rows)


@dataclass(frozen=True)
class Series:
    """Several measures of one subject over the same timestamps (seconds since the epoch)."""

    timestamps: Floats
    columns: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.timestamps)


@dataclass(frozen=True)
class PastIncident:
    """A row of the incident history, which may be older than the ledger."""

    at: datetime
    incident_id: str
    alert_type: str
    minutes: float = 0.0  # how long it lasted


@dataclass(frozen=True)
class Change:
    """Something that was changed around a component: a schema, a deploy, a configuration."""

    at: datetime
    kind: str  # schema_change, deploy, config_change, source_outage, holiday ...
    subject: str  # component or pipeline
    summary: str
    link: str | None = None
