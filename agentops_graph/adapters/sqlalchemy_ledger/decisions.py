"""Decisions: what people, time and a changed world make of a pending approval."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.approval_rows import (
    end_timers,
    resume,
    row_of,
    set_timer,
    still_open,
    timer_is_due,
)
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso
from agentops_graph.adapters.sqlalchemy_ledger.votes import cast_vote, root_of, standing_votes
from agentops_graph.domain.approval import (
    Approval,
    ApprovalStatus,
    Decision,
    Door,
    already_spoke,
    check_may_decide,
)
from agentops_graph.domain.policy import Policy
from agentops_graph.faults import fault


@dataclass(frozen=True)
class End:
    """How an approval ends without a decision."""

    status: ApprovalStatus
    why: str
    by: str
    via: Door = "policy"


class LedgerDecisions:
    """The part of `Approvals` and `ApprovalLog` that answers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def decide(self, decision: Decision, *, at: datetime) -> Approval:
        decision.require("decide")
        with self._db.write() as c:
            held = still_open(c, decision, at)
            check_may_decide(held, decision, partial(root_of, c))
            if not cast_vote(c, decision, at):
                raise already_spoke(held, decision)
            fault("vote.before_commit")
            so_far = c.execute(select(standing_votes(held.approval_id))).scalar_one()
            if decision.verdict == "approve" and so_far < held.quorum:
                self._audit(c, "approval.voted", held, decision, at)
            else:
                self._settle(c, held, decision, at)
            decided = row_of(c, held.approval_id)
            fault("decision.before_commit")
        fault("decision.after_commit")
        return decided

    def _settle(self, c: Connection, held: Approval, decision: Decision, at: datetime) -> None:
        """The vote that was still missing, or the one that refuses."""
        status = "approved" if decision.verdict == "approve" else "rejected"
        c.execute(
            update(t.approvals)
            .where(t.approvals.c.approval_id == held.approval_id, t.approvals.c.status == "pending")
            .values(
                status=status,
                quorum=held.quorum,  # an older ledger's row has none
                decided_by=decision.actor,
                decided_via=decision.via,
                decided_at=iso(at),
                reason=decision.reason,
            )
        )
        end_timers(c, held.approval_id)
        resume(c, held, at)
        self._audit(c, f"approval.{status}", held, decision, at)

    def _audit(
        self, c: Connection, what: str, held: Approval, decision: Decision, at: datetime
    ) -> None:
        append(
            c,
            self._db.audit_key,
            what,
            actor=decision.actor,
            via=decision.via,
            at=at,
            incident_id=held.proposal.incident_id,
            approval_id=held.approval_id,
            digest=held.digest,
            credential_id=decision.credential_id,
            role=decision.role,
            subject=decision.subject,
            reason=decision.reason,
        )

    def lapse(self, approval_id: str, *, policy: Policy, at: datetime) -> Approval:
        with self._db.write() as c:
            held = row_of(c, approval_id)
            if held.status != "pending":
                return held
            # By a clock that was put back behind its request, its timer knows how long it waited.
            waited = c.execute(select(timer_is_due(approval_id, "expire", 0, at))).scalar_one()
            if waited or held.expires_at <= at:
                self._retire(c, held, End("expired", "nobody answered in time", "time"), at)
            else:
                self._raise_level(c, held, policy, at)
            return row_of(c, approval_id)

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
        with self._db.write() as c:
            held = row_of(c, approval_id)
            if held.status != "pending":
                return held
            self._retire(c, held, End(status, why, by, via), at)
            return row_of(c, approval_id)

    def note(self, approval_id: str, note: str) -> bool:
        with self._db.write() as c:
            held = row_of(c, approval_id, locked=True)
            if held.status != "pending" or note in held.notes:
                return False
            c.execute(
                update(t.approvals)
                .where(t.approvals.c.approval_id == approval_id)
                .values(notes=json.dumps((*held.notes, note)))
            )
            return True

    def _retire(self, c: Connection, held: Approval, end: End, at: datetime) -> None:
        retired = c.execute(
            update(t.approvals)
            .where(t.approvals.c.approval_id == held.approval_id, t.approvals.c.status == "pending")
            .values(
                status=end.status,
                decided_by=end.by,
                decided_via=end.via,
                decided_at=iso(at),
                reason=end.why,
            )
        ).rowcount
        if not retired:  # on Postgres a decision may have come between the look and this
            return
        end_timers(c, held.approval_id)
        resume(c, held, at)
        append(
            c,
            self._db.audit_key,
            f"approval.{end.status}",
            actor=end.by,
            via=end.via,
            at=at,
            incident_id=held.proposal.incident_id,
            approval_id=held.approval_id,
            reason=end.why,
        )

    def _raise_level(self, c: Connection, held: Approval, policy: Policy, at: datetime) -> None:
        level = held.escalation_level + 1
        raised = c.execute(
            update(t.approvals)
            .where(
                t.approvals.c.approval_id == held.approval_id,
                t.approvals.c.status == "pending",
                t.approvals.c.escalation_level == held.escalation_level,
                timer_is_due(held.approval_id, "escalate", level, at),
            )
            .values(escalation_level=level)
        ).rowcount
        if not raised:
            return
        if policy.goes_on_after(level):
            due_at = at + timedelta(seconds=policy.escalate_after_s)
            set_timer(c, held.proposal, "escalate", level + 1, at, due_at)
        append(
            c,
            self._db.audit_key,
            "approval.escalated",
            actor="time",
            via="policy",
            at=at,
            incident_id=held.proposal.incident_id,
            approval_id=held.approval_id,
            told=policy.person_at(level),
        )
