"""Checks of the ledger, the audit, the runners and the kill switch."""

from datetime import UTC, datetime

from agentops_graph.access import OPEN_NOTICE
from agentops_graph.confidentiality import ring_of
from agentops_graph.doctor.check import Check, Visit
from agentops_graph.domain.standing import in_words, standing
from agentops_graph.errors import InputError
from agentops_graph.ports import AuditLog


def ledger(visit: Visit) -> list[Check]:
    ports = visit.ports
    number = len(ports.log.listed(open_only=True, limit=1000))
    unknown = [e.key for e in ports.effect_log.listed() if e.state == "unknown"]
    audit = _audit(ports.audit)
    if unknown:
        seen = f"{number} open incidents; outcome not known of {', '.join(unknown)}"
        return [
            Check(name="ledger", state="degraded", seen=seen, mend="agentops reconcile"),
            audit,
        ]
    return [Check(name="ledger", state="ok", seen=f"{number} open incidents"), audit]


def _audit(audit: AuditLog) -> Check:
    """The whole chain, and what it is held against outside its table."""
    anchor = audit.anchored()
    broken = audit.verify() or (anchor.fault if anchor else None)
    if broken is not None:
        mend = "restore the ledger from a backup, or give back the key it was written with"
        return Check(name="audit", state="broken", seen=str(broken), mend=mend)
    if anchor is None or anchor.row is None:
        place = anchor.place if anchor else "all"
        seen = f"the chain holds; no anchor at {place} yet: a cut tail can't be seen"
        return Check(name="audit", state="ok", seen=seen, mend="a runner writes it")
    return Check(name="audit", state="ok", seen=f"the chain holds, row {anchor.row} is anchored")


def encryption(visit: Visit) -> list[Check]:
    """Whether what is written is encrypted; a malformed or wrong key breaks this check."""
    settings = visit.settings
    try:
        ring = ring_of(settings)
        _ = visit.ports  # opens the ledger, which knows the key that it is written with
    except InputError as error:
        return [Check(name="encryption", state="broken", seen=str(error))]
    if ring.key_id is None:
        seen = "off: whoever can read the folder can read what is kept"
        return [Check(name="encryption", state="ok", seen=seen)]
    seen = f"on, with key {ring.key_id}"
    if settings.encryption_key_old is not None:
        seen += "; what is under the old key is read, too"
        mend = "agentops encrypt, then take AGENTOPS_ENCRYPTION_KEY_OLD away"
        return [Check(name="encryption", state="degraded", seen=seen, mend=mend)]
    return [Check(name="encryption", state="ok", seen=seen)]


def runners(visit: Visit) -> list[Check]:
    alive = visit.ports.leases.runners_alive()
    waiting = len(visit.ports.jobs.waiting(datetime.now(UTC)))
    seen = f"alive: {', '.join(alive) or 'none'}; {waiting} jobs wait"
    if alive:
        return [Check(name="runners", state="ok", seen=seen)]
    mend = "agentops work, or agentops serve"
    return [Check(name="runners", state="degraded", seen=seen, mend=mend)]


def detached(visit: Visit) -> list[Check]:
    """Trainings and reruns that run now; one that is silent or overdue is named."""
    work, policy = visit.ports.work.underway(), visit.ports.policy
    stuck = [w for w in work if standing(w, policy) != "well"]
    seen = "; ".join(in_words(w, policy) for w in stuck or work) or "nothing runs"
    if not stuck:
        return [Check(name="detached work", state="ok", seen=seen)]
    logs = ", ".join(f"jobs/{w.key.replace(':', '-')}.log" for w in stuck)
    mend = f"look at {logs}; runners end it at its deadline or hand it to a person"
    return [Check(name="detached work", state="degraded", seen=seen, mend=mend)]


def paused(visit: Visit) -> list[Check]:
    paused = visit.ports.switches.paused()
    if paused is None:
        return [Check(name="actions", state="ok", seen="approved actions are carried out")]
    seen = "paused" + (", bound undos too" if paused == "all" else "")
    return [Check(name="actions", state="degraded", seen=seen, mend="agentops resume-actions")]


def access(visit: Visit) -> list[Check]:
    """Whether anybody is asked who they are."""
    credentials = visit.ports.credentials
    if not credentials.has_tokens():
        return [Check(name="access", state="ok", seen="open", mend=OPEN_NOTICE)]
    now = visit.ports.clock.now()
    live = [held for held in credentials.listed() if held.kind == "token" and held.counts(now)]
    seen = f"a token is asked for; live: {len(live)}"
    if any(held.role == "admin" and held.tenant is None for held in live):
        return [Check(name="access", state="ok", seen=seen)]
    mend = "agentops token create NAME --role admin, by whoever may write to the data folder"
    return [Check(name="access", state="degraded", seen=f"{seen}, no admin's", mend=mend)]
