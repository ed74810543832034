"""A ledger's ports side by side, and the few records that the contract tests write to them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Barrier

from agentops_graph.adapters import memory
from agentops_graph.adapters import sqlalchemy_ledger as sql
from agentops_graph.domain.action import DeployModel, RollbackModel, SendSlackAlert
from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.approval import Decision, Precondition, Proposal
from agentops_graph.domain.policy import Policy
from agentops_graph.ports import (
    Approvals,
    AuditLog,
    Credentials,
    Deliveries,
    DetachedWork,
    EffectLog,
    Effects,
    Figures,
    IncidentLog,
    Incidents,
    IncidentVerdicts,
    Jobs,
    Leases,
    Lessons,
    LineageLog,
    Outbox,
    OutsideAlerts,
    Rounds,
    Silences,
    Switches,
    Timers,
)

AT = datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
# Signals are watched after the expiry only, so that the other timers stand alone.
POLICY = Policy(
    escalate_after_s=300,
    expires_after_s=3600,
    watch_every_s=5000,
    chain=("on-call", "team", "manager"),
)
KEY = b"a key of sixteen bytes or more"


def after(seconds):
    return AT + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Desk:
    incidents: Incidents
    log: IncidentLog
    incident_verdicts: IncidentVerdicts
    approvals: Approvals
    effects: Effects
    effect_log: EffectLog
    switches: Switches
    silences: Silences
    leases: Leases
    timers: Timers
    jobs: Jobs
    work: DetachedWork
    outbox: Outbox
    audit: AuditLog
    credentials: Credentials
    deliveries: Deliveries
    outside_alerts: OutsideAlerts
    figures: Figures
    rounds: Rounds
    lineage_log: LineageLog
    lessons: Lessons

    def report(self, component="fraud-detector", **changes):
        """Admits an alert; returns the admission."""
        return self.incidents.admit(claim(component, **changes), opened_by="monitor", at=AT)

    def propose(self, incident_id, *, step=0, version="2", plan_number=0, at=AT):
        return self.approvals.propose(
            proposal(incident_id, step=step, version=version, plan_number=plan_number),
            policy=POLICY,
            reason="changes production predictions",
            notes=("gate: passed",),
            at=at,
        )

    def decide(self, approval, verdict="approve", *, at=None, **changes):
        answer = {"actor": "mia", "via": "cli", "digest": approval.digest} | changes
        decision = Decision(approval_id=approval.approval_id, verdict=verdict, **answer)
        return self.approvals.decide(decision, at=at or after(60))

    def approved(self, component="fraud-detector", version="2"):
        """An approved deployment and the lease on its incident."""
        incident_id = self.report(component).incident_id
        approval = self.decide(self.propose_for(component, incident_id, version))
        return approval, self.leases.acquire(incident_id, "runner-1", 60)

    def propose_for(self, component, incident_id, version):
        return self.approvals.propose(
            proposal(incident_id, component=component, version=version),
            policy=POLICY,
            reason="changes production predictions",
            notes=(),
            at=AT,
        )

    def begin(self, approval, lease, direction="do", *, at=None, budget=6, digest=None):
        return self.effects.begin(
            approval.proposal,
            digest or approval.digest,
            direction,
            lease,
            at=at or after(120),
            budget=budget,
        )

    def said_in_audit(self, incident_id=None):
        return [row["what"] for row in self.audit.rows(incident_id)]


def claim(component="fraud-detector", **changes):
    values = {
        "severity": "critical",
        "alert_type": "model_drift",
        "affected_component": component,
        "metrics": {"drift_score": 0.47},
        "timestamp": AT,
        "summary": "Model drift detected. Aggregate PSI: 0.47",
        "onset_at": after(-600),
    }
    return AlertClaim(**values | changes)


def proposal(incident_id, *, component="fraud-detector", step=0, version="2", plan_number=0):
    return Proposal(
        approval_id="new",
        incident_id=incident_id,
        plan_number=plan_number,
        step=step,
        action=DeployModel(model=component, version=version),
        precondition=Precondition(subject="production_version", equals="1"),
        undo=RollbackModel(model=component, to_version="1"),
    )


def slack(text="Model drift detected"):
    return SendSlackAlert(text=text)


def memory_desk():
    ledger = memory.MemoryLedger()
    incidents, effects = memory.MemoryIncidents(ledger), memory.MemoryEffects(ledger)
    deliveries = memory.MemoryDeliveries(ledger)
    return Desk(
        incidents=incidents,
        log=incidents,
        incident_verdicts=memory.MemoryIncidentVerdicts(ledger),
        approvals=memory.MemoryApprovals(ledger),
        effects=effects,
        effect_log=effects,
        switches=memory.MemorySwitches(ledger),
        silences=memory.MemorySilences(ledger),
        leases=memory.MemoryLeases(ledger),
        timers=memory.MemoryTimers(ledger),
        jobs=memory.MemoryJobs(ledger),
        work=memory.MemoryWork(ledger),
        outbox=memory.MemoryOutbox(ledger),
        audit=memory.MemoryAudit(ledger),
        credentials=memory.MemoryCredentials(ledger),
        deliveries=deliveries,
        outside_alerts=deliveries,
        figures=memory.MemoryFigures(ledger),
        rounds=memory.MemoryRounds(ledger),
        lineage_log=memory.MemoryLineage(ledger),
        lessons=memory.MemoryLessons(ledger),
    )


def sql_desk(database):
    incidents, effects = sql.LedgerIncidents(database), sql.LedgerEffects(database)
    deliveries = sql.LedgerDeliveries(database)
    return Desk(
        incidents=incidents,
        log=incidents,
        incident_verdicts=sql.LedgerIncidentVerdicts(database),
        approvals=sql.LedgerApprovals(database),
        effects=effects,
        effect_log=effects,
        switches=sql.LedgerSwitches(database),
        silences=sql.LedgerSilences(database),
        leases=sql.LedgerLeases(database),
        timers=sql.LedgerTimers(database),
        jobs=sql.LedgerJobs(database),
        work=sql.LedgerWork(database),
        outbox=sql.LedgerOutbox(database),
        audit=sql.LedgerAudit(database),
        credentials=sql.LedgerCredentials(database),
        deliveries=deliveries,
        outside_alerts=deliveries,
        figures=sql.LedgerFigures(database),
        rounds=sql.LedgerRounds(database),
        lineage_log=sql.LedgerLineage(database),
        lessons=sql.LedgerLessons(database),
    )


def at_once(work, times=6):
    """Runs `work` in that many threads which start together; returns results and errors."""
    gate = Barrier(times)

    def run(number):
        gate.wait(timeout=30)
        try:
            return work(number)
        except Exception as error:  # noqa: BLE001 - the test judges it
            return error

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))
