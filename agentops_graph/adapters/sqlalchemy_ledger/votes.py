"""Votes: one per person and approval, and which of them still count."""

from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import ScalarSelect

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import insert_new, iso
from agentops_graph.domain.approval import Decision
from agentops_graph.domain.identity import roles_that_may

DECIDERS = roles_that_may("decide")


def cast_vote(c: Connection, decision: Decision, at: datetime) -> bool:
    """False when this person has spoken already. Votes that no longer stand make room (the audit
    keeps them), and so does one's own when its person refuses now."""
    v = t.votes.c
    makes_room = not_(stands())
    if decision.verdict == "reject":
        makes_room = or_(makes_room, v.actor == decision.actor)
    c.execute(delete(t.votes).where(v.approval_id == decision.approval_id, makes_room))
    return insert_new(
        c,
        t.votes,
        approval_id=decision.approval_id,
        actor=decision.actor,
        verdict=decision.verdict,
        via=decision.via,
        at=iso(at),
        credential_id=decision.credential_id,
        role=decision.role,
    )


def root_of(c: Connection, credential_id: str) -> str:
    """The token that a session or link was made with; a token is its own."""
    of = t.credentials.c.credential_id == credential_id
    parent = c.execute(select(t.credentials.c.parent_id).where(of)).scalar_one_or_none()
    return parent or credential_id


def stands() -> ColumnElement[bool]:
    """Of a row of votes: that nobody took away since what proved it."""
    proof = t.votes.c.credential_id
    return or_(proof.is_(None), _may_still_decide(proof))


def standing_votes(approval_id: str) -> ScalarSelect[int]:
    """How many approve of it whose right to decide was not taken from them since."""
    v = t.votes.c
    return (
        select(func.count())
        .select_from(t.votes)
        .where(v.approval_id == approval_id, v.verdict == "approve", stands())
        .scalar_subquery()
    )


def _may_still_decide(credential_id: ColumnElement[str]) -> ColumnElement[bool]:
    """That of a session or link also needs the token it was made with. A link is revoked by being
    used, which takes nothing back; that a token or a session ran out does not either."""
    own, parent = t.credentials.alias("own"), t.credentials.alias("parent")
    is_whole = or_(
        own.c.parent_id.is_(None),
        exists().where(
            parent.c.credential_id == own.c.parent_id,
            parent.c.revoked_at.is_(None),
            parent.c.role.in_(DECIDERS),
        ),
    )
    return exists().where(
        and_(
            own.c.credential_id == credential_id,
            or_(own.c.kind == "link", own.c.revoked_at.is_(None)),
            own.c.role.in_(DECIDERS),
            is_whole,
        )
    )
