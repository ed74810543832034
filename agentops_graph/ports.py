"""Every outside need of the loop, as small protocols; the ledger's own stand beside this page."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from agentops_graph.audit_ports import AuditLog
from agentops_graph.delivery_ports import Deliveries, Figures, OutsideAlerts
from agentops_graph.domain.action import Action, Notice
from agentops_graph.domain.component import Component
from agentops_graph.domain.contract import BatchReport, Contract
from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.domain.effect import Happened, Lease, Receipt
from agentops_graph.domain.identity import Identity
from agentops_graph.domain.incident import Incident, TimelineEvent
from agentops_graph.domain.knowledge import Cause, DocumentKind, Page
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.policy import Policy
from agentops_graph.domain.record import Scalar
from agentops_graph.domain.sources.trial import Trial
from agentops_graph.evidence_ports import AnswersKept, EvidenceFolder, FactSource, LogSource
from agentops_graph.ledger_ports import (
    ApprovalLog,
    Approvals,
    Credentials,
    EffectLog,
    Effects,
    IncidentLog,
    Incidents,
    IncidentVerdicts,
    Silences,
    Switches,
)
from agentops_graph.lesson_ports import Lessons
from agentops_graph.lineage_ports import NO_LINEAGE, Lineage, LineageLog, LineageOrigin
from agentops_graph.round_ports import Rounds
from agentops_graph.wait_ports import DetachedWork, Jobs, Leases, Outbox, Timers
from agentops_graph.warehouse_ports import (
    AgentLog,
    BatchLog,
    History,
    Intake,
    RowSource,
    Surroundings,
    Warehouse,
)

__all__ = [
    "Actuator",
    "AgentLog",
    "AnswersKept",
    "ApprovalLog",
    "Approvals",
    "AuditLog",
    "BatchLog",
    "Batches",
    "Clock",
    "Credentials",
    "Deliveries",
    "DetachedWork",
    "EffectLog",
    "Effects",
    "EvidenceFolder",
    "FactSource",
    "Figures",
    "History",
    "IncidentLog",
    "IncidentVerdicts",
    "Incidents",
    "Intake",
    "Issuer",
    "Jobs",
    "Leases",
    "Lessons",
    "Lineage",
    "LineageLog",
    "LineageOrigin",
    "LogSource",
    "Models",
    "Notifier",
    "Outbox",
    "OutsideAlerts",
    "Ports",
    "Reasoner",
    "Rounds",
    "RowSource",
    "Shelf",
    "Silences",
    "Source",
    "Surroundings",
    "Switches",
    "Timers",
    "Tracker",
    "Warehouse",
]


class Clock(Protocol):
    """The time, so that rules and tests can be given it."""

    def now(self) -> datetime: ...


class Batches(Protocol):
    """The batch files of pipelines, held against their contracts."""

    def take_in(self, component: Component, now: datetime) -> list[str]:
        """Checks and records the files that are new; returns what people should know of it."""
        ...

    def record(self, component: Component, path: Path, now: datetime) -> tuple[BatchReport, bool]:
        """Checks one file and records it; False when its content was recorded before. Raises
        InputError for a contract that can't be read."""
        ...

    def contract(self, component: Component) -> Contract:
        """Raises InputError when there is none, or it can't be read."""
        ...


class Shelf(Protocol):
    """Runbooks and past incidents, by section."""

    def search(
        self,
        query: str,
        *,
        kind: DocumentKind | None = None,
        alert_type: str | None = None,
        component: str | None = None,
        components: Collection[str] | None = None,
        limit: int = 5,
    ) -> list[Page]:
        """Best first. An alert type and a component set the order and leave nothing out: what
        serves the type comes first. With `components`, of incident reports only those of these."""
        ...

    def page(self, reference: str) -> Page:
        """Raises NotFoundError."""
        ...

    def causes(self, alert_type: str, *, question: str = "") -> list[Cause]:
        """What runbooks declare; with a question also what was guessed from those that answer it
        best and declare nothing."""
        ...

    def add_incident(self, incident_id: str, markdown: str, *, confirmed: bool) -> None: ...

    def condition(self) -> dict[str, Scalar]:
        """What `doctor` shows: sections, index, embedding, refused documents."""
        ...


