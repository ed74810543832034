"""What other systems pushed to us, as the ledger keeps it, and the figures others may scrape."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from pydantic import Field

from agentops_graph.domain.delivery import Firing, Outside, Standing
from agentops_graph.domain.record import Moment, Record


class Deliveries(Protocol):
    """Messages of other systems, each taken once."""

    def knows(self, key: str) -> bool: ...

    def take(self, message: Outside, *, at: datetime) -> Standing:
        """Keeps its key. `known` when that is there already, and nothing is written; `over` for an
        alert that fires and whose end was told before. An end ends all that began before it."""
        ...

    def note(self, key: str, source: str, *, at: datetime) -> bool:
        """The same for a message about no alert; False when it is known."""
        ...

    def forget(self, before: datetime) -> None:
        """Drops the keys of messages, and the ends, that are older."""
        ...


class OutsideAlerts(Protocol):
    """Alerts that another system raised and will say the end of."""

    def follow(self, firing: Firing) -> None: ...

    def followed(self, incident_id: str) -> list[Firing]: ...

    def recovering(self, at: datetime) -> list[str]:
        """Incidents of which such an alert is over and nobody has looked since; whether all of it
        is over is for the caller to see."""
        ...

    def look_again(self, incident_id: str, at: datetime | None) -> None:
        """At that time, or never unless another alert of it ends."""
        ...


class Backlog(Record):
    """What waits and what is open, counted without reading what has ended."""

    open_incidents: dict[tuple[str, str, str], int]  # by status, alert type, severity
    ended_lately: dict[tuple[str, str], int]  # in the last day, by status and alert type
    alerts: int  # ever admitted
    incidents: int  # ever opened
    approvals_pending: int
    oldest_pending_at: Moment | None
    effects_open: dict[str, int]  # by state
    jobs_waiting: int
    notices_waiting: int
    oldest_notice_at: Moment | None
    heard_at: Moment | None  # when another system last pushed something new


class Tally(Record):
    """How often what was written into the audit, up to a row."""

    seq: int
    counts: Mapping[str, int] = Field(default_factory=dict)


class Figures(Protocol):
    """What a scrape is told; each read looks at what is open or new, not at all there ever was."""

    def backlog(self, at: datetime) -> Backlog: ...

    def written_since(self, seq: int | None, limit: int = 10_000) -> Tally:
        """Rows of the audit after that one, at most `limit`; with None, where it ends now."""
        ...
