"""In-memory twins of the ports, for tests and the benchmark; each says how it behaves."""

from agentops_graph.adapters.memory.approvals import MemoryApprovals
from agentops_graph.adapters.memory.credentials import MemoryCredentials
from agentops_graph.adapters.memory.deliveries import MemoryDeliveries
from agentops_graph.adapters.memory.effects import MemoryEffects
from agentops_graph.adapters.memory.figures import MemoryFigures
from agentops_graph.adapters.memory.incident_verdicts import MemoryIncidentVerdicts
from agentops_graph.adapters.memory.incidents import MemoryIncidents
from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.adapters.memory.lessons import MemoryLessons
from agentops_graph.adapters.memory.lineage import MemoryLineage
from agentops_graph.adapters.memory.outbox import MemoryAudit, MemoryOutbox
from agentops_graph.adapters.memory.outside import (
    CollectingNotifier,
    FixedModels,
    RecordingActuator,
    ScriptedReasoner,
    ShelfInMemory,
    SteppingClock,
)
from agentops_graph.adapters.memory.rounds import MemoryRounds
from agentops_graph.adapters.memory.runners import MemoryLeases, MemorySilences, MemorySwitches
from agentops_graph.adapters.memory.waits import MemoryJobs, MemoryTimers, MemoryWork
from agentops_graph.adapters.memory.warehouse import WarehouseInMemory

__all__ = [
    "CollectingNotifier",
    "FixedModels",
    "MemoryApprovals",
    "MemoryAudit",
    "MemoryCredentials",
    "MemoryDeliveries",
    "MemoryEffects",
    "MemoryFigures",
    "MemoryIncidentVerdicts",
    "MemoryIncidents",
    "MemoryJobs",
    "MemoryLeases",
    "MemoryLedger",
    "MemoryLessons",
    "MemoryLineage",
    "MemoryOutbox",
    "MemoryRounds",
    "MemorySilences",
    "MemorySwitches",
    "MemoryTimers",
    "MemoryWork",
    "RecordingActuator",
    "ScriptedReasoner",
    "ShelfInMemory",
    "SteppingClock",
    "WarehouseInMemory",
]
