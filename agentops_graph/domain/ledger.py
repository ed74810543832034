"""Rows of the ledger that are neither alert, incident, approval nor effect."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from agentops_graph.domain.action import Action, Notice
from agentops_graph.domain.alert import Alert
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.record import Moment, Name, Record, Scalar


class Admission(Record):
    """What became of an alert: a new incident, or evidence for an open one."""

    alert: Alert
    incident_id: Name
    is_new: bool


class Chapter(Record):
    """The key of a kept record."""

    incident_id: Name
    kind: Literal[
        "measurement",
        "evidence",
        "diagnosis",
        "second_opinion",
        "step",
        "trial",
        "look",
        "replan",
        "resolution",
        "postmortem",
        "confirmed_report",
        "recurrence",
    ]
    plan_number: int = 0
    step: int = 0


class Timer(Record):
    """A wait that ends at a time, also by a clock that was put back since it was set.

    Behind `set_at` the clock can't be trusted about `due_at`: then the wait lasts as long as was
    asked, from when the clock was first seen there. A clock that is put right again finds `due_at`
    as it was, so that no wait is shortened by having been put back.
    """

    timer_id: Name
    kind: Literal["escalate", "expire", "look", "watch"]
    incident_id: Name
    approval_id: str | None = None
    due_at: Moment
    set_at: Moment | None = None  # rows of older ledgers have none, and wait for their time
    back_due_at: Moment | None = None  # when it ends by a clock that was put behind `set_at`

    def is_due(self, now: datetime) -> bool:
        is_behind = self.set_at is not None and now < self.set_at
        ends_at = self.back_due_at if is_behind else self.due_at
        return ends_at is not None and ends_at <= now

    def seen(self, now: datetime) -> "Timer":
        """The timer once a clock that says `now` has seen it."""
        if self.set_at is None or self.set_at <= now:
            return self if self.back_due_at is None else self._ending_behind(None)
        asked = self.due_at - self.set_at
        began = self.back_due_at is not None and self.back_due_at - asked <= now
        return self if began else self._ending_behind(now + asked)

    def _ending_behind(self, back_due_at: datetime | None) -> "Timer":
        return self.model_copy(update={"back_due_at": back_due_at})


class Silence(Record):
    """A time in which a component's alerts open nothing; in maintenance nothing is done to it."""

    silence_id: Name
    kind: Literal["silence", "maintenance"] = "silence"
    component: Name
    alert_type: str | None = None  # every type when empty
    starts_at: Moment
    ends_at: Moment
    by: Name
    reason: str = Field(min_length=1, max_length=500)

    def covers(self, component: str, alert_type: str, at: datetime) -> bool:
        """True when an alert of this type on this component falls into it."""
        # Every window begins when it is made; a clock put back since then must not end it.
        return (
            at < self.ends_at
            and self.component == component
            and self.alert_type in (None, alert_type)
        )


class Job(Record):
    """Work for a runner: go on with an incident."""

    job_id: int
    incident_id: Name
    why: str
    attempts: int = 0


# Proved to be running on this host, proved gone, or out of reach of any proof.
Whereabouts = Literal["here", "gone", "out_of_reach"]


class Work(Record):
    """A piece of detached work."""

    key: Name
    action: Action
    incident_id: Name
    entry_point: str
    state: Literal["open", "running", "done", "failed", "lost"]  # lost: it may still be running
    writer: Writer | None = None
    share: float = 0.0
    progress: str = ""
    beat: float | None = None  # last heartbeat, or opening, in seconds of the clock for leases
    silent_s: float | None = None  # since then; None when that clock can't say
    ran_s: float = 0.0  # how long it had been running by its last heartbeat
    longest_s: float | None = None  # its own deadline; the policy's when it has none
    whereabouts: Whereabouts | None = None  # of its process, while it is running
    done_by: str | None = None  # what really does it, when the process only follows
    late: str | None = None  # what a lost one said when it ended after all
    result: dict[str, object] = Field(default_factory=dict)
    error: str | None = None
    opened_at: Moment
    ended_at: Moment | None = None


class Notification(Record):
    """A notice on its way."""

    notification_id: int
    incident_id: Name
    approval_id: str
    notice: Notice
    marker: Name
    state: Literal["queued", "sent", "failed"]
    claim: int = 0  # how often someone took it to send it; a later claim wins
    attempts: int = 0
    reference: str | None = None
    error: str | None = None


class Version(Record):
    """One version of a model in the registry."""

    model: Name
    version: Name
    aliases: tuple[str, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)
    parameters: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    run_id: str | None = None
    created_at: Moment
    link: str | None = None


class AuditFault(Record):
    """The first row of the audit that is not as it was written."""

    row: int
    problem: str

    def __str__(self) -> str:
        return self.problem


class Anchor(Record):
    """What is known of the audit outside its table: `row` is None while nothing was written."""

    place: str
    row: int | None = None
    fault: AuditFault | None = None  # the table does not hold that row any more as it was


class Note(Record):
    """Loose figures kept with an incident."""

    values: dict[str, Scalar] = Field(default_factory=dict)
