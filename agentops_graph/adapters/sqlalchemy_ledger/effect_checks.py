"""What has to be true for an intent to be written, each condition with its reason."""

from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, select
from sqlalchemy.sql.elements import ColumnElement

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso
from agentops_graph.domain.approval import Proposal
from agentops_graph.domain.effect import Lease, effect_key


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
    """Every condition of an intent, each with the reason given when it fails."""
    boot, now = database.lease_clock(c)
    a, e, s = t.approvals.c, t.effects.c, t.switches.c
    approved = and_(a.approval_id == proposal.approval_id, a.digest == digest)
    checks: dict[str, ColumnElement[bool]] = {
        "no approval with this digest stands": exists().where(approved, a.status == "approved"),
        "the lease on the incident was lost to another runner": exists().where(
            t.leases.c.incident_id == lease.incident_id,
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
        checks["everything is paused; `agentops resume-actions` lifts it"] = ~exists().where(
            s.name == "pause", s.value == "all"
        )
        return checks
    checks["the approval expired before it was carried out"] = exists().where(
        approved, a.expires_at > iso(at)
    )
    checks["actions are paused; `agentops resume-actions` lifts it"] = ~exists().where(
        s.name == "pause"
    )
    m, i = t.silences.c, t.incidents.c
    checks[
        "the component is in maintenance; `agentops silences` shows until when"
    ] = ~exists().where(
        m.kind == "maintenance",
        m.starts_at <= iso(at),
        m.ends_at > iso(at),
        m.component == i.component,
        i.incident_id == proposal.incident_id,
    )
    spent = (
        select(func.count())
        .select_from(t.effects)
        .where(e.target == proposal.target, e.day == iso(at)[:10], e.direction == "do")
        .scalar_subquery()
    )
    checks[f"the budget of {budget} actions a day on {proposal.target} is spent"] = spent < budget
    return checks
