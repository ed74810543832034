"""What an identity may change, each use of the service by name."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from agentops_graph.access.loading import Loads
from agentops_graph.access.teaching import Teaches
from agentops_graph.domain.alert import AlertClaim, AlertType
from agentops_graph.domain.approval import Approval, Door
from agentops_graph.domain.contract import BatchReport
from agentops_graph.domain.delivery import Delivered, Outside
from agentops_graph.domain.effect import Effect
from agentops_graph.domain.frames import Change
from agentops_graph.domain.identity import Identity
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.known import known_names
from agentops_graph.domain.ledger import Admission, Silence
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.verdict import IncidentVerdict, VerdictWord
from agentops_graph.errors import NotFoundError
from agentops_graph.lineage_intake import LineageTaken
from agentops_graph.service import Decided


class Access(Loads, Teaches):
    """The service as one identity may use it through one door.

    Every method checks the role and the tenant and goes on to the service's. `actor` and `via`
    that callers give are those of the service's signatures: the name counts only where nobody is
    asked for a token, and the door is always this one's.
    """

    def raise_alert(
        self, claim: AlertClaim | Mapping[str, Any], *, actor: str, via: Door
    ) -> Admission:
        self.needs("report")
        given = claim if isinstance(claim, Mapping) else claim.model_dump()
        name = given.get("affected_component")
        if isinstance(name, str) and not self._sees(name):
            raise NotFoundError(f"no component {name!r}; known: {known_names(self.components)}")
        return self._service.raise_alert(claim, actor=self.called(actor), via=self.via)

    def deliver(self, messages: Sequence[Outside], *, actor: str, via: Door) -> list[Delivered]:
        self.needs("report")
        is_own = [m.claim is None or self._sees(m.claim.affected_component) for m in messages]
        own = [message for message, is_let_in in zip(messages, is_own, strict=True) if is_let_in]
        delivered = iter(self._service.deliver(own, actor=self.called(actor), via=self.via))
        refused = Delivered(outcome="refused", said="its component is none of this token's")
        return [next(delivered) if is_let_in else refused for is_let_in in is_own]

    def tell_truncated(
        self, incident_ids: set[str], left_out: int, *, actor: str, via: Door
    ) -> None:
        self.needs("report")
        for incident_id in incident_ids:
            self._check_incident(incident_id)
        self._service.tell_truncated(incident_ids, left_out, actor=self.called(actor), via=self.via)

    def note_change(
        self, change: Change, *, key: str, source: str, actor: str, via: Door
    ) -> Delivered:
        self.needs("report")
        if not self._sees(change.subject):
            raise NotFoundError(f"no component {change.subject!r}")
        return self._service.note_change(
            change, key=key, source=source, actor=self.called(actor), via=self.via
        )

    def decide(
        self,
        approval_id: str,
        verdict: Literal["approve", "reject"],
        *,
        actor: str,
        via: Door,
        digest: str | None = None,
        reason: str | None = None,
        identity: Identity | None = None,
    ) -> Decided:
        self.check_may_decide(approval_id, verdict)
        with self.refusals_written("decide"):
            return self._service.decide(
                approval_id,
                verdict,
                actor=self.called(actor),
                via=self.via,
                digest=digest,
                reason=reason,
                identity=self.identity,
            )

    def check_may_decide(self, approval_id: str, verdict: Literal["approve", "reject"]) -> None:
        """Role, tenant and voice; to refuse takes no voice of one's own."""
        self.needs("decide")
        self._check_approval(approval_id)
        if verdict == "approve":
            self._check_voice(approval_id)

    def edit(
        self,
        approval_id: str,
        arguments: Mapping[str, JsonValue],
        *,
        actor: str,
        via: Door,
        digest: str | None = None,
        identity: Identity | None = None,
    ) -> Decided:
        self.needs("edit")
        self._check_approval(approval_id)
        return self._service.edit(
            approval_id,
            arguments,
            actor=self.called(actor),
            via=self.via,
            digest=digest,
            identity=self.identity,
        )

    def respond(
        self,
        approval_id: str,
        text: str,
        *,
        answer: str,
        actor: str,
        via: Door,
        identity: Identity | None = None,
    ) -> Approval:
        self.needs("edit")
        self._check_approval(approval_id)
        return self._service.respond(
            approval_id,
            text,
            answer=answer,
            actor=self.called(actor),
            via=self.via,
            identity=self.identity,
        )

    def withdraw(self, approval_id: str, *, actor: str, via: Door = "cli") -> Approval:
        self.needs("operate")
        self._check_approval(approval_id)
        return self._service.withdraw(approval_id, actor=self.called(actor), via=self.via)

    def retry(self, incident_id: str, *, actor: str, via: Door = "cli") -> Incident:
        self.needs("operate")
        self._check_incident(incident_id)
        return self._service.retry(incident_id, actor=self.called(actor), via=self.via)

    def close(self, incident_id: str, *, actor: str, note: str, via: Door = "cli") -> Incident:
        self.needs("operate")
        self._check_incident(incident_id)
        return self._service.close(incident_id, actor=self.called(actor), note=note, via=self.via)

    def judge(
        self,
        incident_id: str,
        verdict: VerdictWord,
        *,
        actor: str,
        via: Door,
        of: str | None = None,
        comment: str = "",
    ) -> IncidentVerdict:
        self.needs("operate")
        self._check_incident(incident_id)
        if of is not None:
            self._check_incident(of)
        return self._service.judge(
            incident_id, verdict, actor=self.called(actor), via=self.via, of=of, comment=comment
        )

    def take_reference(
        self,
        component: str,
        since: datetime,
        until: datetime,
        *,
        actor: str,
        version: str | None = None,
        via: Door = "cli",
        importance: Callable[[str], dict[str, float]] | None = None,
    ) -> ReferenceProfile:
        self.needs("operate")
        return self._service.take_reference(
            component,
            since,
            until,
            actor=self.called(actor),
            version=version,
            via=self.via,
            importance=importance,
        )

    def record_batch(
        self, pipeline: str, path: Path, *, actor: str, via: Door = "cli"
    ) -> tuple[BatchReport, bool]:
        self.needs("report")
        if not self._sees(pipeline):
            raise NotFoundError(f"no component {pipeline!r}; known: {known_names(self.components)}")
        return self._service.record_batch(pipeline, path, actor=self.called(actor), via=self.via)

    def silence(
        self,
        component: str,
        *,
        hours: float,
        reason: str,
        actor: str,
        alert_type: AlertType | None = None,
        maintenance: bool = False,
    ) -> Silence:
        self.needs("operate")
        return self._service.silence(
            component,
            hours=hours,
            reason=reason,
            actor=self.called(actor),
            alert_type=alert_type,
            maintenance=maintenance,
        )

    def end_silence(self, silence_id: str, *, actor: str) -> Silence:
        self.needs("operate")
        if self.identity.tenant is not None:
            own = [s.silence_id for s in self.silences()]
            if silence_id not in own:
                raise NotFoundError(f"no silence {silence_id!r}; `agentops silences` lists them")
        return self._service.end_silence(silence_id, actor=self.called(actor))

    def pause_actions(self, *, everything: bool, actor: str) -> None:
        """Whoever may operate anything may stop everything, other tenants' actions too: nothing
        is lost by stopping, and only an admin of all lets it go on."""
        self.needs("operate")
        self._service.pause_actions(everything=everything, actor=self.called(actor))

    def take_lineage(self, event: Mapping[str, Any]) -> LineageTaken:
        """What it says may be of any tenant's things, and groups their alerts."""
        self.needs("report", everywhere=True)
        return self._service.take_lineage(event)

    def resume_actions(self, *, actor: str) -> None:
        self.needs("administer", everywhere=True)
        self._service.resume_actions(actor=self.called(actor))

    def reconcile(self, key: str, happened: bool, *, actor: str, note: str) -> Effect:
        self.needs("administer")
        if self.identity.tenant is not None:
            held = self._behind.effects.find(key)
            if held is None or not self._sees_incident(held.incident_id):
                raise NotFoundError(f"no effect {key!r}; `agentops reconcile` lists them")
        return self._service.reconcile(key, happened, actor=self.called(actor), note=note)
