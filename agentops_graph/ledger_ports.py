"""What the loop needs of its own ledger, as small protocols."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from agentops_graph.domain.alert import Alert, AlertClaim
from agentops_graph.domain.approval import Approval, ApprovalStatus, Decision, Door, Proposal
from agentops_graph.domain.effect import Effect, Lease, Receipt
from agentops_graph.domain.incident import Incident, TimelineEvent
from agentops_graph.domain.ledger import (
    Admission,
    Chapter,
    Silence,
)
from agentops_graph.domain.policy import Policy
from agentops_graph.domain.record import Record, Scalar


class Incidents(Protocol):
    """Admission, status and records of incidents; the authority over what happened."""

    def admit(self, claim: AlertClaim, *, opened_by: str, at: datetime) -> Admission:
        """Alert, incident (or the open one of the same component, segment and type) and a job to
        start it, in one transaction."""
        ...

    def get(self, incident_id: str) -> Incident:
        """Raises NotFoundError."""
        ...

    def update(
        self, incident_id: str, event: TimelineEvent | None = None, **changes: object
    ) -> None:
        """Changes of the incident's row and a timeline event, in one transaction. What has ended is
        not opened again: such changes are left out."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Everything this thread writes to the ledger inside the block is one transaction, begun by
        the first write. Others wait for it: nothing outside is called after that write."""
        ...

    def keep(self, chapter: Chapter, record: Record) -> dict[str, object]:
        """Insert-or-ignore of a record under (incident, kind, plan number, step); returns what the
        ledger holds, which is the first one written."""
        ...

    def kept(self, incident_id: str, kind: str) -> list[tuple[Chapter, dict[str, object]]]:
        """All records of a kind, in order of plan number and step."""
        ...


class IncidentLog(Protocol):
    """Reads for people: lists, alerts and the timeline."""

    def listed(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]: ...

    def alerts(self, incident_id: str | None = None, limit: int = 100) -> list[Alert]:
        """The newest `limit` alerts, oldest first."""
        ...

    def timeline(self, incident_id: str) -> list[TimelineEvent]: ...


class Approvals(Protocol):
    """Proposals, and the one decision each gets."""

    def propose(
        self,
        proposal: Proposal,
        *,
        policy: Policy,
        reason: str,
        notes: tuple[str, ...],
        at: datetime,
    ) -> Approval:
        """Pending approval with its escalation and expiry timers; the one already held for the same
        (incident, plan number, step) is returned instead."""
        ...

    def get(self, approval_id: str) -> Approval:
        """Raises NotFoundError."""
        ...

    def decide(self, decision: Decision, *, at: datetime) -> Approval:
        """One conditional update; audit row and resume job in the same transaction. The loser gets
        ConflictError, GoneError when it expired or was superseded, InputError on a digest that is
        not the pending one's."""
        ...

    def lapse(self, approval_id: str, *, policy: Policy, at: datetime) -> Approval:
        """What time does to a pending approval: past its expiry it becomes expired, with a resume
        job; before that the next person of the chain is due when their timer is, once however
        often it is called. Returns the row as it is after."""
        ...

    def retire(
        self, approval_id: str, status: ApprovalStatus, *, why: str, by: str, at: datetime
    ) -> Approval:
        """Pending becomes superseded (the world moved) or withdrawn (nobody needs it any more),
        with a resume job; an approval that is no longer pending is returned as it is."""
        ...


class ApprovalLog(Protocol):
    """Approvals as people see them."""

    def listed(
        self, *, status: str | None = None, incident_id: str | None = None
    ) -> list[Approval]: ...

    def note(self, approval_id: str, note: str) -> bool:
        """Adds a line beside a pending proposal, once; its digest stays as it is."""
        ...


class Effects(Protocol):
    """The effects ledger: intent before the call, result after it."""

    def begin(
        self,
        proposal: Proposal,
        digest: str,
        direction: str,
        lease: Lease,
        *,
        at: datetime,
        budget: int,
    ) -> Effect:
        """Inserts the intent if approval, digest, expiry, kill switch, budget, lease and the
        one-open-effect-per-target rule all allow it, in one statement; raises RefusedError with
        the reason. A key that exists is returned as it is, with its own writer."""
        ...

    def retake(self, effect: Effect, lease: Lease, *, at: datetime, otherwise: str) -> Effect:
        """Takes over a left-over intent for one more call; RefusedError when another did. When
        its time, its plan or a pause no longer allow the call, it has ended as `otherwise`."""
        ...

    def finish(
        self,
        key: str,
        lease_token: int,
        state: str,
        *,
        at: datetime,
        receipt: Receipt | None = None,
        error: str | None = None,
    ) -> Effect:
        """Writes the result; a late result of an old token is only recorded in the audit."""
        ...

    def find(self, key: str) -> Effect | None: ...

    def writer_is_dead(self, effect: Effect) -> bool:
        """True only when it is proved that the process which wrote the intent is gone."""
        ...


class EffectLog(Protocol):
    """Effects as people see and settle them."""

    def listed(self, incident_id: str | None = None) -> list[Effect]: ...

    def settle(self, key: str, state: str, *, by: str, note: str, at: datetime) -> Effect:
        """A person says what became of an effect that is open or unknown."""
        ...


class Switches(Protocol):
    """The kill switch."""

    def pause_actions(self, *, everything: bool, by: str, at: datetime) -> None: ...

    def resume_actions(self, *, by: str, at: datetime) -> None: ...

    def paused(self) -> str | None:
        """None, "actions" or "all"."""
        ...


class Silences(Protocol):
    """Silences and maintenance windows."""

    def add(self, silence: Silence) -> Silence:
        """Numbers it and keeps it; `silence_id` of what is given is not used."""
        ...

    def end(self, silence_id: str, *, by: str, at: datetime) -> Silence:
        """Ends it now; raises NotFoundError."""
        ...

    def active(self, at: datetime) -> list[Silence]: ...


class AuditLog(Protocol):
    """Who did what; rows form a keyed hash chain."""

    def write(
        self, what: str, *, actor: str, via: Door, at: datetime, **fields: Scalar
    ) -> None: ...

    def rows(
        self, incident_id: str | None = None, limit: int = 1000
    ) -> list[dict[str, Scalar]]: ...

    def anchor(self) -> None:
        """Writes the last link down outside the table, now and again."""
        ...

    def verify(self) -> str | None:
        """None when the chain holds, else what is wrong with the first bad row."""
        ...
