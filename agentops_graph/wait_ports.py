"""What the loop needs to wait and to go on: leases, timers, jobs, detached work, the outbox."""

from datetime import datetime
from typing import Protocol

from agentops_graph.domain.action import Action, Notice
from agentops_graph.domain.effect import Lease
from agentops_graph.domain.ledger import Job, Notification, Timer, Work


class Leases(Protocol):
    """One runner per incident, and which runners are alive."""

    def acquire(self, incident_id: str, holder: str, seconds: float) -> Lease | None: ...

    def renew(self, lease: Lease, seconds: float) -> bool: ...

    def holds(self, lease: Lease) -> bool:
        """True while it has neither run out nor gone to another runner."""
        ...

    def release(self, lease: Lease) -> None: ...

    def beat(self, runner_id: str, kind: str, *, stopped: bool = False) -> None: ...

    def runners_alive(self) -> list[str]: ...


class Timers(Protocol):
    """Waits as rows."""

    def set(self, timer: Timer) -> None:
        """Insert-or-ignore by timer id."""
        ...

    def due(self, at: datetime) -> list[Timer]: ...

    def done(self, timer_id: str) -> None: ...


class Jobs(Protocol):
    """What runners do next: start or resume an incident."""

    def enqueue(self, incident_id: str, why: str, *, at: datetime) -> None: ...

    def waiting(self, at: datetime, incident_id: str | None = None) -> list[Job]:
        """Those due; one that was never put off is, whatever the clock has done since."""
        ...

    def finish(self, job_id: int) -> None: ...

    def put_off(self, job_id: int, until: datetime, error: str) -> None: ...

    def adopt_orphans(self, at: datetime) -> int:
        """Enqueues open incidents that have no job, no pending approval, no timer and no running
        work, so that none is ever lost; returns how many."""
        ...


class DetachedWork(Protocol):
    """Long work done by a process of its own, which writes its own result."""

    def open(
        self, key: str, action: Action, incident_id: str, entry_point: str, *, at: datetime
    ) -> Work:
        """Insert-or-ignore by key; returns the row held."""
        ...

    def claim(self, key: str) -> Work | None:
        """The one process that may do the work gets it; every other gets None."""
        ...

    def progress(self, key: str, share: float, text: str) -> None: ...

    def finish(
        self, key: str, *, error: str | None, result: dict[str, object], at: datetime
    ) -> None:
        """Writes the result and a resume job in one transaction."""
        ...

    def find(self, key: str) -> Work | None: ...


class Outbox(Protocol):
    """Notices that wait to be sent: at least once, with a marker against duplicates."""

    def put(
        self, incident_id: str, notice: Notice, *, marker: str, reason: str, at: datetime
    ) -> None:
        """Outbox row and approval row decided by policy, in one transaction; ignored when the
        marker is known."""
        ...

    def waiting(self, at: datetime) -> list[Notification]: ...

    def sent(self, notification_id: int, reference: str, *, at: datetime) -> None: ...

    def failed(self, notification_id: int, error: str, *, retry_at: datetime | None) -> None:
        """To be tried again then; with None it has failed for good."""
        ...

    def listed(self, incident_id: str | None = None) -> list[Notification]: ...
