"""How well a component can be seen: its last look that was answered, and since when it is blind."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from agentops_graph.domain.record import Moment, Name, Record
from agentops_graph.domain.standing import spoken

Fault = Literal["down", "slow", "garbled", "gone"]
OF_A_SOURCE = "source:"  # begins the name under which a source's incidents stand
LATE = 3  # intervals without a look: then no monitor runs
WAREHOUSE = "warehouse"  # the source of whatever names no other
_SLOW = ("lock", "timed out", "timeout", "time-out", "in time", "no answer")
_GARBLED = ("not a database", "malformed", "garbage", "disk image", "parse", "json", "decod")


class Miss(Record):
    """A look that its source did not answer."""

    source: Name
    fault: Fault
    why: str = Field(max_length=1000)


class Sight(Record):
    """One row per component; times are those of its looks."""

    component: Name
    due_at: Moment | None = None  # of the next look
    looked_at: Moment | None = None  # of the last one, answered or not
    seen_at: Moment | None = None  # of the last one that was answered
    readings: dict[str, float] = Field(default_factory=dict)  # what that one read
    missed: int = 0  # looks in a row that were not answered
    blind_since: Moment | None = None  # of the first of them
    source: Name | None = None  # what did not answer, the last time
    fault: Fault | None = None
    why: str = ""
    gap_from: Moment | None = None  # until the time that could not be seen is looked at in full
    back_at: Moment | None = None  # of the first look that was answered after it

    def answered(self, at: datetime, readings: Mapping[str, float]) -> "Sight":
        """After a look that its source answered."""
        was_blind = self.blind_since is not None
        return self.model_copy(
            update={
                "looked_at": at,
                "seen_at": at,
                "readings": dict(readings),
                "missed": 0,
                "blind_since": None,
                "fault": None,
                "why": "",
                "back_at": at if was_blind else self.back_at,
            }
        )

    def unanswered(self, at: datetime, miss: Miss, *, asked: bool = True) -> "Sight":
        """After one that it did not answer, or that nobody asked for because it answers nobody."""
        return self.model_copy(
            update={
                "looked_at": at if asked else self.looked_at,
                "missed": self.missed + 1,
                "blind_since": self.blind_since or at,
                "source": miss.source,
                "fault": miss.fault,
                "why": miss.why,
                "gap_from": self.gap_from or self.seen_at,
                "back_at": None,
            }
        )

    def is_blind(self, after_s: float, now: datetime) -> bool:
        """True once its looks have been missed for that long; a clock put back can't say so."""
        if self.blind_since is None or self.missed < 2:
            return False
        return now - self.blind_since >= timedelta(seconds=after_s)


def is_late(sight: Sight, every_s: float, now: datetime) -> bool:
    """True when its look is so long due that nobody can be looking."""
    return sight.due_at is not None and now - sight.due_at > timedelta(seconds=LATE * every_s)


class Turn(Record):
    """One process's turn to look at a component; without a token nobody else was kept from it."""

    sight: Sight
    token: int | None = None


def in_words(sight: Sight, now: datetime) -> str:
    """Since when it can't be seen and why, and what was last known, with its age."""
    since = "" if sight.blind_since is None else f"blind since {sight.blind_since:%H:%M} UTC: "
    said = f"{since}{sight.why}".rstrip()
    return f"{said}; {last_known(sight, now)}"


def last_known(sight: Sight, now: datetime) -> str:
    """The values of the last look that was answered, with their age."""
    if sight.seen_at is None:
        return "never seen before"
    known = ", ".join(f"{name} {value:.4g}" for name, value in sorted(sight.readings.items()))
    age = spoken(max(0.0, (now - sight.seen_at).total_seconds()))
    return f"last seen {sight.seen_at:%H:%M} UTC, {age} ago: {known or 'nothing measured'}"


def fault_of(why: str) -> Fault:
    """What kind of trouble the words of an error tell of."""
    words = why.lower()
    if any(word in words for word in _GARBLED):
        return "garbled"
    return "slow" if any(word in words for word in _SLOW) else "down"


def name_of_source(source: str) -> str:
    """The name that stands for a source where incidents name a component."""
    return f"{OF_A_SOURCE}{source}"
