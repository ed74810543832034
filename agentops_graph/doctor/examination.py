"""All checks in order."""

from collections.abc import Callable

from agentops_graph.doctor.check import Check, State, Visit
from agentops_graph.doctor.evidence import logs, rest
from agentops_graph.doctor.folder import folder, settings_set, sqlite
from agentops_graph.doctor.intake import ingest
from agentops_graph.doctor.lineage import lineage
from agentops_graph.doctor.outside import notices, reasoner, tracking
from agentops_graph.doctor.prompts import prompts
from agentops_graph.doctor.pushed import pushed
from agentops_graph.doctor.safety import access, detached, encryption, ledger, paused, runners
from agentops_graph.doctor.sight import sight
from agentops_graph.doctor.sources import sources
from agentops_graph.doctor.watching import components, knowledge, warehouse
from agentops_graph.errors import AgentOpsError
from agentops_graph.ports import Ports
from agentops_graph.settings import Settings

LOOKS: tuple[tuple[str, Callable[[Visit], list[Check]]], ...] = (
    ("data folder", folder),
    ("sqlite", sqlite),
    ("components", components),
    ("encryption", encryption),
    ("ledger", ledger),
    ("runners", runners),
    ("detached work", detached),
    ("actions", paused),
    ("access", access),
    ("warehouse", warehouse),
    ("sources", sources),
    ("sight", sight),
    ("ingest", ingest),
    ("lineage", lineage),
    ("knowledge", knowledge),
    ("reasoner", reasoner),
    ("prompts", prompts),
    ("mlflow", tracking),
    ("logs", logs),
    ("rest", rest),
    ("notices", notices),
    ("pushed alerts", pushed),
    ("settings", settings_set),
)


def examine(settings: Settings, open_ports: Callable[[], Ports]) -> list[Check]:
    """Every check in order; one that raises our own error is broken by it, and the rest go on."""
    visit = Visit(settings, open_ports)
    found: list[Check] = []
    for name, look in LOOKS:
        try:
            found += look(visit)
        except AgentOpsError as error:
            told = any(check.seen == str(error) for check in found)
            seen = "not looked at, for the same reason" if told else str(error)
            found.append(Check(name=name, state="broken", seen=seen))
            if look is folder:  # nothing else can be looked at without it
                break
    return found


def verdict(checks: list[Check]) -> State:
    states = {check.state for check in checks}
    return "broken" if "broken" in states else "degraded" if "degraded" in states else "ok"
