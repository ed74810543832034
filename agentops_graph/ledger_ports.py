"""What the loop needs of its own ledger, as small protocols."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from agentops_graph.domain.alert import Alert, AlertClaim
from agentops_graph.domain.approval import Approval, ApprovalStatus, Decision, Door, Edit, Proposal
from agentops_graph.domain.effect import Effect, Lease, Receipt
from agentops_graph.domain.identity import Credential
from agentops_graph.domain.incident import Incident, TimelineEvent
from agentops_graph.domain.ledger import Admission, Chapter, Silence
from agentops_graph.domain.policy import Policy
from agentops_graph.domain.record import Record
from agentops_graph.domain.story import Kin, Told
from agentops_graph.domain.verdict import IncidentVerdict


class Incidents(Protocol):
    """Admission, status and records of incidents; the authority over what happened."""

    def admit(
        self, claim: AlertClaim, *, opened_by: str, at: datetime, kin: Sequence[Kin] = ()
    ) -> Admission:
        """Alert, incident and a job to start it, in one transaction. It joins the open incident
        that has told of the same component, segment and type, or else the oldest open one with an
        alert that fits one of its kin; what is with a person is joined by the same place only."""
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

    def update_if(
        self, incident_id: str, still: Mapping[str, object], event: TimelineEvent, **changes: object
    ) -> bool:
        """The same by one conditional statement: unless the row still holds these values nothing is
        written, the event neither. Returns whether it did."""
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

    def told(self, since: datetime) -> list[Told]:
        """By incident, component, segment and type, what alerts have told of in incidents that are
        open or ended after `since`."""
        ...


class IncidentVerdicts(Protocol):
    """What people said of incidents afterwards."""

    def give(self, verdict: IncidentVerdict) -> IncidentVerdict:
        """Numbers it and keeps it beside the earlier ones, with its audit row; `verdict_id` of what
        is given is not used. Raises NotFoundError for an incident that is not there."""
        ...

    def given(self, incident_id: str | None = None) -> list[IncidentVerdict]:
        """In the order in which they came; the last of an incident counts."""
        ...


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
        (incident, plan number, step) is returned instead. It is named as the successor of the
        incident's latest approval, when that was superseded without one, and then goes on at the
        level to which people were told of that."""
        ...

    def get(self, approval_id: str) -> Approval:
        """Raises NotFoundError."""
        ...

    def decide(self, decision: Decision, *, at: datetime) -> Approval:
        """One vote for each person; the one that completes the quorum approves, any that refuses
        rejects, with audit row and resume job in the same transaction. Until then it stays
        pending. Whoever comes too late gets ConflictError, GoneError when it expired or was
        superseded, InputError on a digest that is not the pending one's, ForbiddenError when the
        role does not allow it or they would approve what they requested."""
        ...

    def lapse(self, approval_id: str, *, policy: Policy, at: datetime) -> Approval:
        """What time does to a pending approval: past its expiry it becomes expired, with a resume
        job; a clock that is put forward does that early, and never approves anything. By a clock
        that was put back behind its request it expires when its timer has waited as long as was
        asked, never sooner, and can be decided until then. Before that the next person of the
        chain is due when their timer is, once however often it is called. Returns the row as it is
        after."""
        ...

    def retire(
        self,
        approval_id: str,
        status: ApprovalStatus,
        *,
        why: str,
        by: str,
        at: datetime,
        via: Door = "policy",
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

    def edit(
        self,
        edit: Edit,
        proposal: Proposal,
        *,
        policy: Policy,
        reason: str,
        notes: tuple[str, ...],
        at: datetime,
    ) -> Approval:
        """The proposal takes the place of a pending one at the same step: that is superseded and
        names it, it is pending, requested by the editor, and a job knocks at the incident, in one
        transaction. Raises as `decide` does."""
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
        the reason. A key that exists is returned as it is, with its own writer. As to expiry, a
        clock that is put forward can only refuse here; one that is put back lets what a person has
        approved stand for longer, as long as all else still holds."""
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


class Credentials(Protocol):
    """Tokens, sessions and one-time links, found by the hash of their secret."""

    def add(self, credential: Credential, *, secret_sha256: str, via: Door) -> Credential:
        """Numbers it and keeps it; `credential_id` of what is given is not used. Raises
        ConflictError when the token it is made with ended meanwhile."""
        ...

    def find(self, secret_sha256: str) -> Credential | None:
        """Whether it still counts is for the caller to see."""
        ...

    def listed(self) -> list[Credential]:
        """Tokens, sessions and links, oldest first, ended ones too."""
        ...

    def revoke(self, credential_id: str, *, by: str, via: Door, at: datetime) -> Credential:
        """Ends it now, with the sessions and links made with it, in one transaction; what has
        ended is returned as it is. Raises NotFoundError."""
        ...

    def use(self, credential_id: str, *, at: datetime) -> Credential:
        """The one use of a link, by one conditional update; GoneError for all but the first, and
        once it was revoked or has expired."""
        ...

    def has_tokens(self) -> bool:
        """True as soon as the first token was made, and for ever after."""
        ...
