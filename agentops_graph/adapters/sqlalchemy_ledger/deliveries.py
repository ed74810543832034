"""What other systems pushed to us: each message once, and which of their alerts still fire."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, insert_new, iso, when
from agentops_graph.domain.delivery import Firing, Outside, Standing

_ALERTS = t.outside_alerts.c
_ENDS = t.outside_ends.c


class LedgerDeliveries:
    """Implements `Deliveries` and `OutsideAlerts`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def knows(self, key: str) -> bool:
        with self._db.read() as c:
            found = c.execute(select(t.deliveries.c.key).where(t.deliveries.c.key == key))
            return found.first() is not None

    def note(self, key: str, source: str, *, at: datetime) -> bool:
        with self._db.write() as c:
            return insert_new(c, t.deliveries, key=key, source=source, at=iso(at))

    def take(self, message: Outside, *, at: datetime) -> Standing:
        with self._db.write() as c:
            if not insert_new(c, t.deliveries, key=message.key, source=message.source, at=iso(at)):
                return "known"
            over_at = message.ended_by(at)
            if over_at is not None:
                _end(c, message, over_at, at)
                return "new"
            ended_at = c.execute(select(_ENDS.over_at).where(*_of(t.outside_ends, message)))
            newest = ended_at.scalar_one_or_none()
            return "over" if newest is not None and newest >= iso(message.starts_at) else "new"

    def forget(self, before: datetime) -> None:
        with self._db.write() as c:
            c.execute(delete(t.deliveries).where(t.deliveries.c.at < iso(before)))
            c.execute(delete(t.outside_ends).where(_ENDS.over_at < iso(before)))

    def follow(self, firing: Firing) -> None:
        times = {"starts_at": iso(firing.starts_at), "over_at": None, "look_at": None}
        with self._db.write() as c:
            c.execute(insert(t.outside_alerts).values(**firing.model_dump() | times))

    def followed(self, incident_id: str) -> list[Firing]:
        query = select(t.outside_alerts).where(_ALERTS.incident_id == incident_id)
        with self._db.read() as c:
            rows = c.execute(query.order_by(_ALERTS.starts_at, _ALERTS.alert_id)).mappings()
            return [_firing(row) for row in rows]

    def recovering(self, at: datetime) -> list[str]:
        due = select(_ALERTS.incident_id).distinct().where(_ALERTS.look_at <= iso(at))
        with self._db.read() as c:
            return list(c.execute(due.order_by(_ALERTS.incident_id)).scalars())

    def look_again(self, incident_id: str, at: datetime | None) -> None:
        with self._db.write() as c:
            c.execute(
                update(t.outside_alerts)
                .where(_ALERTS.incident_id == incident_id, _ALERTS.over_at.is_not(None))
                .values(look_at=None if at is None else iso(at))
            )


def _of(table: Any, message: Outside) -> tuple[Any, Any]:
    named = message.source, message.fingerprint
    return table.c.source == named[0], table.c.fingerprint == named[1]


def _end(c: Connection, message: Outside, over_at: datetime, at: datetime) -> None:
    ended = iso(over_at)
    named = {"source": message.source, "fingerprint": message.fingerprint}
    if not insert_new(c, t.outside_ends, **named, over_at=ended):
        newer = update(t.outside_ends).where(*_of(t.outside_ends, message), _ENDS.over_at < ended)
        c.execute(newer.values(over_at=ended))
    c.execute(
        update(t.outside_alerts)
        .where(
            *_of(t.outside_alerts, message),
            _ALERTS.starts_at <= ended,
            _ALERTS.over_at.is_(None),
        )
        .values(over_at=ended, look_at=iso(at))
    )


def _firing(row: Any) -> Firing:
    values = {name: value for name, value in row.items() if name != "look_at"}
    times = {"starts_at": when(row["starts_at"]), "over_at": when(row["over_at"])}
    return Firing(**values | times)