class Reasoner(Protocol):
    """Names a cause from a brief; may only use what the brief holds."""

    def diagnose(self, brief: Brief) -> Diagnosis: ...


class Actuator(Protocol):
    """Carries out an action at most once per key."""

    def carry_out(self, action: Action, *, key: str, incident_id: str) -> Receipt:
        """Raises DidNotHappenError when nothing was done; any other PortError means unknown."""
        ...

    def probe(self, action: Action, *, key: str) -> Happened:
        """`did_not` only when the effect has not happened and can no longer happen."""
        ...

    def offers(self, action: str, component: Component) -> bool:
        """True when it has the means to carry out this kind of action for this component."""
        ...

    @property
    def enforces_key(self) -> bool:
        """True when the target itself refuses a second call with the same key."""
        ...


class Models(Protocol):
    """The model registry; reads only."""

    def production(self, model: str) -> Version | None: ...

    def version(self, model: str, version: str) -> Version:
        """Raises NotFoundError."""
        ...

    def versions(self, model: str) -> list[Version]:
        """Newest first."""
        ...


class Notifier(Protocol):
    """Sends one notice where configuration says; returns a reference to it."""

    def send(self, notice: Notice, *, marker: str, earlier: str | None) -> str:
        """`earlier` is the reference of the incident's issue, for notices that follow one up.
        Raises PortError."""
        ...


class Issuer(Protocol):
    """Someone outside who says who people are."""

    def identity_of(self, token: str) -> Identity:
        """Raises UnauthenticatedError for a token that is not theirs, not for us, or over, and
        UnavailableError when they can't be asked for their keys."""
        ...


class Tracker(Protocol):
    """Incidents and conversations as runs and traces."""

    def incident(
        self, incident: Incident, timeline: list[TimelineEvent], documents: dict[str, str]
    ) -> str | None:
        """Returns the trace's id, or None when nothing was tracked."""
        ...


class Source(Protocol):
    """A declared source that can be tried out."""

    @property
    def name(self) -> str: ...

    @property
    def components(self) -> frozenset[str]:
        """Those it measures, so that the warehouse may hold nothing of them."""
        ...

    def trials(self) -> list[Trial]:
        """Everything declared, tried once; what fails is told and not raised."""
        ...


@dataclass(frozen=True)
class Ports:
    """What nodes are given as runtime context."""

    clock: Clock
    policy: Policy
    components: Mapping[str, Component]
    incidents: Incidents
    log: IncidentLog
    incident_verdicts: IncidentVerdicts
    approvals: Approvals
    approval_log: ApprovalLog
    effects: Effects
    effect_log: EffectLog
    switches: Switches
    silences: Silences
    leases: Leases
    timers: Timers
    jobs: Jobs
    work: DetachedWork
    outbox: Outbox
    audit: AuditLog
    credentials: Credentials
    deliveries: Deliveries
    outside_alerts: OutsideAlerts
    figures: Figures
    warehouse: Warehouse
    history: History
    shelf: Shelf
    reasoner: Reasoner
    models: Models
    actuators: Mapping[str, Actuator]  # by action name
    tracker: Tracker
    notifiers: Mapping[str, Notifier]  # by notice name
    lessons: Lessons | None = None  # without it nothing is learnt of what people confirm
    rounds: Rounds | None = None  # without it nobody remembers who could not be seen
    lineage: Lineage = NO_LINEAGE
    lineage_log: LineageLog | None = None  # of events that were sent
    batches: Batches | None = None  # where pipelines deliver files
    # What sources.yaml declares, which is read when it is first asked for.
    surroundings: Callable[[], Surroundings | None] = lambda: None
    sources: Callable[[], Sequence[Source]] = tuple
    logs: tuple[LogSource, ...] = ()  # as declared
    facts: tuple[FactSource, ...] = ()  # as declared
    evidence_folder: EvidenceFolder | None = None  # for what is too long for a row
    answers: AnswersKept | None = None  # of sources, for the next diagnosis of an incident
    intake: Intake | None = None  # where rows from outside go in
    lease: Lease | None = None  # set by the runner for the incident it runs
    is_lost: Callable[[], bool] = lambda: False  # set with it: another runner took over
