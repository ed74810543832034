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
        "measurement", "evidence", "diagnosis", "step", "trial", "look", "resolution", "postmortem"
    ]
    plan_number: int = 0
    step: int = 0


class Timer(Record):
    """A wait that ends at a time."""

    timer_id: Name
    kind: Literal["escalate", "expire", "look", "watch"]
    incident_id: Name
    approval_id: str | None = None
    due_at: Moment


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


class Work(Record):
    """A piece of detached work."""

    key: Name
    action: Action
    incident_id: Name
    entry_point: str
    state: Literal["open", "running", "done", "failed"]
    writer: Writer | None = None
    share: float = 0.0
    progress: str = ""
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


class Note(Record):
    """Loose figures kept with an incident."""

    values: dict[str, Scalar] = Field(default_factory=dict)
