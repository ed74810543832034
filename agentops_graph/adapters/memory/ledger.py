"""What the in-memory ledger holds: plain dicts under one lock, gone with the process."""

import json
import os
import socket
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from agentops_graph.domain.alert import Alert
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.delivery import Firing
from agentops_graph.domain.effect import Effect, Lease, Writer
from agentops_graph.domain.identity import Credential
from agentops_graph.domain.incident import Incident, TimelineEvent
from agentops_graph.domain.ledger import Chapter, Job, Notification, Silence, Timer, Work
from agentops_graph.domain.lesson import Calibration, ConfirmedOutcome
from agentops_graph.domain.record import Scalar
from agentops_graph.domain.redaction import redacted_within
from agentops_graph.domain.verdict import IncidentVerdict
from agentops_graph.errors import ConflictError

# Under which lease this context writes.
FENCE: ContextVar[Lease | None] = ContextVar("lease in memory", default=None)


@dataclass
class Queued:
    """A job and when it may be taken."""

    job: Job
    not_before: datetime
    put_off_at: datetime | None = None
    is_done: bool = False
    error: str | None = None


@dataclass
class Held:
    """A lease and the moment it runs out, in seconds of the monotonic clock."""

    lease: Lease
    until: float


class MemoryLedger:
    """The rows of one ledger; the `Memory...` classes of this package read and write them.

    Records are frozen, so rows are handed out as they are. Whoever writes holds `lock`.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.incidents: dict[str, Incident] = {}
        self.alerts: list[tuple[str, Alert]] = []
        self.records: dict[Chapter, str] = {}
        self.timeline: list[TimelineEvent] = []
        self.approvals: dict[str, Approval] = {}
        self.effects: dict[str, Effect] = {}
        self.pause: str | None = None
        self.silences: dict[str, Silence] = {}
        self.timers: dict[str, Timer] = {}
        self.timers_done: set[str] = set()
        self.timers_claimed: dict[str, tuple[datetime, datetime]] = {}  # from, until
        self.jobs: dict[int, Queued] = {}
        self.leases: dict[str, Held] = {}
        self.beats: dict[str, float] = {}
        self.work: dict[str, Work] = {}
        self.outbox: dict[int, tuple[Notification, datetime]] = {}
        self.claims: dict[int, float] = {}  # by notice, until when its sender has it
        self.notices_put_off: dict[int, datetime] = {}  # when that was said
        self.credentials: dict[str, Credential] = {}
        self.incident_verdicts: list[IncidentVerdict] = []
        self.outcomes: list[ConfirmedOutcome] = []
        self.calibrations: list[Calibration] = []
        self.deliveries: dict[str, datetime] = {}
        self.outside_ends: dict[tuple[str, str], datetime] = {}
        self.outside_alerts: dict[str, Firing] = {}  # by alert
        self.looks_due: dict[str, datetime] = {}  # by alert
        self.audit: list[dict[str, Scalar]] = []
        self._counters: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The next value of a counter."""
        self._counters[name] = self._counters.get(name, 0) + 1
        return self._counters[name]

    def counted(self, name: str) -> int:
        """The last value that a counter gave; 0 before the first."""
        return self._counters.get(name, 0)

    def stop_at_fence(self) -> None:
        """Raises ConflictError under a lease that another was given; whoever writes asks first."""
        lease = FENCE.get()
        held = None if lease is None else self.leases.get(lease.incident_id)
        if lease is not None and (held is None or held.lease.token != lease.token):
            raise ConflictError(f"{lease.incident_id} went to another runner")

    def enqueue(self, incident_id: str, why: str, at: datetime) -> None:
        self.stop_at_fence()
        job_id = self.number("job")
        job = Job(job_id=job_id, incident_id=incident_id, why=why[:200])
        self.jobs[job_id] = Queued(job, not_before=at)

    def set_timer(self, timer: Timer) -> None:
        self.stop_at_fence()
        self.timers.setdefault(timer.timer_id, timer)

    def write_down(
        self,
        what: str,
        *,
        actor: str,
        via: str,
        at: datetime,
        incident_id: str | None = None,
        **fields: Scalar,
    ) -> None:
        """One more row of the audit."""
        self.audit.append(
            {
                "seq": len(self.audit) + 1,
                "at": at.isoformat(),
                "what": what,
                "actor": actor,
                "via": via,
                "incident_id": incident_id,
                "fields": json.dumps(redacted_within(fields), sort_keys=True),
            }
        )


def this_process() -> Writer:
    """The only process that can write here."""
    return Writer(
        host=socket.gethostname(), boot_id="this-boot", pid=os.getpid(), started="this-process"
    )


def seconds_now() -> float:
    return time.monotonic()
