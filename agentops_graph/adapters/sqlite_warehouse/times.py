"""The times of rows on their way in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.adapters.sqlite_warehouse.values import (
    Checked,
    Faults,
    WrongError,
    is_nothing,
    told,
)
from agentops_graph.domain.record import placed

AHEAD = timedelta(days=1)  # clocks go wrong by minutes; a row of next year is a mistake


@dataclass
class Times:
    """Reads times. All of one source have an offset, or none has: else nobody knows which hour the
    bare ones mean."""

    latest: datetime
    has_offset: bool | None = None  # of the first time that was read

    def check(self, values: Sequence[Any]) -> Checked:
        stored: list[Any] = []
        faults: Faults = {}
        for place, value in enumerate(values):
            try:
                stored.append(self._one(value))
            except (ValueError, OverflowError) as error:
                stored.append(None)
                faults[place] = told("timestamp", error, value)
        return stored, faults

    def _one(self, value: Any) -> str:
        at = _moment(value)
        has_offset = at.tzinfo is not None
        if self.has_offset is None:
            self.has_offset = has_offset
        elif has_offset is not self.has_offset:
            first, this = ("an", "none") if self.has_offset else ("no", "one")
            raise WrongError(
                f"the times before it have {first} offset from UTC and this has {this}"
            )
        at = at if has_offset else at.replace(tzinfo=UTC)
        if at > self.latest:
            raise WrongError("lies more than a day ahead")
        placed(at)
        return at.isoformat(timespec="microseconds") if at.tzinfo is UTC else time_text(at)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if is_nothing(value):
        raise WrongError("is missing")
    if isinstance(value, str):
        text = value.strip()
        if not text.isdigit():  # seconds since 1970 would be read as a date
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass
    raise WrongError("is no ISO-8601 time")
