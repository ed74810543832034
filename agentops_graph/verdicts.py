"""What people say of an approval that waits: approve, reject, edit, or a question."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import JsonValue, ValidationError

from agentops_graph.controls import Controls
from agentops_graph.domain.approval import Approval, Decision, Door, Edit, Proposal
from agentops_graph.domain.identity import Identity
from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.policy import rule
from agentops_graph.domain.record import Record
from agentops_graph.domain.redaction import redacted
from agentops_graph.edits import change_in, edited
from agentops_graph.errors import ConflictError, ForbiddenError, GoneError, InputError
from agentops_graph.proposals import Draft, Situation

R = TypeVar("R", bound=Record)
LONGEST_REMARK = 2000
NO_RUNNER = (
    "no runner is alive, so nothing is carried out yet; start one with `agentops work` or "
    "`agentops serve`"
)


@dataclass(frozen=True)
class Decided:
    """What was said, as it was written; `hint` says what is still missing before it is carried
    out, when something is."""

    approval: Approval
    hint: str | None


class Verdicts(Controls):
    """The part of the service with which people answer; runners carry out."""

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
        """Writes a person's decision; it is carried out by a runner, not here."""
        if verdict == "reject" and not (reason or "").strip():
            raise InputError(
                "a rejection needs a reason that the next person can read", field="reason"
            )
        said = {"verdict": verdict, "digest": digest, "reason": reason}
        decision = checked(Decision, _word(approval_id, actor, via, identity) | said)
        decided = self._ports.approvals.decide(decision, at=self._ports.clock.now())
        return Decided(approval=decided, hint=self._missing(decided))

    def _missing(self, decided: Approval) -> str | None:
        if decided.status == "pending":
            return f"approved by {decided.so_far}; somebody else has to approve it too"
        return None if self._ports.leases.runners_alive() else NO_RUNNER

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
        """Asks for the same action with other arguments: the approval is superseded by a new one,
        which the editor requests and somebody else has to approve."""
        held = self._ports.approvals.get(approval_id.upper())
        words = _word(approval_id, actor, via, identity) | {"digest": digest}
        asked = checked(Edit, words | {"change": "as asked"})
        asked.require("edit")
        self._check_waits(held)
        drafted = edited(held, arguments, self._situation(held))
        change = change_in(held.proposal.action, drafted.action)
        ports = self._ports
        made = ports.approval_log.edit(
            asked.model_copy(update={"change": change[:LONGEST_REMARK]}),
            _proposal(held, drafted),
            policy=ports.policy,
            reason=rule(drafted.action.action).reason,
            notes=(*drafted.notes, f"edited by {actor}: {change} (was {held.approval_id})"),
            at=ports.clock.now(),
        )
        whose = f"not {actor}, " if made.four_eyes else ""
        return Decided(made, hint=f"somebody, {whose}has to approve {made.approval_id}")

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
        """Keeps a question and its answer beside an approval, which stays as it is."""
        text = " ".join(text.split())
        if not 0 < len(text) <= LONGEST_REMARK:
            raise InputError(f"must have 1 to {LONGEST_REMARK} characters", field="text")
        word = checked(Edit, _word(approval_id, actor, via, identity) | {"change": text})
        held = self._ports.approvals.get(word.approval_id)
        self._check_waits(held)
        with self._ports.incidents.together():
            if not self._ports.approval_log.note(held.approval_id, f"{word.actor} asks: {text}"):
                self._check_waits(self._ports.approvals.get(held.approval_id))
            self._tell(held, f"{word.actor} asks of {held.approval_id}: {text}")
            self._tell(held, f"answered: {answer}")
            self._ports.audit.write(
                "approval.asked_about",
                actor=word.actor,
                via=via,
                at=self._ports.clock.now(),
                incident_id=held.proposal.incident_id,
                approval_id=held.approval_id,
                credential_id=word.credential_id,
                subject=word.subject,
                text=text,
            )
        return self._ports.approvals.get(held.approval_id)

    @staticmethod
    def _check_waits(held: Approval) -> None:
        if held.status != "pending":
            instead = f" by {held.superseded_by}" if held.superseded_by else ""
            is_decided = held.status in ("approved", "rejected")
            raise (ConflictError if is_decided else GoneError)(
                f"{held.approval_id} does not wait any more, it was {held.status}{instead}; "
                f"`agentops show {held.proposal.incident_id}` says what became of it"
            )

    def _situation(self, held: Approval) -> Situation:
        ports = self._ports
        incident = ports.incidents.get(held.proposal.incident_id)
        component = ports.components.get(incident.component)
        if component is None:
            raise InputError(f"{incident.component} is not configured here", field="components")
        return Situation(ports, incident, component, ports.clock.now(), gate=None)

    def _tell(self, held: Approval, text: str) -> None:
        incident_id = held.proposal.incident_id
        event = TimelineEvent(
            incident_id=incident_id,
            at=self._ports.clock.now(),
            node="service",
            kind="note",
            text=text,
        )
        self._ports.incidents.update(incident_id, event)


def checked(record: type[R], document: Mapping[str, Any]) -> R:
    """The record, or an InputError that names the field."""
    try:
        return record.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(
            f"{problem['msg']} (seen: {redacted(repr(problem.get('input'))):.100})",
            field=".".join(str(part) for part in problem["loc"]),
        ) from None


def _word(approval_id: str, actor: str, via: Door, identity: Identity | None) -> dict[str, Any]:
    approval_id = approval_id.upper()
    words = {"approval_id": approval_id, "actor": actor, "via": via}
    if identity is None:
        return words
    if identity.approval_id not in (None, approval_id):
        raise ForbiddenError(f"this link speaks for {identity.approval_id} only")
    proof = {"credential_id": identity.credential_id, "subject": identity.subject}
    return words | proof | {"role": identity.role}


def _proposal(held: Approval, drafted: Draft) -> Proposal:
    return held.proposal.model_copy(
        update={
            "approval_id": "new",
            "action": drafted.action,
            "precondition": drafted.precondition,
            "guard": drafted.guard,
            "undo": drafted.undo,
        }
    )
