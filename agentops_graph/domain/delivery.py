"""What other systems push to us: each thing once, and which of their alerts still fire."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.record import Moment, Name, Record, Text

LONGEST_SOURCE = 420  # a tenant and what it says itself
AHEAD = timedelta(minutes=5)  # how far the clock of another system may be before ours
Standing = Literal["new", "known", "over"]
Outcome = Literal["opened", "joined", "resolved", "recorded", "known", "over", "ignored", "refused"]
Short = Annotated[Text, Field(min_length=1, max_length=200)]
Source = Annotated[Text, Field(min_length=1, max_length=LONGEST_SOURCE)]


class Outside(Record):
    """One message of another system about one of its alerts: it fires, or it is over."""

    source: Source
    key: Name  # the same for a repeated message, whoever sends it
    fingerprint: Short  # the same for every message about one alert
    starts_at: Moment
    over_at: Moment | None = None  # while it fires: none
    claim: AlertClaim | None = None  # of one that fires, unless nobody wants to hear of it
    said: str = ""  # what else is to be known of it, such as why nobody wants to hear of it

    @property
    def is_over(self) -> bool:
        return self.over_at is not None

    def by_our_clock(self, now: datetime) -> Self:
        """Begun a little ahead of us at most, and over by now."""
        over_at = None if self.over_at is None else min(self.over_at, now)
        starts_at = min(self.starts_at, now + AHEAD)
        return self.model_copy(update={"starts_at": starts_at, "over_at": over_at})

    def ended_by(self, now: datetime) -> datetime | None:
        """When it was over at the latest, by our clock: what is said to begin or to end in a time
        to come must not swallow an alert that begins until then."""
        told = self.by_our_clock(now)
        return None if told.over_at is None else max(told.over_at, told.starts_at)


class Firing(Record):
    """An alert of another system, as one of ours; over when its source said so."""

    alert_id: Name
    incident_id: Name
    source: Source
    fingerprint: Short
    starts_at: Moment
    over_at: Moment | None = None


class Delivered(Record):
    """What became of one message."""

    outcome: Outcome
    incident_id: str | None = None
    alert_id: str | None = None
    said: str = ""


def key_of(*parts: str) -> str:
    """A name of fixed length for what these parts name together; no other parts give it."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode(errors="replace")).hexdigest()


def source_of(kind: str, tenant: str | None, sender: str | None = None) -> str:
    """A tenant's messages are its own, and within it a sender's: nobody can end, or take the place
    of, another's. Without a sender all of the tenant is one."""
    if sender is not None:
        return f"{kind} #{key_of(tenant or '', sender)[:32]}"
    return kind if tenant is None else f"{tenant}/{kind}"


def plain(text: str, longest: int) -> str:
    """Text of unknown origin on one line: without control, bidirectional and zero-width
    characters, and cut."""
    words = "".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split()
    joined = " ".join(words)
    return joined if len(joined) <= longest else f"{joined[: longest - 1]}…"
