"""Proposals and the one decision each gets."""

import json
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.approval_rows import (
    approval_of,
    escalation_is_due,
    why_not,
)
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import (
    Database,
    insert_new,
    iso,
    next_number,
)
from agentops_graph.domain.approval import Approval, ApprovalStatus, Decision, Proposal
from agentops_graph.domain.policy import Policy
from agentops_graph.errors import ForgedError, NotFoundError
from agentops_graph.faults import fault

_BY_ID = select(t.approvals).where(
    t.approvals.c.approval_id == bindparam("id"), t.approvals.c.kind == "action"
)
_BY_STEP = select(t.approvals).where(
    t.approvals.c.incident_id == bindparam("of"),
    t.approvals.c.plan_number == bindparam("in"),
    t.approvals.c.step == bindparam("at"),
    t.approvals.c.kind == "action",
)
_VERDICTS = {"approve": "approved", "reject": "rejected"}


class LedgerApprovals:
    """Implements `Approvals` and `ApprovalLog`; actions only, notices are the outbox's."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def propose(
        self,
        proposal: Proposal,
        *,
        policy: Policy,
        reason: str,
        notes: tuple[str, ...],
        at: datetime,
    ) -> Approval:
        with self._db.write() as c:
            # The number first: on Postgres those who propose one step together queue for it.
            approval_id = f"A-{next_number(c, 'approval')}"
            held = self._held(c, proposal)
            if held is not None:
                return held
            numbered = proposal.model_copy(update={"approval_id": approval_id})
            expires_at = at + timedelta(seconds=policy.expires_after_s)
            c.execute(
                insert(t.approvals).values(
                    approval_id=approval_id,
                    incident_id=numbered.incident_id,
                    plan_number=numbered.plan_number,
                    step=numbered.step,
                    kind="action",
                    action=numbered.action.action,
                    target=numbered.target,
                    proposal=numbered.model_dump_json(),
                    digest=numbered.digest,
                    status="pending",
                    policy_reason=reason,
                    notes=json.dumps(notes),
                    requested_by="agentops",
                    requested_at=iso(at),
                    expires_at=iso(expires_at),
                )
            )
            self._set_timer(c, numbered, "expire", 0, expires_at)
            escalate_at = at + timedelta(seconds=policy.escalate_after_s)
            self._set_timer(c, numbered, "escalate", 1, escalate_at)
            watch_at = at + timedelta(seconds=policy.watch_every_s)
            self._set_timer(c, numbered, "watch", 1, watch_at)
            append(
                c,
                self._db.audit_key,
                "approval.requested",
                actor="agentops",
                via="runner",
                at=at,
                incident_id=numbered.incident_id,
                approval_id=approval_id,
                digest=numbered.digest,
                action=numbered.action.action,
            )
            fault("approval.before_commit")
        fault("approval.after_commit")
        return self.get(approval_id)

    def _held(self, c: Connection, proposal: Proposal) -> Approval | None:
        place = {"of": proposal.incident_id, "in": proposal.plan_number, "at": proposal.step}
        found = c.execute(_BY_STEP, place).mappings().first()
        return None if found is None else approval_of(found)

    @staticmethod
    def _set_timer(
        c: Connection, proposal: Proposal, kind: str, level: int, due_at: datetime
    ) -> None:
        insert_new(
            c,
            t.timers,
            timer_id=f"{proposal.approval_id}:{kind}:{level}",
            kind=kind,
            incident_id=proposal.incident_id,
            approval_id=proposal.approval_id,
            due_at=iso(due_at),
        )

    def get(self, approval_id: str) -> Approval:
        with self._db.read() as c:
            return self._row(c, approval_id)

    @staticmethod
    def _row(c: Connection, approval_id: str) -> Approval:
        row = c.execute(_BY_ID, {"id": approval_id}).mappings().first()
        if row is None:
            raise NotFoundError(
                f"no approval {approval_id!r}; `agentops approvals` lists those that wait"
            )
        return approval_of(row)

    def listed(
        self, *, status: str | None = None, incident_id: str | None = None
    ) -> list[Approval]:
        query = (
            select(t.approvals)
            .where(t.approvals.c.kind == "action")
            .order_by(t.approvals.c.requested_at)
        )
        if status is not None:
            query = query.where(t.approvals.c.status == status)
        if incident_id is not None:
            query = query.where(t.approvals.c.incident_id == incident_id)
        with self._db.read() as c:
            return [approval_of(row) for row in c.execute(query).mappings()]

    def decide(self, decision: Decision, *, at: datetime) -> Approval:
        claim = (
            update(t.approvals)
            .where(
                t.approvals.c.approval_id == decision.approval_id,
                t.approvals.c.kind == "action",
                t.approvals.c.status == "pending",
                t.approvals.c.expires_at > iso(at),
            )
            .values(
                status=_VERDICTS[decision.verdict],
                decided_by=decision.actor,
                decided_via=decision.via,
                decided_at=iso(at),
                reason=decision.reason,
            )
        )
        if decision.digest is not None:
            claim = claim.where(t.approvals.c.digest == decision.digest)
        with self._db.write() as c:
            if c.execute(claim).rowcount != 1:
                raise why_not(self._row(c, decision.approval_id), decision)
            decided = self._row(c, decision.approval_id)
            if not decided.is_genuine:
                raise ForgedError(
                    f"what {decided.approval_id} holds is not what its digest was made of; it was "
                    "changed in the ledger, so nobody may decide on it"
                )
            self._end_timers(c, decision.approval_id)
            self._resume(c, decided, at)
            append(
                c,
                self._db.audit_key,
                f"approval.{decided.status}",
                actor=decision.actor,
                via=decision.via,
                at=at,
                incident_id=decided.proposal.incident_id,
                approval_id=decided.approval_id,
                digest=decided.digest,
                reason=decision.reason,
            )
            fault("decision.before_commit")
        fault("decision.after_commit")
        return decided

    def lapse(self, approval_id: str, *, policy: Policy, at: datetime) -> Approval:
        with self._db.write() as c:
            held = self._row(c, approval_id)
            if held.status != "pending":
                return held
            if held.expires_at <= at:
                self._retire(c, held, "expired", "nobody answered in time", "time", at)
            else:
                self._raise_level(c, held, policy, at)
            return self._row(c, approval_id)

    def retire(
        self, approval_id: str, status: ApprovalStatus, *, why: str, by: str, at: datetime
    ) -> Approval:
        with self._db.write() as c:
            held = self._row(c, approval_id)
            if held.status != "pending":
                return held
            self._retire(c, held, status, why, by, at)
            return self._row(c, approval_id)

    def note(self, approval_id: str, note: str) -> bool:
        with self._db.write() as c:
            held = self._row(c, approval_id)
            if held.status != "pending" or note in held.notes:
                return False
            c.execute(
                update(t.approvals)
                .where(t.approvals.c.approval_id == approval_id)
                .values(notes=json.dumps((*held.notes, note)))
            )
            return True

    def _retire(
        self,
        c: Connection,
        held: Approval,
        status: ApprovalStatus,
        why: str,
        by: str,
        at: datetime,
    ) -> None:
        retired = c.execute(
            update(t.approvals)
            .where(t.approvals.c.approval_id == held.approval_id, t.approvals.c.status == "pending")
            .values(
                status=status, decided_by=by, decided_via="policy", decided_at=iso(at), reason=why
            )
        ).rowcount
        if not retired:  # on Postgres a decision may have come between the look and this
            return
        self._end_timers(c, held.approval_id)
        self._resume(c, held, at)
        append(
            c,
            self._db.audit_key,
            f"approval.{status}",
            actor=by,
            via="policy",
            at=at,
            incident_id=held.proposal.incident_id,
            approval_id=held.approval_id,
            reason=why,
        )

    def _raise_level(self, c: Connection, held: Approval, policy: Policy, at: datetime) -> None:
        level = held.escalation_level + 1
        raised = c.execute(
            update(t.approvals)
            .where(
                t.approvals.c.approval_id == held.approval_id,
                t.approvals.c.status == "pending",
                t.approvals.c.escalation_level == held.escalation_level,
                escalation_is_due(held.approval_id, level, at),
            )
            .values(escalation_level=level)
        ).rowcount
        if not raised:
            return
        due_at = at + timedelta(seconds=policy.escalate_after_s)
        if level < len(policy.chain) - 1:
            self._set_timer(c, held.proposal, "escalate", level + 1, due_at)
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

    @staticmethod
    def _end_timers(c: Connection, approval_id: str) -> None:
        c.execute(update(t.timers).where(t.timers.c.approval_id == approval_id).values(done=True))

    @staticmethod
    def _resume(c: Connection, held: Approval, at: datetime) -> None:
        c.execute(
            insert(t.jobs).values(
                incident_id=held.proposal.incident_id,
                why=f"approval {held.approval_id}",
                not_before=iso(at),
            )
        )
