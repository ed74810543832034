"""What has to be true for an intent to be written, each condition with its reason."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, exists, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso
from agentops_graph.adapters.sqlalchemy_ledger.votes import standing_votes
from agentops_graph.domain.approval import REVOKED_SINCE, Proposal
from agentops_graph.domain.effect import Lease, effect_key
from agentops_graph.domain.incident import OPEN

BUDGET_OF = timedelta(hours=24)
AT_WORK = [status for status in OPEN if status != "escalated"]


def checks_of(
    database: Database,
    c: Connection,
    proposal: Proposal,
    digest: str,
    direction: str,
    lease: Lease,
    at: datetime,
    budget: int,
) -> dict[str, ColumnElement[bool]]:
    """Every condition of an intent, each with the reason given when it fails.

    The budget is of the last 24 hours, whatever the date. What was begun later than `at` counts
    too, so that a clock which is put back refills nothing. Undos spend none.
    """
    boot, now = database.lease_clock(c)
    a, e = t.approvals.c, t.effects.c
    approved = and_(a.approval_id == proposal.approval_id, a.digest == digest)
    checks: dict[str, ColumnElement[bool]] = {
        "no approval with this digest stands": exists().where(approved, a.status == "approved"),
        "the lease on the incident was lost to another runner": exists().where(
            t.leases.c.incident_id == lease.incident_id,
            t.leases.c.incident_id == proposal.incident_id,
            t.leases.c.token == lease.token,
            t.leases.c.boot_id == boot,
            t.leases.c.until > now,
        ),
        f"another effect on {proposal.target} is open or unknown": ~exists().where(
            e.target == proposal.target, e.state.in_(("intent", "unknown"))
        ),
    }
    if direction == "undo":
        checks["the action to undo was not carried out"] = exists().where(
            e.key == effect_key(proposal.approval_id, "do"), e.state == "done"
        )
        return checks | standing(proposal.approval_id, direction, at)
    checks[f"work on {proposal.target} is still under way"] = ~exists().where(
        e.target == proposal.target,
        e.key == t.work.c.key,
        t.work.c.state.in_(("open", "running")),
    )
    since = iso(at - BUDGET_OF)
    spent = (
        select(func.count())
        .select_from(t.effects)
        .where(e.target == proposal.target, e.intent_at > since, e.direction == "do")
        .scalar_subquery()
    )
    checks[f"the budget of {budget} actions a day on {proposal.target} is spent"] = spent < budget
    return checks | standing(proposal.approval_id, direction, at)


def _is_of(target: ColumnElement[str], component: ColumnElement[str]) -> ColumnElement[bool]:
    """True when the target is the component's, letter by letter: an underscore is no wildcard."""
    exact = component
    for sign in ("\\", "_", "%"):
        exact = func.replace(exact, sign, f"\\{sign}")
    return target.like(literal("%:").concat(exact), escape="\\")


def standing(approval_id: str, direction: str, at: datetime) -> dict[str, ColumnElement[bool]]:
    """What must hold at the call, also for an intent that a dead runner left: neither time nor a
    person has taken the approval's ground away."""
    a, i, m, s = t.approvals.c, t.incidents.c, t.silences.c, t.switches.c
    if direction == "undo":
        paused = exists().where(s.name == "pause", s.value == "all")
        return {"everything is paused; `agentops resume-actions` lifts it": ~paused}
    asked = and_(a.approval_id == approval_id, i.incident_id == a.incident_id)
    return {
        "the approval expired before it was carried out": exists().where(
            a.approval_id == approval_id, a.expires_at > iso(at)
        ),
        REVOKED_SINCE: exists().where(
            a.approval_id == approval_id,
            or_(a.quorum.is_(None), standing_votes(approval_id) >= a.quorum),
        ),
        "actions are paused; `agentops resume-actions` lifts it": ~exists().where(
            s.name == "pause"
        ),
        "the component is in maintenance; `agentops silences` shows until when": ~exists().where(
            asked,
            a.approval_id == approval_id,
            m.kind == "maintenance",
            m.ends_at > iso(at),
            or_(m.component == i.component, _is_of(a.target, m.component)),
        ),
        # An old checkpoint may still know an approval that nobody acts on any more.
        "the incident was closed, handed to a person or planned anew since": exists().where(
            asked, i.plan_number == a.plan_number, i.status.in_(AT_WORK)
        ),
    }
