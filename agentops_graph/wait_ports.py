"""What the loop needs to wait and to go on: leases, timers, jobs, detached work, the outbox."""

from contextlib import AbstractContextManager
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

    def fenced(self, lease: Lease) -> AbstractContextManager[None]:
        """What is written to the ledger inside the block lands only while no other was given the
        lease; else ConflictError, in the transaction that would have written. Results of effects
        are written down all the same, as late ones."""
        ...

    def release(self, lease: Lease) -> None: ...

    def beat(self, runner_id: str, kind: str, *, stopped: bool = False) -> None: ...

    def runners_alive(self) -> list[str]: ...


class Timers(Protocol):
    """Waits as rows."""

    def set(self, timer: Timer) -> bool:
        """Insert-or-ignore by timer id; False when that one has fired already."""
        ...

    def due(self, at: datetime) -> list[Timer]:
        """Those whose time has come. A clock that was put back delays none for longer than it was
        to wait, counted from when that was seen here, and fires none early."""
        ...

    def claim(self, timer_id: str, *, until: datetime, at: datetime) -> bool:
        """True for the one caller that may fire it, by one conditional update. Till then it is due
        for nobody else; the claim of a process that died lapses, also by a clock put back."""
        ...

    def done(self, timer_id: str) -> None: ...


class Jobs(Protocol):
    """What runners do next: start or resume an incident."""

    def enqueue(self, incident_id: str, why: str, *, at: datetime) -> None: ...

    def waiting(self, at: datetime, incident_id: str | None = None) -> list[Job]:
        """Those due; one that was never put off is, whatever the clock has done since, and one that
        was put off is when the clock has gone behind that moment."""
        ...

    def finish(self, job_id: int) -> None: ...

    def put_off(self, job_id: int, until: datetime, error: str, *, at: datetime) -> None: ...

    def adopt_orphans(self, at: datetime) -> int:
        """Enqueues open incidents that have no job, no pending approval, no timer and no running
        work, so that none is ever lost; returns how many. Work that no process claimed within two
        minutes, by the clock of leases, has failed."""
        ...


class WatchedWork(Protocol):
    """Detached work as a runner looks after it."""

    def underway(self) -> list[Work]: ...

    def beat(self, key: str, ran_s: float | None = None) -> None:
        """A sign of life of running work, and how long it has been running by its own process's
        clock. A runner that can't read the clock of the last one counts from its own look."""
        ...

    def lose(self, work: Work, *, why: str, at: datetime) -> bool:
        """Running work becomes lost, and its effect unknown, with a resume job, unless it beat or
        ended since `work` was read; says whether it did."""
        ...

    def tell_to_end(self, work: Work, *, why: str, at: datetime) -> bool:
        """Has the process end that is proved to be the one which claimed the work: asked at first,
        made to a while later. False when there was nothing more to do, or no proof."""
        ...


class DetachedWork(WatchedWork, Protocol):
    """Long work done by a process of its own, which writes its own result."""

    def open(
        self,
        key: str,
        action: Action,
        incident_id: str,
        entry_point: str,
        *,
        at: datetime,
        longest_s: float | None = None,
    ) -> Work:
        """Insert-or-ignore by key; returns the row held."""
        ...

    def claim(self, key: str) -> Work | None:
        """The one process that may do the work gets it; every other gets None."""
        ...

    def progress(self, key: str, share: float, text: str, *, done_by: str | None = None) -> None:
        """`done_by` names what really does the work from now on, beyond the claiming process."""
        ...

    def finish(
        self, key: str, *, error: str | None, result: dict[str, object], at: datetime
    ) -> Work:
        """Writes the result and a resume job in one transaction. The late result of lost work is
        only recorded. Returns the row as it is after."""
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

    def waiting(self, at: datetime) -> list[Notification]:
        """Those due that nobody is sending; one that was put off is due as well when the clock has
        gone behind that moment."""
        ...

    def claim(self, waiting: Notification, seconds: float, *, at: datetime) -> Notification | None:
        """The one sender that gets it, if it is still due, has it until it says what became of it,
        is proved dead, or the time has run out; every other gets None."""
        ...

    def sent(self, claimed: Notification, reference: str, *, at: datetime) -> None:
        """Also when the claim went to another meanwhile: it was sent."""
        ...

    def failed(
        self, claimed: Notification, error: str, *, retry_at: datetime | None, at: datetime
    ) -> None:
        """To be tried again then; with None it has failed for good. Nothing when the claim went to
        another meanwhile."""
        ...

    def listed(self, incident_id: str | None = None) -> list[Notification]: ...
