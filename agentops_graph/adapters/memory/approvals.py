"""Proposals and the one decision each gets, in memory."""

from datetime import datetime, timedelta
from functools import partial

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.adapters.memory.votes import (
    as_they_stand,
    proof_of,
    root_of,
    standing_votes,
    with_vote,
)
from agentops_graph.domain.approval import (
    Approval,
    ApprovalStatus,
    Decision,
    Door,
    Edit,
    Proposal,
    Word,
    check_may_decide,
    why_not,
)
from agentops_graph.domain.ledger import Timer
from agentops_graph.domain.policy import Policy
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import NotFoundError

_VERDICTS: dict[str, ApprovalStatus] = {"approve": "approved", "reject": "rejected"}


class MemoryApprovals:
    """Implements `Approvals` and `ApprovalLog`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def propose(
        self,
        proposal: Proposal,
        *,
        policy: Policy,
        reason: str,
        notes: tuple[str, ...],
        at: datetime,
    ) -> Approval:
        ledger = self._ledger
        with ledger.lock:
            of_step = [a for a in ledger.approvals.values() if a.place == _place(proposal)]
            if of_step:
                return max(of_step, key=lambda a: a.revision)
            asked = self._asked(proposal, policy, reason, notes, at)
            opened = asked.model_copy(update={"escalation_level": self._take_place(asked)})
            self._open(opened, policy, "runner", at)
            return opened

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
        edit.require("edit")
        with self._ledger.lock:
            held = self._still_open(edit, at)
            asked = self._asked(proposal, policy, reason, notes, at)
            of_person = {
                "requested_by": edit.actor,
                "requested_with": edit.credential_id,
                "revision": held.revision + 1,
                "escalation_level": held.escalation_level,
            }
            opened = asked.model_copy(update=of_person)
            end = {
                "status": "superseded",
                "superseded_by": opened.approval_id,
                "decided_by": edit.actor,
                "decided_via": edit.via,
                "decided_at": at,
                "reason": f"edited by {edit.actor}: {edit.change}",
            }
            replaced = held.model_copy(update=end)
            self._end(replaced, at)
            self._write_word("approval.superseded", replaced, edit, at)
            self._open(opened, policy, edit.via, at)
            return opened

    def _asked(
        self,
        proposal: Proposal,
        policy: Policy,
        reason: str,
        notes: tuple[str, ...],
        at: datetime,
    ) -> Approval:
        approval_id = f"A-{self._ledger.number('approval')}"
        numbered = proposal.model_copy(update={"approval_id": approval_id})
        return Approval(
            approval_id=approval_id,
            proposal=numbered,
            digest=numbered.digest,
            status="pending",
            policy_reason=reason,
            notes=notes,
            requested_by="agentops",
            requested_at=at,
            expires_at=at + timedelta(seconds=policy.expires_after_s),
            quorum=policy.people_for(numbered.action.action),
            four_eyes=policy.four_eyes,
        )

    def _take_place(self, asked: Approval) -> int:
        """Names it in the one that was superseded without a successor; returns how far up the
        chain people were told of that one."""
        incident_id = asked.proposal.incident_id
        earlier = self.listed(incident_id=incident_id)
        latest = max(earlier, key=lambda a: (*a.place, a.revision), default=None)
        if latest is None or latest.status != "superseded" or latest.superseded_by is not None:
            return 0
        named = latest.model_copy(update={"superseded_by": asked.approval_id})
        self._ledger.approvals[latest.approval_id] = named
        return latest.escalation_level

    def _open(self, opened: Approval, policy: Policy, via: str, at: datetime) -> None:
        ledger, level = self._ledger, opened.escalation_level
        ledger.approvals[opened.approval_id] = opened
        ledger.set_timer(_timer(opened, "expire", 0, at, opened.expires_at))
        if policy.goes_on_after(level):
            escalate_at = at + timedelta(seconds=policy.escalate_after_s)
            ledger.set_timer(_timer(opened, "escalate", level + 1, at, escalate_at))
        watch_at = at + timedelta(seconds=policy.watch_every_s)
        ledger.set_timer(_timer(opened, "watch", 1, at, watch_at))
        self._write_down("approval.requested", opened, opened.requested_by, via, at)

    def get(self, approval_id: str) -> Approval:
        held = self._ledger.approvals.get(approval_id)
        if held is None:
            raise NotFoundError(f"no approval {approval_id!r}")
        return as_they_stand(self._ledger, held)

    def listed(
        self, *, status: str | None = None, incident_id: str | None = None
    ) -> list[Approval]:
        with self._ledger.lock:
            return [
                as_they_stand(self._ledger, a)
                for a in self._ledger.approvals.values()
                if status in (None, a.status) and incident_id in (None, a.proposal.incident_id)
            ]

    def decide(self, decision: Decision, *, at: datetime) -> Approval:
        decision.require("decide")
        with self._ledger.lock:
            held = self._still_open(decision, at)
            check_may_decide(held, decision, partial(root_of, self._ledger))
            held = with_vote(held, decision, at)
            if decision.verdict == "approve" and standing_votes(self._ledger, held) < held.quorum:
                self._ledger.approvals[held.approval_id] = held
                self._write_word("approval.voted", held, decision, at)
                return held
            decided = held.model_copy(
                update={
                    "status": _VERDICTS[decision.verdict],
                    "decided_by": decision.actor,
                    "decided_via": decision.via,
                    "decided_at": at,
                    "reason": decision.reason,
                }
            )
            self._end(decided, at)
            self._write_word(f"approval.{decided.status}", decided, decision, at)
            return decided

    def _still_open(self, word: Word, at: datetime) -> Approval:
        held = self.get(word.approval_id)
        is_seen = word.digest in (None, held.digest)
        if held.status != "pending" or held.expires_at <= at or not is_seen:
            raise why_not(held, word)
        return held

    def lapse(self, approval_id: str, *, policy: Policy, at: datetime) -> Approval:
        with self._ledger.lock:
            held = self.get(approval_id)
            if held.status != "pending":
                return held
            # By a clock that was put back behind its request, its timer knows how long it waited.
            waited = self._is_due(f"{approval_id}:expire:0", at)
            if held.expires_at > at and not waited:
                return self._raise_level(held, policy, at)
            by_time = {"decided_by": "time", "decided_via": "policy", "decided_at": at}
            expired = held.model_copy(update={"status": "expired", **by_time})
            self._end(expired, at)
            self._write_down("approval.expired", expired, "time", "policy", at)
            return expired

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
        with self._ledger.lock:
            held = self.get(approval_id)
            if held.status != "pending":
                return held
            end = {"status": status, "decided_by": by, "decided_via": via, "decided_at": at}
            retired = held.model_copy(update=end | {"reason": why})
            self._end(retired, at)
            self._write_down(f"approval.{status}", retired, by, via, at)
            return retired

    def note(self, approval_id: str, note: str) -> bool:
        with self._ledger.lock:
            held = self.get(approval_id)
            if held.status != "pending" or note in held.notes:
                return False
            noted = held.model_copy(update={"notes": (*held.notes, note)})
            self._ledger.approvals[approval_id] = noted
            return True

    def _is_due(self, timer_id: str, at: datetime) -> bool:
        timer = self._ledger.timers.get(timer_id)
        is_waiting = timer is not None and timer_id not in self._ledger.timers_done
        return is_waiting and timer is not None and timer.is_due(at)

    def _raise_level(self, held: Approval, policy: Policy, at: datetime) -> Approval:
        level = held.escalation_level + 1
        timer_id = f"{held.approval_id}:escalate:{level}"
        if not self._is_due(timer_id, at):
            return held
        raised = held.model_copy(update={"escalation_level": level})
        self._ledger.approvals[held.approval_id] = raised
        if policy.goes_on_after(level):
            due_at = at + timedelta(seconds=policy.escalate_after_s)
            self._ledger.set_timer(_timer(held, "escalate", level + 1, at, due_at))
        self._write_down("approval.escalated", raised, "time", "policy", at)
        return raised

    def _end(self, ended: Approval, at: datetime) -> None:
        """The row, the end of its timers and the job that resumes the incident."""
        ledger = self._ledger
        ledger.approvals[ended.approval_id] = ended
        of_it = (t.timer_id for t in ledger.timers.values() if t.approval_id == ended.approval_id)
        ledger.timers_done.update(of_it)
        ledger.enqueue(ended.proposal.incident_id, f"approval {ended.approval_id}", at)

    def _write_word(self, what: str, approval: Approval, word: Word, at: datetime) -> None:
        self._write_down(what, approval, word.actor, word.via, at, **proof_of(word))

    def _write_down(
        self, what: str, approval: Approval, actor: str, via: str, at: datetime, **proof: Scalar
    ) -> None:
        self._ledger.write_down(
            what,
            actor=actor,
            via=via,
            at=at,
            incident_id=approval.proposal.incident_id,
            approval_id=approval.approval_id,
            digest=approval.digest,
            **proof,
        )


def _place(proposal: Proposal) -> tuple[str, int, int]:
    return proposal.incident_id, proposal.plan_number, proposal.step


def _timer(approval: Approval, kind: str, level: int, at: datetime, due_at: datetime) -> Timer:
    return Timer.model_validate(
        {
            "timer_id": f"{approval.approval_id}:{kind}:{level}",
            "kind": kind,
            "incident_id": approval.proposal.incident_id,
            "approval_id": approval.approval_id,
            "set_at": at,
            "due_at": due_at,
        }
    )
