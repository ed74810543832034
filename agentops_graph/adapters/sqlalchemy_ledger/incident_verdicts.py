"""Verdicts on incidents, as rows of which the last of an incident counts."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, when
from agentops_graph.adapters.sqlalchemy_ledger.readable import readable
from agentops_graph.domain.redaction import redacted_within
from agentops_graph.domain.verdict import IncidentVerdict
from agentops_graph.errors import NotFoundError


class LedgerIncidentVerdicts:
    """Implements `IncidentVerdicts`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def give(self, verdict: IncidentVerdict) -> IncidentVerdict:
        verdict = redacted_within(verdict)
        values = verdict.model_dump(exclude={"verdict_id"}) | {"at": iso(verdict.at)}
        with self._db.write() as c:
            _check_there(c, verdict)
            written = insert(t.incident_verdicts).returning(t.incident_verdicts.c.verdict_id)
            number = int(c.execute(written, values).scalar_one())
            append(
                c,
                self._db.audit_key,
                "incident.judged",
                actor=verdict.actor,
                via=verdict.via,
                at=verdict.at,
                incident_id=verdict.incident_id,
                verdict=verdict.verdict,
                of=verdict.of,
            )
        return verdict.model_copy(update={"verdict_id": number})

    def given(self, incident_id: str | None = None) -> list[IncidentVerdict]:
        query = select(t.incident_verdicts).order_by(t.incident_verdicts.c.verdict_id)
        if incident_id is not None:
            query = query.where(t.incident_verdicts.c.incident_id == incident_id)
        with self._db.read() as c:
            return readable(c.execute(query), _verdict, "incident_verdicts")


def _check_there(c: Connection, verdict: IncidentVerdict) -> None:
    wanted = {verdict.incident_id, verdict.of} - {None}
    found = c.execute(
        select(t.incidents.c.incident_id).where(t.incidents.c.incident_id.in_(wanted))
    )
    missing = wanted - set(found.scalars())
    if missing:
        raise NotFoundError(
            f"no incident {min(filter(None, missing))!r}; "
            "`agentops incidents` lists those there are"
        )


def _verdict(row: Mapping[str, Any]) -> IncidentVerdict:
    stored = dict(row)
    return IncidentVerdict(**stored | {"at": when(stored["at"])})
