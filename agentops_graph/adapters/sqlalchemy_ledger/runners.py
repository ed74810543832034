"""Leases with fencing tokens, and the heartbeat of runners."""

from contextlib import AbstractContextManager

from sqlalchemy import insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import Database, insert_new
from agentops_graph.adapters.sqlalchemy_ledger.fence import fenced
from agentops_graph.adapters.sqlalchemy_ledger.writers import is_dead, this_process
from agentops_graph.domain.effect import Lease, Writer

# A runner beats every few seconds; three missed beats and it counts as gone.
ALIVE_S = 15.0


class LedgerLeases:
    """Implements `Leases`; lease time is the boot clock on one host, the server's on Postgres."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def acquire(self, incident_id: str, holder: str, seconds: float) -> Lease | None:
        me = this_process().model_dump_json()
        with self._db.write(fenced=False, queued=False) as c:
            boot, now = self._db.lease_clock(c)
            values = {"holder": me, "boot_id": boot, "until": now + seconds}
            if insert_new(c, t.leases, incident_id=incident_id, token=1, **values):
                return Lease(incident_id=incident_id, token=1, holder=holder)
            row = c.execute(select(t.leases).where(t.leases.c.incident_id == incident_id)).one()
            held = row.holder and row.boot_id == boot and row.until > now
            if held and not is_dead(Writer.model_validate_json(row.holder)):
                return None
            taken = c.execute(
                update(t.leases)
                .where(t.leases.c.incident_id == incident_id, t.leases.c.token == row.token)
                .values(token=row.token + 1, **values)
            ).rowcount
            if not taken:
                return None
            return Lease(incident_id=incident_id, token=row.token + 1, holder=holder)

    def renew(self, lease: Lease, seconds: float) -> bool:
        with self._db.write(fenced=False, queued=False) as c:
            boot, now = self._db.lease_clock(c)
            return bool(
                c.execute(
                    update(t.leases)
                    .where(
                        t.leases.c.incident_id == lease.incident_id,
                        t.leases.c.token == lease.token,
                        t.leases.c.boot_id == boot,
                    )
                    .values(until=now + seconds)
                ).rowcount
            )

    def holds(self, lease: Lease) -> bool:
        with self._db.read() as c:
            boot, now = self._db.lease_clock(c)
            held = select(t.leases.c.token).where(
                t.leases.c.incident_id == lease.incident_id,
                t.leases.c.token == lease.token,
                t.leases.c.boot_id == boot,
                t.leases.c.until > now,
            )
            return c.execute(held).first() is not None

    def fenced(self, lease: Lease) -> AbstractContextManager[None]:
        return fenced(lease)

    def release(self, lease: Lease) -> None:
        with self._db.write(fenced=False, queued=False) as c:
            c.execute(
                update(t.leases)
                .where(t.leases.c.incident_id == lease.incident_id, t.leases.c.token == lease.token)
                .values(holder="", until=0.0)
            )

    def beat(self, runner_id: str, kind: str, *, stopped: bool = False) -> None:
        with self._db.write(fenced=False, queued=False) as c:
            boot, now = self._db.lease_clock(c)
            values = {
                "holder": this_process().model_dump_json(),
                "boot_id": boot,
                "beat": now,
                "stopped": stopped,
            }
            renewed = c.execute(
                update(t.runners).where(t.runners.c.runner_id == runner_id).values(**values)
            ).rowcount
            if not renewed:
                c.execute(insert(t.runners).values(runner_id=runner_id, kind=kind, **values))

    def runners_alive(self) -> list[str]:
        with self._db.read() as c:
            boot, now = self._db.lease_clock(c)
            rows = c.execute(
                select(t.runners).where(
                    t.runners.c.stopped.is_(False),
                    t.runners.c.boot_id == boot,
                    t.runners.c.beat > now - ALIVE_S,
                )
            ).all()
        return [r.runner_id for r in rows if not is_dead(Writer.model_validate_json(r.holder))]
