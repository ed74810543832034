"""Every port of the ledger on one database, under the names that `Ports` gives them."""

from pathlib import Path
from typing import TypedDict

from agentops_graph.adapters.sqlalchemy_ledger.approvals import LedgerApprovals
from agentops_graph.adapters.sqlalchemy_ledger.audit import LedgerAudit
from agentops_graph.adapters.sqlalchemy_ledger.credentials import LedgerCredentials
from agentops_graph.adapters.sqlalchemy_ledger.database import Database
from agentops_graph.adapters.sqlalchemy_ledger.deliveries import LedgerDeliveries
from agentops_graph.adapters.sqlalchemy_ledger.effects import LedgerEffects
from agentops_graph.adapters.sqlalchemy_ledger.figures import LedgerFigures
from agentops_graph.adapters.sqlalchemy_ledger.incident_verdicts import LedgerIncidentVerdicts
from agentops_graph.adapters.sqlalchemy_ledger.incidents import LedgerIncidents
from agentops_graph.adapters.sqlalchemy_ledger.lessons import LedgerLessons
from agentops_graph.adapters.sqlalchemy_ledger.lineage import LedgerLineage
from agentops_graph.adapters.sqlalchemy_ledger.outbox import LedgerOutbox
from agentops_graph.adapters.sqlalchemy_ledger.rounds import LedgerRounds
from agentops_graph.adapters.sqlalchemy_ledger.runners import LedgerLeases
from agentops_graph.adapters.sqlalchemy_ledger.silences import LedgerSilences
from agentops_graph.adapters.sqlalchemy_ledger.switches import LedgerSwitches
from agentops_graph.adapters.sqlalchemy_ledger.waits import LedgerJobs, LedgerTimers
from agentops_graph.adapters.sqlalchemy_ledger.work import LedgerWork


class LedgerPorts(TypedDict):
    """To be unpacked into `Ports(**ledger_ports(database), ...)`."""

    incidents: LedgerIncidents
    log: LedgerIncidents
    incident_verdicts: LedgerIncidentVerdicts
    approvals: LedgerApprovals
    approval_log: LedgerApprovals
    effects: LedgerEffects
    effect_log: LedgerEffects
    switches: LedgerSwitches
    silences: LedgerSilences
    leases: LedgerLeases
    timers: LedgerTimers
    jobs: LedgerJobs
    work: LedgerWork
    outbox: LedgerOutbox
    audit: LedgerAudit
    credentials: LedgerCredentials
    deliveries: LedgerDeliveries
    outside_alerts: LedgerDeliveries
    figures: LedgerFigures
    rounds: LedgerRounds
    lineage_log: LedgerLineage
    lessons: LedgerLessons


def ledger_ports(database: Database, *, audit_head: Path | None = None) -> LedgerPorts:
    """`audit_head` is the file outside the ledger in which the audit's head is anchored."""
    incidents, effects = LedgerIncidents(database), LedgerEffects(database)
    approvals, deliveries = LedgerApprovals(database), LedgerDeliveries(database)
    return LedgerPorts(
        incidents=incidents,
        log=incidents,
        incident_verdicts=LedgerIncidentVerdicts(database),
        approvals=approvals,
        approval_log=approvals,
        effects=effects,
        effect_log=effects,
        switches=LedgerSwitches(database),
        silences=LedgerSilences(database),
        leases=LedgerLeases(database),
        timers=LedgerTimers(database),
        jobs=LedgerJobs(database),
        work=LedgerWork(database),
        outbox=LedgerOutbox(database),
        audit=LedgerAudit(database, audit_head),
        credentials=LedgerCredentials(database),
        deliveries=deliveries,
        outside_alerts=deliveries,
        figures=LedgerFigures(database),
        rounds=LedgerRounds(database),
        lineage_log=LedgerLineage(database),
        lessons=LedgerLessons(database),
    )
