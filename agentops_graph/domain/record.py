"""The parent of every record: frozen, closed, with finite numbers only."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Scalar = str | int | float | bool | None
Name = Annotated[str, Field(min_length=1, max_length=200)]
Moment = AwareDatetime


class Record(BaseModel):
    """An immutable value that refuses unknown fields, NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from `start` to `end`, or None while one of them is missing."""
    if start is None or end is None:
        return None
    return (end - start).total_seconds()
