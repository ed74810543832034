"""The contract of a feed: what its batches have to look like, and what a check of one found."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from agentops_graph.domain.record import Moment, Name, Record

Share = Annotated[float, Field(ge=0, le=1)]
ColumnType = Literal["number", "integer", "boolean", "text", "time"]
BreachKind = Literal[
    "dropped_column",
    "added_column",
    "renamed_column",
    "retyped_column",
    "swapped_columns",
    "unit_change",
    "missing_values",
    "wrong_type",
    "out_of_range",
    "unseen_category",
    "off_format",
    "duplicate_rows",
    "duplicate_keys",
    "malformed_rows",
    "late_data",
    "empty_batch",
    "unreadable_batch",
]
UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class ColumnRule(Record):
    """What one column has to hold."""

    dtype: ColumnType
    required: bool = True
    nullable: bool = True
    null_rate: Share = 0.0  # usual share of missing values; more than chance explains is a breach
    range: tuple[float, float] | None = None  # inclusive
    categories: tuple[str, ...] | None = None
    new_category_rate: Share = 0.0  # usual share of values that are none of them
    formats: tuple[str, ...] = ()  # regular expressions; a value has to be one of them as a whole
    off_format: Share = 0.0  # usual share of values that are none of them
    unit: str | None = Field(default=None, max_length=50)
    quantiles: tuple[float, ...] = ()  # evenly spaced, 0% to 100%; what units are told from

    @field_validator("formats")
    @classmethod
    def _are_expressions(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for text in formats:
            try:
                re.compile(text)
            except re.error as error:
                raise ValueError(f"{text!r} is no regular expression: {error}") from None
        return formats

    @field_validator("range")
    @classmethod
    def _rises(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
        if given is not None and given[0] > given[1]:
            raise ValueError(f"its lower end {given[0]:g} is above its upper end {given[1]:g}")
        return given


class Freshness(Record):
    """How far behind the newest time of a batch may be when the batch arrives."""

    column: Name
    max_age_s: float = Field(gt=0)

    @model_validator(mode="before")
    @classmethod
    def _read_age(cls, given: Any) -> Any:
        """`max_age: 26h` is short for `max_age_s: 93600`."""
        if not isinstance(given, dict) or "max_age" not in given:
            return given
        text = str(given["max_age"]).strip()
        found = re.fullmatch(r"([0-9.]+)\s*(s|min|h|d)", text)
        if found is None:
            raise ValueError(f"max_age is a number with s, min, h or d, such as 26h; not {text}")
        rest = {key: value for key, value in given.items() if key != "max_age"}
        return rest | {"max_age_s": float(found[1]) * UNITS_S[found[2]]}


class Contract(Record):
    """What the batches of one feed have to look like."""

    name: Name
    rows: int = Field(default=0, ge=0)  # of the reference batch; 0 when written by hand
    columns: dict[str, ColumnRule]
    allowed_rate: Share = 0.0  # share of the rows that may break it before the batch is violated
    more_columns: bool = True  # False: a column that is not named here is a breach
    keys: tuple[tuple[str, ...], ...] = ()  # columns that tell rows apart, one list per key
    duplicate_rate: Share | None = None  # usual share of repeated whole rows; None: not judged
    freshness: Freshness | None = None

    @model_validator(mode="after")
    def _name_what_is_there(self) -> Self:
        if not self.columns:
            raise ValueError("names no column; give at least one under `columns:`")
        named = [column for key in self.keys for column in key]
        if self.freshness is not None:
            named.append(self.freshness.column)
        for column in named:
            if column not in self.columns:
                raise ValueError(f"the column {column} is used and not described under `columns:`")
        return self


class Breach(Record):
    """One way in which a batch differs from its contract."""

    kind: BreachKind
    column: str | None = None
    rows: int = Field(ge=0)  # exact count of the rows that show it
    share: Share
    usual: Share = 0.0  # share of such rows in the reference
    counted: bool = True  # False: worth knowing, and no row is wrong for it
    summary: str
    examples: tuple[str, ...] = ()


class BatchReport(Record):
    """What the check of one batch found. Rows count once, however much is wrong with them."""

    contract: Name
    batch: str  # the file's name
    rows: int = Field(ge=0)
    violations: int = Field(ge=0)  # rows that break the contract beyond what was usual
    allowed_rate: Share = 0.0
    null_rate: Share = 0.0  # cells missing beyond what was usual
    breaches: tuple[Breach, ...] = ()  # most rows first
    missing: dict[str, int] = Field(default_factory=dict)  # exact counts, of every column with any
    unseen: dict[str, int] = Field(default_factory=dict)  # rows with a category not in the contract
    arrived_at: Moment | None = None

    @property
    def status(self) -> str:
        if any(breach.kind == "unreadable_batch" for breach in self.breaches):
            return "unreadable"
        return "violated" if self.is_violated else "ok"

    @property
    def is_violated(self) -> bool:
        """More rows are wrong than allowed and chance (three standard errors) explain, or the
        batch as a whole is."""
        whole = any(breach.counted and not breach.rows for breach in self.breaches)
        allowed = self.allowed_rate * self.rows
        return whole or self.violations > allowed + 3 * allowed**0.5

    @property
    def violation_rate(self) -> float:
        return self.violations / self.rows if self.rows else 0.0


class KeptBatch(Record):
    """The report of a batch as it is kept: once for each content of a pipeline's file."""

    pipeline: Name
    batch_id: str  # SHA-256 of the file's content
    stamp: str  # path, size and time of the file, to know it again without reading it
    at: Moment  # when the batch arrived
    checked_at: Moment
    report: BatchReport
