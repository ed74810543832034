"""The parent of every record: frozen, closed, with finite numbers only."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def storable(text: str) -> str:
    """The text, when every database and encoding can hold it; ValueError for NUL and lone halves
    of surrogate pairs, which one part would keep and the next would drop."""
    if "\x00" in text:
        raise ValueError("must not hold a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("must be valid Unicode text") from None
    return text


def placed(at: datetime) -> datetime:
    """The time, when it can be told in UTC and reckoned with; ValueError at the calendar's ends,
    where a window around it, or another offset, has no date."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return at


FIRST_YEAR, LAST_YEAR = 1900, 9000
Scalar = str | int | float | bool | None
Text = Annotated[str, AfterValidator(storable)]  # text that comes from outside
Name = Annotated[str, Field(min_length=1, max_length=200)]
Moment = Annotated[AwareDatetime, AfterValidator(placed)]


class Record(BaseModel):
    """An immutable value that refuses unknown fields, NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from `start` to `end`, or None while one of them is missing."""
    if start is None or end is None:
        return None
    return (end - start).total_seconds()
