"""What confirmed incidents teach, as rows that are added and never changed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, when
from agentops_graph.adapters.sqlalchemy_ledger.readable import readable
from agentops_graph.domain.lesson import Calibration, ConfirmedOutcome
from agentops_graph.errors import NotFoundError


class LedgerLessons:
    """Implements `Lessons`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def learn(self, outcome: ConfirmedOutcome) -> None:
        there = select(t.incidents.c.incident_id).where(
            t.incidents.c.incident_id == outcome.incident_id
        )
        with self._db.write() as c:
            if c.execute(there).scalar_one_or_none() is None:
                raise NotFoundError(f"no incident {outcome.incident_id!r}")
            c.execute(insert(t.outcomes), outcome.model_dump() | {"at": iso(outcome.at)})
            append(
                c,
                self._db.audit_key,
                "outcome.confirmed",
                actor=outcome.actor,
                via=outcome.via,
                at=outcome.at,
                incident_id=outcome.incident_id,
                named=outcome.named,
                actual=outcome.actual,
            )

    def learnt(self) -> list[ConfirmedOutcome]:
        query = select(t.outcomes).order_by(t.outcomes.c.outcome_id)
        with self._db.read() as c:
            return readable(c.execute(query), _outcome, "outcomes")

    def accept(self, calibration: Calibration) -> Calibration:
        values = calibration.model_dump(exclude={"calibration_id"}) | {"at": iso(calibration.at)}
        with self._db.write() as c:
            written = insert(t.calibrations).returning(t.calibrations.c.calibration_id)
            number = int(c.execute(written, values).scalar_one())
            append(
                c,
                self._db.audit_key,
                "calibration.accepted",
                actor=calibration.actor,
                via=calibration.via,
                at=calibration.at,
                shift=calibration.shift,
                slope=calibration.slope,
                outcomes=calibration.outcomes,
            )
        return calibration.model_copy(update={"calibration_id": number})

    def accepted(self) -> Calibration | None:
        newest = select(t.calibrations).order_by(t.calibrations.c.calibration_id.desc()).limit(1)
        with self._db.read() as c:
            found = readable(c.execute(newest), _calibration, "calibrations")
        return found[0] if found else None


def _outcome(row: Mapping[str, Any]) -> ConfirmedOutcome:
    stored = {name: value for name, value in dict(row).items() if name != "outcome_id"}
    return ConfirmedOutcome(**stored | {"at": when(stored["at"])})


def _calibration(row: Mapping[str, Any]) -> Calibration:
    stored = dict(row)
    return Calibration(**stored | {"at": when(stored["at"])})
