"""The ledger: the authority over incidents, approvals and effects, on SQLite or Postgres."""

from agentops_graph.adapters.sqlalchemy_ledger.all_ports import LedgerPorts, ledger_ports
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

__all__ = [
    "Database",
    "LedgerApprovals",
    "LedgerAudit",
    "LedgerCredentials",
    "LedgerDeliveries",
    "LedgerEffects",
    "LedgerFigures",
    "LedgerIncidentVerdicts",
    "LedgerIncidents",
    "LedgerJobs",
    "LedgerLeases",
    "LedgerLessons",
    "LedgerLineage",
    "LedgerOutbox",
    "LedgerPorts",
    "LedgerRounds",
    "LedgerSilences",
    "LedgerSwitches",
    "LedgerTimers",
    "LedgerWork",
    "ledger_ports",
]
