"""Checks of the ledger, the audit, the runners and the kill switch."""

from datetime import UTC, datetime

from agentops_graph.doctor.check import Check, Visit


def ledger(visit: Visit) -> list[Check]:
    ports = visit.ports
    number = len(ports.log.listed(open_only=True, limit=1000))
    unknown = [e.key for e in ports.effect_log.listed() if e.state == "unknown"]
    broken = ports.audit.verify()
    if broken is not None:
        mend = "restore the ledger from a backup, or give back the key it was written with"
        audit = Check(name="audit", state="broken", seen=broken, mend=mend)
    else:
        audit = Check(name="audit", state="ok", seen="the chain holds")
    if unknown:
        seen = f"{number} open incidents; outcome not known of {', '.join(unknown)}"
        return [
            Check(name="ledger", state="degraded", seen=seen, mend="agentops reconcile"),
            audit,
        ]
    return [Check(name="ledger", state="ok", seen=f"{number} open incidents"), audit]


def runners(visit: Visit) -> list[Check]:
    alive = visit.ports.leases.runners_alive()
    waiting = len(visit.ports.jobs.waiting(datetime.now(UTC)))
    seen = f"alive: {', '.join(alive) or 'none'}; {waiting} jobs wait"
    if alive:
        return [Check(name="runners", state="ok", seen=seen)]
    mend = "agentops work, or agentops serve"
    return [Check(name="runners", state="degraded", seen=seen, mend=mend)]


def paused(visit: Visit) -> list[Check]:
    paused = visit.ports.switches.paused()
    if paused is None:
        return [Check(name="actions", state="ok", seen="approved actions are carried out")]
    seen = "paused" + (", bound undos too" if paused == "all" else "")
    return [Check(name="actions", state="degraded", seen=seen, mend="agentops resume-actions")]
