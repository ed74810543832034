"""Which open incident an alert belongs to, and what incidents have told of already."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, and_, exists, func, insert, or_, select, type_coerce

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import iso, when
from agentops_graph.adapters.sqlalchemy_ledger.readable import readable
from agentops_graph.domain.alert import Alert, AlertClaim
from agentops_graph.domain.incident import RECOVERED
from agentops_graph.domain.story import Kin, Told, gravest

# Rows of an older version don't say where their alert was: where its incident was.
_PLACE = (
    func.coalesce(t.alerts.c.component, t.incidents.c.component),
    func.coalesce(t.alerts.c.segment, t.incidents.c.segment),
    func.coalesce(t.alerts.c.alert_type, t.incidents.c.alert_type),
)
_JOINED = t.alerts.join(t.incidents, t.alerts.c.incident_id == t.incidents.c.incident_id)
# The few that are open are looked up first; a plain join would read every alert there ever was.
_IS_OF_OPEN = t.alerts.c.incident_id.in_(select(t.incidents.c.incident_id).where(t.IS_OPEN))

_IS_RECOVERED = (
    exists()
    .where(t.audit.c.incident_id == t.incidents.c.incident_id, t.audit.c.what == RECOVERED)
    .label("is_recovered")
)


def write_alert(c: Connection, alert: Alert, incident_id: str) -> None:
    c.execute(
        insert(t.alerts).values(
            alert_id=alert.alert_id,
            incident_id=incident_id,
            at=iso(alert.timestamp),
            payload=alert.model_dump_json(),
            component=alert.affected_component,
            segment=alert.segment or "",
            alert_type=alert.alert_type,
            severity=alert.severity,
            excess=alert.excess,
        )
    )


def open_one(c: Connection, claim: AlertClaim) -> str | None:
    """The open incident of the claim's place, or the one that an alert of that place joined."""
    wanted = (claim.affected_component, claim.segment or "", claim.alert_type)
    own = select(t.incidents.c.incident_id).where(
        t.incidents.c.component == wanted[0],
        t.incidents.c.segment == wanted[1],
        t.incidents.c.alert_type == wanted[2],
        t.IS_OPEN,
    )
    found = c.execute(own).scalar_one_or_none()
    if found is None:
        joined = select(t.incidents.c.incident_id).select_from(_JOINED)
        is_there = (t.alerts.c.component, t.alerts.c.segment, t.alerts.c.alert_type)
        same = [column == value for column, value in zip(is_there, wanted, strict=True)]
        oldest = (t.incidents.c.opened_at, t.incidents.c.incident_id)
        found = c.execute(joined.where(_IS_OF_OPEN, *same).order_by(*oldest).limit(1)).scalar()
    return None if found is None else str(found)


def story_of(c: Connection, kin: Sequence[Kin]) -> str | None:
    """The oldest open incident, with nobody's hands on it yet, of which an alert fits."""
    if not kin:
        return None
    component, _, alert_type = _PLACE
    near = or_(
        *(
            and_(
                component == one.component,
                alert_type.in_(one.alert_types),
                t.incidents.c.opened_at >= iso(one.opened_since),
            )
            for one in kin
        )
    )
    rows = c.execute(
        select(t.incidents.c.incident_id, t.alerts.c.payload)
        .select_from(_JOINED)
        .where(_IS_OF_OPEN, t.incidents.c.status != "escalated", near)
        .order_by(t.incidents.c.opened_at, t.incidents.c.incident_id)
    )
    for incident_id, alert in readable(rows, _alert, "alerts"):
        if any(one.fits(alert) for one in kin):
            return incident_id
    return None


def _alert(row: Any) -> tuple[str, Alert]:
    return str(row["incident_id"]), Alert.model_validate_json(row["payload"])


def told_since(c: Connection, since: datetime) -> list[Told]:
    component, segment, alert_type = (
        type_coerce(column, String).label(name)
        for column, name in zip(_PLACE, ("component", "segment", "alert_type"), strict=True)
    )
    severity = func.coalesce(t.alerts.c.severity, t.incidents.c.severity).label("severity")
    incident = (
        t.incidents.c.incident_id,
        t.incidents.c.component.label("root"),
        t.incidents.c.status,
        t.incidents.c.opened_by,
        t.incidents.c.ended_at,
    )
    query = select(
        *incident, component, segment, alert_type, severity, t.alerts.c.excess, _IS_RECOVERED
    ).select_from(_JOINED)
    # One after the other: each has its index, and both together would read every incident.
    lately = select(t.incidents.c.incident_id).where(t.incidents.c.ended_at > iso(since))
    rows = [
        _told(row)
        for is_wanted in (_IS_OF_OPEN, t.alerts.c.incident_id.in_(lately))
        for row in c.execute(query.where(is_wanted)).mappings()
    ]
    return gravest(sorted(rows, key=lambda row: row.incident_id))


def _told(row: Any) -> Told:
    values = dict(row)
    values |= {"segment": values["segment"] or None, "ended_at": when(values["ended_at"])}
    return Told(**values)
