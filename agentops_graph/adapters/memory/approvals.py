"""Proposals and the one decision each gets, in memory."""

from datetime import datetime, timedelta

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.approval import Approval, ApprovalStatus, Decision, Proposal
from agentops_graph.domain.ledger import Timer
from agentops_graph.domain.policy import Policy
from agentops_graph.errors import ConflictError, GoneError, InputError, NotFoundError

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
            for held in ledger.approvals.values():
                if _place(held.proposal) == _place(proposal):
                    return held
            approval_id = f"A-{ledger.number('approval')}"
            numbered = proposal.model_copy(update={"approval_id": approval_id})
            opened = Approval(
                approval_id=approval_id,
                proposal=numbered,
                digest=numbered.digest,
                status="pending",
                policy_reason=reason,
                notes=notes,
                requested_by="agentops",
                requested_at=at,
                expires_at=at + timedelta(seconds=policy.expires_after_s),
            )
            ledger.approvals[approval_id] = opened
            ledger.set_timer(_timer(opened, "expire", 0, opened.expires_at))
            escalate_at = at + timedelta(seconds=policy.escalate_after_s)
            ledger.set_timer(_timer(opened, "escalate", 1, escalate_at))
            watch_at = at + timedelta(seconds=policy.watch_every_s)
            ledger.set_timer(_timer(opened, "watch", 1, watch_at))
            self._write_down("approval.requested", opened, "agentops", "runner", at)
            return opened

    def get(self, approval_id: str) -> Approval:
        held = self._ledger.approvals.get(approval_id)
        if held is None:
            raise NotFoundError(f"no approval {approval_id!r}")
        return held

    def listed(
        self, *, status: str | None = None, incident_id: str | None = None
    ) -> list[Approval]:
        with self._ledger.lock:
            return [
                a
                for a in self._ledger.approvals.values()
                if status in (None, a.status) and incident_id in (None, a.proposal.incident_id)
            ]

    def decide(self, decision: Decision, *, at: datetime) -> Approval:
        with self._ledger.lock:
            held = self.get(decision.approval_id)
            is_seen = decision.digest in (None, held.digest)
            if held.status != "pending" or held.expires_at <= at or not is_seen:
                raise _why_not(held, decision)
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
            what = f"approval.{decided.status}"
            self._write_down(what, decided, decision.actor, decision.via, at)
            return decided

    def lapse(self, approval_id: str, *, policy: Policy, at: datetime) -> Approval:
        with self._ledger.lock:
            held = self.get(approval_id)
            if held.status != "pending":
                return held
            if held.expires_at > at:
                return self._raise_level(held, policy, at)
            by_time = {"decided_by": "time", "decided_via": "policy", "decided_at": at}
            expired = held.model_copy(update={"status": "expired", **by_time})
            self._end(expired, at)
            self._write_down("approval.expired", expired, "time", "policy", at)
            return expired

    def retire(
        self, approval_id: str, status: ApprovalStatus, *, why: str, by: str, at: datetime
    ) -> Approval:
        with self._ledger.lock:
            held = self.get(approval_id)
            if held.status != "pending":
                return held
            end = {"status": status, "decided_by": by, "decided_via": "policy", "decided_at": at}
            retired = held.model_copy(update=end | {"reason": why})
            self._end(retired, at)
            self._write_down(f"approval.{status}", retired, by, "policy", at)
            return retired

    def note(self, approval_id: str, note: str) -> bool:
        with self._ledger.lock:
            held = self.get(approval_id)
            if held.status != "pending" or note in held.notes:
                return False
            noted = held.model_copy(update={"notes": (*held.notes, note)})
            self._ledger.approvals[approval_id] = noted
            return True

    def _raise_level(self, held: Approval, policy: Policy, at: datetime) -> Approval:
        level = held.escalation_level + 1
        timer_id = f"{held.approval_id}:escalate:{level}"
        timer = self._ledger.timers.get(timer_id)
        if timer is None or timer_id in self._ledger.timers_done or timer.due_at > at:
            return held
        raised = held.model_copy(update={"escalation_level": level})
        self._ledger.approvals[held.approval_id] = raised
        if level < len(policy.chain) - 1:
            due_at = at + timedelta(seconds=policy.escalate_after_s)
            self._ledger.set_timer(_timer(held, "escalate", level + 1, due_at))
        self._write_down("approval.escalated", raised, "time", "policy", at)
        return raised

    def _end(self, ended: Approval, at: datetime) -> None:
        """The row, the end of its timers and the job that resumes the incident."""
        ledger = self._ledger
        ledger.approvals[ended.approval_id] = ended
        of_it = (t.timer_id for t in ledger.timers.values() if t.approval_id == ended.approval_id)
        ledger.timers_done.update(of_it)
        ledger.enqueue(ended.proposal.incident_id, f"approval {ended.approval_id}", at)

    def _write_down(
        self, what: str, approval: Approval, actor: str, via: str, at: datetime
    ) -> None:
        self._ledger.write_down(
            what,
            actor=actor,
            via=via,
            at=at,
            incident_id=approval.proposal.incident_id,
            approval_id=approval.approval_id,
            digest=approval.digest,
        )


def _place(proposal: Proposal) -> tuple[str, int, int]:
    return proposal.incident_id, proposal.plan_number, proposal.step


def _timer(approval: Approval, kind: str, level: int, due_at: datetime) -> Timer:
    return Timer.model_validate(
        {
            "timer_id": f"{approval.approval_id}:{kind}:{level}",
            "kind": kind,
            "incident_id": approval.proposal.incident_id,
            "approval_id": approval.approval_id,
            "due_at": due_at,
        }
    )


def _why_not(held: Approval, decision: Decision) -> Exception:
    if held.status == "pending" and decision.digest not in (None, held.digest):
        return InputError(f"is not what {held.approval_id} asks for now", field="digest")
    if held.status in ("pending", "expired", "superseded", "withdrawn"):
        return GoneError(f"{held.approval_id} no longer stands")
    return ConflictError(f"{held.approval_id} was already {held.status} by {held.decided_by}")
