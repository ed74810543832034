"""Approvals as rows: how one is read with its votes, timers and knock; why one can't be decided."""

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import insert_new, iso, when
from agentops_graph.adapters.sqlalchemy_ledger.votes import stands
from agentops_graph.domain.approval import Approval, Proposal, Vote, Word, why_not
from agentops_graph.errors import ForgedError, NotFoundError

_BY_ID = select(t.approvals).where(
    t.approvals.c.approval_id == bindparam("id"), t.approvals.c.kind == "action"
)
_LOCKED = _BY_ID.with_for_update()  # SQLite's writers queue anyway
_VOTES_OF = (
    select(t.votes, stands().label("stands"))
    .where(t.votes.c.approval_id == bindparam("id"))
    .order_by(t.votes.c.at, t.votes.c.actor)
)
_PLAIN = (
    "approval_id",
    "digest",
    "status",
    "policy_reason",
    "requested_by",
    "requested_with",
    "escalation_level",
    "decided_by",
    "decided_via",
    "reason",
    "superseded_by",
    "revision",
    "four_eyes",
)


def row_of(c: Connection, approval_id: str, *, locked: bool = False) -> Approval:
    """The approval; `locked` lets nobody else change it before this transaction ends."""
    row = c.execute(_LOCKED if locked else _BY_ID, {"id": approval_id}).mappings().first()
    if row is None:
        raise NotFoundError(
            f"no approval {approval_id!r}; `agentops approvals` lists those that wait"
        )
    votes = c.execute(_VOTES_OF, {"id": approval_id}).mappings()
    return _approval(row, [_vote(vote) for vote in votes])


def rows_of(c: Connection, query: Select[Any]) -> list[Approval]:
    """Every approval that a query of their table names, in its order."""
    rows = c.execute(query).mappings().all()
    if not rows:
        return []
    named = query.with_only_columns(t.approvals.c.approval_id).order_by(None)
    of_them = t.votes.c.approval_id.in_(named)
    cast = select(t.votes, stands().label("stands")).where(of_them).order_by(t.votes.c.at)
    votes: dict[str, list[Vote]] = defaultdict(list)
    for vote in c.execute(cast).mappings():
        votes[vote["approval_id"]].append(_vote(vote))
    return [_approval(row, votes[row["approval_id"]]) for row in rows]


def _approval(row: Any, votes: list[Vote]) -> Approval:
    instants = {k: when(row[k]) for k in ("requested_at", "expires_at", "decided_at")}
    return Approval(
        proposal=Proposal.model_validate_json(row["proposal"]),
        notes=tuple(json.loads(row["notes"])),
        quorum=row["quorum"] or 1,
        votes=tuple(votes),
        **instants,
        **{name: row[name] for name in _PLAIN},
    )


def _vote(row: Any) -> Vote:
    stored = {k: v for k, v in row.items() if k != "approval_id"}
    return Vote.model_validate(stored | {"at": when(row["at"])})


def still_open(c: Connection, word: Word, at: datetime) -> Approval:
    """The pending approval that is spoken of, locked; raises why nothing can be said of it."""
    held = row_of(c, word.approval_id, locked=True)
    is_seen = word.digest in (None, held.digest)
    if held.status != "pending" or held.expires_at <= at or not is_seen:
        raise why_not(held, word)
    if not held.is_genuine:
        raise ForgedError(
            f"what {held.approval_id} holds is not what its digest was made of; it was "
            "changed in the ledger, so nobody may decide on it"
        )
    return held


def timer_is_due(approval_id: str, kind: str, level: int, at: datetime) -> ColumnElement[bool]:
    """Several runners see the same timer; one of them does what it is for, and ends it."""
    is_behind = t.timers.c.set_at > iso(at)  # the clock was put back: see `Timer`
    return exists().where(
        t.timers.c.timer_id == f"{approval_id}:{kind}:{level}",
        t.timers.c.done.is_(False),
        or_(t.timers.c.due_at <= iso(at), and_(is_behind, t.timers.c.back_due_at <= iso(at))),
    )


def set_timer(
    c: Connection, proposal: Proposal, kind: str, level: int, at: datetime, due_at: datetime
) -> None:
    insert_new(
        c,
        t.timers,
        timer_id=f"{proposal.approval_id}:{kind}:{level}",
        kind=kind,
        incident_id=proposal.incident_id,
        approval_id=proposal.approval_id,
        set_at=iso(at),
        due_at=iso(due_at),
    )


def end_timers(c: Connection, approval_id: str) -> None:
    c.execute(update(t.timers).where(t.timers.c.approval_id == approval_id).values(done=True))


def resume(c: Connection, held: Approval, at: datetime) -> None:
    """A job that knocks at the paused incident."""
    c.execute(
        insert(t.jobs).values(
            incident_id=held.proposal.incident_id,
            why=f"approval {held.approval_id}",
            not_before=iso(at),
        )
    )
