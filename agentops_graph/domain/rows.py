"""Rows on their way into the warehouse: how they are read, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from agentops_graph.domain.record import Name, Record
from agentops_graph.domain.row_kinds import RowKind

LONGEST_ROW = 1 << 20  # characters of one row; no row of ours comes near
RAW_LIMIT = 20_000  # characters of a refused row that are kept


class Absent:
    """What a JSON object has under a name that only others of its chunk have."""


ABSENT = Absent()


class Reading(Record):
    """How the columns of a file become those of a table."""

    renamed: dict[Name, Name] = Field(default_factory=dict)  # the file's name -> the table's
    fixed: dict[Name, str] = Field(default_factory=dict)  # the same value in every row
    features: tuple[Name, ...] = ()  # columns, or `prefix*`, that become the JSON of `features`
    left_out: tuple[Name, ...] = ()
    own: tuple[Name, ...] = ()  # metrics of the team's own, made where the table lacks them
    decimal: Literal[",", "."] | None = None  # of numbers in text; None asks where it matters


@dataclass(frozen=True)
class BadRow:
    """A row that could not go in, and why; `raw` is what it takes to mend and load it."""

    line: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Chunk:
    """Rows that follow each other in a source, column by column.

    `lines` are the lines they began at; in a file without lines, their numbers. `bad` are those
    that could not even be read. `done` is the share of the source that is behind this chunk.
    """

    columns: Sequence[str]
    values: Sequence[Sequence[Any]]
    lines: Sequence[int]
    bad: Sequence[BadRow] = ()
    done: float = 0.0

    @property
    def count(self) -> int:
        return len(self.lines) + len(self.bad)

    def without(self, first: int) -> "Chunk":
        """The chunk without so many of its rows, bad ones counted."""
        start = sorted([*self.lines, *(row.line for row in self.bad)])[first]
        places = [place for place, line in enumerate(self.lines) if line >= start]
        return Chunk(
            self.columns,
            [[values[place] for place in places] for values in self.values],
            [self.lines[place] for place in places],
            [row for row in self.bad if row.line >= start],
            self.done,
        )


class Refusal(Record):
    """Why one row of a source was refused."""

    line: int
    reason: str


class Taken(Record):
    """What became of the rows of one source: read = loaded + repeated + refused."""

    source: str
    kind: RowKind
    read: int = 0
    loaded: int = 0
    repeated: int = 0  # in the warehouse already, with the same values
    refused: int = 0  # in quarantine, except for the `unkept`
    unkept: int = 0  # of the refused, those that only their sender still has
    reasons: dict[str, int] = Field(default_factory=dict)  # how many rows by what is wrong
    shown: tuple[Refusal, ...] = ()  # the first of the refused
    is_known: bool = False  # loaded before; nothing was written now
    resumed_at: int = 0  # rows that an earlier run, broken off, had put in

    def plus(
        self, *, loaded: int, repeated: int, bad: Sequence[BadRow], most_aside: int | None = None
    ) -> Self:
        """With the rows of one more chunk."""
        counted = dict(self.reasons)
        for row in bad:
            kind = row.reason.partition(SEEN)[0]
            if kind in counted or len(counted) < MOST_REASONS:
                counted[kind] = counted.get(kind, 0) + 1
        room = MOST_REASONS - len(self.shown)
        more = tuple(Refusal(line=row.line, reason=row.reason) for row in bad[:room])
        return self.model_copy(
            update={
                "read": self.read + loaded + repeated + len(bad),
                "loaded": self.loaded + loaded,
                "repeated": self.repeated + repeated,
                "refused": self.refused + len(bad),
                "unkept": beyond(self.refused + len(bad), most_aside),
                "reasons": counted,
                "shown": (*self.shown, *more),
            }
        )


def beyond(count: int, most: int | None) -> int:
    """How many there are above a limit; without one, none."""
    return 0 if most is None else max(0, count - most)


SEEN = " (seen: "  # what stands behind it in a reason differs from row to row
MOST_REASONS = 100  # told apart; a value that differs in each row may stand in its reason


@dataclass(frozen=True)
class Quarantined:
    """A row in quarantine."""

    number: int
    kind: str
    source: str
    line: int
    reason: str
    raw: str
    at: datetime


class Quarantine(Record):
    """What the quarantine holds, and loads that were broken off."""

    rows: int = 0
    loads: int = 0  # sources loaded so far
    unfinished: tuple[str, ...] = ()  # by the name of the source
