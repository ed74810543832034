"""Approvals as rows: how one is read, and why one can't be decided."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import exists
from sqlalchemy.sql.elements import ColumnElement

from agentops_graph.adapters.sqlalchemy_ledger.database import iso, when
from agentops_graph.adapters.sqlalchemy_ledger.tables import timers
from agentops_graph.domain.approval import Approval, Decision, Proposal
from agentops_graph.errors import ConflictError, GoneError, InputError


def why_not(held: Approval, decision: Decision) -> Exception:
    if held.status == "pending" and decision.digest not in (None, held.digest):
        return InputError(
            f"is not what {held.approval_id} asks for now; read it again before deciding",
            field="digest",
        )
    if held.superseded_by is not None:
        return GoneError(f"{held.approval_id} was replaced by {held.superseded_by}")
    if held.status in ("superseded", "withdrawn"):
        return GoneError(f"{held.approval_id} was {held.status}: {held.reason}")
    if held.status in ("pending", "expired"):
        return GoneError(
            f"{held.approval_id} expired at {held.expires_at:%Y-%m-%d %H:%M} UTC; a new plan is "
            "made from fresh evidence, see `agentops approvals`"
        )
    return ConflictError(
        f"{held.approval_id} was already {held.status} by {held.decided_by} through "
        f"{held.decided_via}"
    )


def escalation_is_due(approval_id: str, level: int, at: datetime) -> ColumnElement[bool]:
    """Several runners see the same timer; one of them raises the level, and ends it."""
    return exists().where(
        timers.c.timer_id == f"{approval_id}:escalate:{level}",
        timers.c.done.is_(False),
        timers.c.due_at <= iso(at),
    )


def approval_of(row: Any) -> Approval:
    stored = dict(row)
    instants = {k: when(stored[k]) for k in ("requested_at", "expires_at", "decided_at")}
    rest = {
        k: stored[k]
        for k in (
            "approval_id",
            "digest",
            "status",
            "policy_reason",
            "requested_by",
            "escalation_level",
            "decided_by",
            "decided_via",
            "reason",
            "superseded_by",
        )
    }
    return Approval(
        proposal=Proposal.model_validate_json(stored["proposal"]),
        notes=tuple(json.loads(stored["notes"])),
        **instants,
        **rest,
    )
