"""Proposals: what is asked, and what takes the place of an earlier question."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.approval_rows import (
    end_timers,
    resume,
    row_of,
    set_timer,
    still_open,
)
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, next_number
from agentops_graph.domain.approval import Approval, Edit, Proposal
from agentops_graph.domain.policy import Policy
from agentops_graph.faults import fault

_BY_STEP = (
    select(t.approvals.c.approval_id)
    .where(
        t.approvals.c.incident_id == bindparam("of"),
        t.approvals.c.plan_number == bindparam("in"),
        t.approvals.c.step == bindparam("at"),
        t.approvals.c.kind == "action",
    )
    .order_by(t.approvals.c.revision.desc())
    .limit(1)
)
_LATEST = (
    select(
        t.approvals.c.approval_id,
        t.approvals.c.status,
        t.approvals.c.superseded_by,
        t.approvals.c.escalation_level,
    )
    .where(t.approvals.c.incident_id == bindparam("of"), t.approvals.c.kind == "action")
    .order_by(
        t.approvals.c.plan_number.desc(), t.approvals.c.step.desc(), t.approvals.c.revision.desc()
    )
    .limit(1)
)


@dataclass(frozen=True)
class Asked:
    """Who asks, in whose place, and how far the people of the chain were told already."""

    reason: str
    notes: tuple[str, ...]
    by: str = "agentops"
    via: str = "runner"
    proved: str | None = None  # the credential of whoever asks
    revision: int = 0
    level: int = 0


class LedgerProposals:
    """The part of `Approvals` and `ApprovalLog` that asks."""

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
        place = {"of": proposal.incident_id, "in": proposal.plan_number, "at": proposal.step}
        with self._db.write() as c:
            # The number first: on Postgres those who propose one step together queue for it.
            numbered = self._numbered(c, proposal)
            held = c.execute(_BY_STEP, place).scalar_one_or_none()
            if held is not None:
                return row_of(c, held)
            level = self._take_place(c, numbered)
            self._insert(c, numbered, Asked(reason, notes, level=level), policy, at)
            fault("approval.before_commit")
        fault("approval.after_commit")
        with self._db.read() as c:
            return row_of(c, numbered.approval_id)

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
        with self._db.write() as c:
            numbered = self._numbered(c, proposal)
            held = still_open(c, edit, at)
            self._replace(c, held, edit, numbered.approval_id, at)
            asked = Asked(
                reason,
                notes,
                edit.actor,
                edit.via,
                edit.credential_id,
                held.revision + 1,
                held.escalation_level,
            )
            self._insert(c, numbered, asked, policy, at)
            resume(c, held, at)
            fault("edit.before_commit")
        fault("edit.after_commit")
        with self._db.read() as c:
            return row_of(c, numbered.approval_id)

    @staticmethod
    def _numbered(c: Connection, proposal: Proposal) -> Proposal:
        approval_id = f"A-{next_number(c, 'approval')}"
        return proposal.model_copy(update={"approval_id": approval_id})

    @staticmethod
    def _take_place(c: Connection, numbered: Proposal) -> int:
        """Names the new approval in the one that was superseded without a successor; returns how
        far up the chain people were told of that one."""
        latest = c.execute(_LATEST, {"of": numbered.incident_id}).first()
        if latest is None or latest.status != "superseded" or latest.superseded_by is not None:
            return 0
        c.execute(
            update(t.approvals)
            .where(t.approvals.c.approval_id == latest.approval_id)
            .values(superseded_by=numbered.approval_id)
        )
        return int(latest.escalation_level)

    def _replace(
        self, c: Connection, held: Approval, edit: Edit, successor: str, at: datetime
    ) -> None:
        why = f"edited by {edit.actor}: {edit.change}"
        c.execute(
            update(t.approvals)
            .where(t.approvals.c.approval_id == held.approval_id, t.approvals.c.status == "pending")
            .values(
                status="superseded",
                superseded_by=successor,
                action=f"{held.proposal.action.action}~{held.revision}",
                decided_by=edit.actor,
                decided_via=edit.via,
                decided_at=iso(at),
                reason=why,
            )
        )
        end_timers(c, held.approval_id)
        append(
            c,
            self._db.audit_key,
            "approval.superseded",
            actor=edit.actor,
            via=edit.via,
            at=at,
            incident_id=held.proposal.incident_id,
            approval_id=held.approval_id,
            digest=held.digest,
            superseded_by=successor,
            credential_id=edit.credential_id,
            role=edit.role,
            subject=edit.subject,
            reason=why,
        )

    def _insert(
        self, c: Connection, numbered: Proposal, asked: Asked, policy: Policy, at: datetime
    ) -> None:
        action = numbered.action.action
        expires_at = at + timedelta(seconds=policy.expires_after_s)
        c.execute(
            insert(t.approvals).values(
                approval_id=numbered.approval_id,
                incident_id=numbered.incident_id,
                plan_number=numbered.plan_number,
                step=numbered.step,
                kind="action",
                action=action,
                target=numbered.target,
                proposal=numbered.model_dump_json(),
                digest=numbered.digest,
                status="pending",
                policy_reason=asked.reason,
                notes=json.dumps(asked.notes),
                requested_by=asked.by,
                requested_with=asked.proved,
                requested_at=iso(at),
                expires_at=iso(expires_at),
                escalation_level=asked.level,
                revision=asked.revision,
                quorum=policy.people_for(action),
                four_eyes=policy.four_eyes,
            )
        )
        self._set_timers(c, numbered, asked.level, policy, at, expires_at)
        append(
            c,
            self._db.audit_key,
            "approval.requested",
            actor=asked.by,
            via=asked.via,
            at=at,
            incident_id=numbered.incident_id,
            approval_id=numbered.approval_id,
            digest=numbered.digest,
            action=action,
        )

    @staticmethod
    def _set_timers(
        c: Connection,
        numbered: Proposal,
        level: int,
        policy: Policy,
        at: datetime,
        expires_at: datetime,
    ) -> None:
        set_timer(c, numbered, "expire", 0, at, expires_at)
        if policy.goes_on_after(level):
            escalate_at = at + timedelta(seconds=policy.escalate_after_s)
            set_timer(c, numbered, "escalate", level + 1, at, escalate_at)
        watch_at = at + timedelta(seconds=policy.watch_every_s)
        set_timer(c, numbered, "watch", 1, at, watch_at)
