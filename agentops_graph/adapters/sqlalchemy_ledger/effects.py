"""The effects ledger: one row per direction of an approved action, intent before the call."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, bindparam, cast, exists, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.audit import append
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, iso, when
from agentops_graph.adapters.sqlalchemy_ledger.effect_checks import checks_of, standing
from agentops_graph.adapters.sqlalchemy_ledger.writers import is_dead, this_process
from agentops_graph.domain.approval import Proposal
from agentops_graph.domain.effect import Effect, Lease, Receipt, Writer, effect_key
from agentops_graph.errors import NotFoundError, RefusedError

_BY_KEY = select(t.effects).where(t.effects.c.key == bindparam("of"))


class LedgerEffects:
    """Implements `Effects`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(
        self,
        proposal: Proposal,
        digest: str,
        direction: str,
        lease: Lease,
        *,
        at: datetime,
        budget: int,
    ) -> Effect:
        key = effect_key(proposal.approval_id, "undo" if direction == "undo" else "do")
        self._db.stand_alone()
        try:
            with self._db.write() as c:
                held = self._row(c, key)
                if held is not None:
                    return held
                checks = checks_of(self._db, c, proposal, digest, direction, lease, at, budget)
                if not self._insert_intent(c, key, proposal, direction, lease, at, checks):
                    moved_on = "the state moved on while the intent was written; try again"
                    raise RefusedError(self._failing(c, checks) or moved_on)
                self._audit(c, "effect.intent", proposal, lease, at, key=key)
                row = self._row(c, key)
                assert row is not None  # inserted above, in this transaction
                return row
        except IntegrityError as error:
            raise RefusedError(f"another effect on {proposal.target} is open") from error

    @staticmethod
    def _insert_intent(
        c: Connection,
        key: str,
        proposal: Proposal,
        direction: str,
        lease: Lease,
        at: datetime,
        checks: dict[str, ColumnElement[bool]],
    ) -> bool:
        values = {
            "key": key,
            "approval_id": proposal.approval_id,
            "incident_id": proposal.incident_id,
            "target": proposal.target,
            "direction": direction,
            "state": "intent",
            "writer": this_process().model_dump_json(),
            "lease_token": lease.token,
            "day": iso(at)[:10],
            "intent_at": iso(at),
        }
        row = select(
            *(
                literal(v) if isinstance(v, int) else cast(literal(v), String).label(k)
                for k, v in values.items()
            )
        ).where(*checks.values())
        intent = insert(t.effects).from_select(list(values), row).returning(t.effects.c.key)
        return c.execute(intent).first() is not None

    @staticmethod
    def _failing(c: Connection, checks: dict[str, ColumnElement[bool]]) -> str | None:
        """The reason of the first condition that does not hold."""
        for reason, condition in checks.items():
            if not c.execute(select(condition)).scalar_one():
                return reason
        return None

    def retake(self, effect: Effect, lease: Lease, *, at: datetime, otherwise: str) -> Effect:
        with self._db.together():
            lapsed = self._take_over(effect, lease, at)
            if lapsed is not None:
                return self.finish(effect.key, lease.token, otherwise, at=at, error=lapsed)
            row = self.find(effect.key)
            assert row is not None  # updated above, in this transaction
            return row

    def _take_over(self, effect: Effect, lease: Lease, at: datetime) -> str | None:
        """Writes the new holder; returns why there must be no call any more, if so."""
        with self._db.write() as c:
            lapsed = self._failing(c, standing(effect.approval_id, effect.direction, at))
            boot, now = self._db.lease_clock(c)
            taken = c.execute(
                update(t.effects)
                .where(
                    t.effects.c.key == effect.key,
                    t.effects.c.state == "intent",
                    t.effects.c.lease_token == effect.lease_token,
                    exists().where(
                        t.leases.c.incident_id == lease.incident_id,
                        t.leases.c.token == lease.token,
                        t.leases.c.boot_id == boot,
                        t.leases.c.until > now,
                    ),
                )
                .values(lease_token=lease.token, writer=this_process().model_dump_json())
            ).rowcount
            if taken != 1:
                raise RefusedError(f"effect {effect.key} was taken over by another runner")
            self._audit_effect(c, "effect.retaken", effect, at)
            return lapsed

    def finish(
        self,
        key: str,
        lease_token: int,
        state: str,
        *,
        at: datetime,
        receipt: Receipt | None = None,
        error: str | None = None,
    ) -> Effect:
        # Not fenced: what a runner that lost its lease saw is recorded, and its token decides.
        with self._db.write(fenced=False) as c:
            written = c.execute(
                update(t.effects)
                .where(
                    t.effects.c.key == key,
                    t.effects.c.state == "intent",
                    t.effects.c.lease_token == lease_token,
                )
                .values(
                    state=state,
                    ended_at=iso(at),
                    receipt=None if receipt is None else receipt.model_dump_json(),
                    error=error,
                )
            ).rowcount
            row = self._row(c, key)
            if row is None:
                raise RefusedError(f"there is no effect {key}")
            what = f"effect.{state}" if written else "effect.late_result"
            self._audit_effect(
                c, what, row, at, result=receipt.reference if receipt else None, error=error
            )
            return row

    def settle(self, key: str, state: str, *, by: str, note: str, at: datetime) -> Effect:
        with self._db.write() as c:
            settled = c.execute(
                update(t.effects)
                .where(t.effects.c.key == key, t.effects.c.state == "unknown")
                .values(state=state, ended_at=iso(at), error=note)
            ).rowcount
            row = self._row(c, key)
            if row is None:
                raise NotFoundError(f"no effect {key!r}; `agentops reconcile` lists those in doubt")
            if not settled:
                raise RefusedError(f"effect {key} is not in doubt; nothing to reconcile")
            append(
                c,
                self._db.audit_key,
                "effect.reconciled",
                actor=by,
                via="cli",
                at=at,
                incident_id=row.incident_id,
                key=key,
                state=state,
                note=note,
            )
            return row

    def find(self, key: str) -> Effect | None:
        with self._db.read() as c:
            return self._row(c, key)

    def listed(self, incident_id: str | None = None) -> list[Effect]:
        query = select(t.effects).order_by(t.effects.c.intent_at)
        if incident_id is not None:
            query = query.where(t.effects.c.incident_id == incident_id)
        with self._db.read() as c:
            return [_effect(row) for row in c.execute(query).mappings()]

    def writer_is_dead(self, effect: Effect) -> bool:
        return is_dead(effect.writer)

    @staticmethod
    def _row(c: Connection, key: str) -> Effect | None:
        row = c.execute(_BY_KEY, {"of": key}).mappings().first()
        return None if row is None else _effect(row)

    def _audit(
        self, c: Connection, what: str, proposal: Proposal, lease: Lease, at: datetime, *, key: str
    ) -> None:
        append(
            c,
            self._db.audit_key,
            what,
            actor=lease.holder,
            via="runner",
            at=at,
            incident_id=proposal.incident_id,
            key=key,
            digest=proposal.digest,
            target=proposal.target,
        )

    def _audit_effect(
        self,
        c: Connection,
        what: str,
        effect: Effect,
        at: datetime,
        result: str | None = None,
        error: str | None = None,
    ) -> None:
        append(
            c,
            self._db.audit_key,
            what,
            actor=f"{effect.writer.host}:{effect.writer.pid}",
            via="runner",
            at=at,
            incident_id=effect.incident_id,
            key=effect.key,
            result=result,
            error=error,
        )


def _effect(row: Any) -> Effect:
    stored = {k: v for k, v in dict(row).items() if k != "day"}
    stored["writer"] = Writer.model_validate_json(stored["writer"])
    stored["intent_at"] = when(stored["intent_at"])
    stored["ended_at"] = when(stored["ended_at"])
    if stored["receipt"] is not None:
        stored["receipt"] = Receipt.model_validate_json(stored["receipt"])
    return Effect(**stored)
