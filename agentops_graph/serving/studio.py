"""The graph for LangGraph's developer tools: it can be looked at and read with, never act."""

from dataclasses import fields, replace
from typing import Any, cast

from langgraph.graph.state import CompiledStateGraph

from agentops_graph.bootstrap import Workshop
from agentops_graph.errors import RefusedError
from agentops_graph.graph import build_graph
from agentops_graph.later import later
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState

Graph = CompiledStateGraph[IncidentState, Ports, IncidentState, IncidentState]

# Not calls, without effect, or left out whole.
UNGUARDED = (
    *("policy", "components", "actuators", "notifiers", "lease", "is_lost"),
    *("surroundings", "sources", "logs", "facts", "evidence_folder"),
)
# By port, the calls that only read; every other call is refused.
READS: dict[str, tuple[str, ...]] = {
    "clock": ("now",),
    "incidents": ("get", "kept"),
    "log": ("listed", "alerts", "timeline", "told"),
    "incident_verdicts": ("given",),
    "approvals": ("get",),
    "approval_log": ("listed",),
    "effects": ("find", "writer_is_dead"),
    "effect_log": ("listed",),
    "switches": ("paused",),
    "silences": ("active",),
    "leases": ("runners_alive",),
    "timers": ("due",),
    "jobs": ("waiting",),
    "work": ("find",),
    "outbox": ("waiting", "listed"),
    "audit": ("rows", "verify"),
    "credentials": ("listed", "has_tokens"),
    "deliveries": ("knows",),
    "lessons": ("learnt", "accepted"),
    "answers": ("recall",),
    "outside_alerts": ("followed", "recovering"),
    "figures": ("backlog", "written_since"),
    "warehouse": (
        "predictions",
        "tally",
        "series",
        "changes",
        "reference",
        "latest",
        "calls",
        "exchanges",
        "batch_reports",
        "known_batches",
        "batches_since",
    ),
    "lineage": ("current",),
    "rounds": ("sights",),
    "intake": (),  # rows come in by other doors
    "lineage_log": (),  # nobody sends the graph events
    "batches": (),  # none of the graph's business
    "shelf": ("search", "page", "causes", "condition"),
    "reasoner": ("diagnose",),
    "models": ("production", "version", "versions"),
}


class ReadsOnly:
    """Stands before a port and lets its reads through."""

    def __init__(self, port: object, name: str, reads: tuple[str, ...]) -> None:
        self._port, self._name, self._reads = port, name, reads

    def __getattr__(self, call: str) -> Any:
        if call not in self._reads:
            raise RefusedError(
                f"developer tools only read, and {self._name}.{call} writes; incidents are run by "
                "`agentops work` or `agentops serve`"
            )
        return getattr(self._port, call)


def graph() -> Graph:
    """The graph over the data folder of `AGENTOPS_HOME`, opened when a node first reads."""
    return _bound(later(lambda: read_only(Workshop(tends_knowledge=False).ports)))


def read_only(ports: Ports) -> Ports:
    """The same ports without a lease, without means to act, and with every write refused."""
    guarded = {
        field.name: ReadsOnly(getattr(ports, field.name), field.name, READS.get(field.name, ()))
        for field in fields(ports)
        if field.name not in UNGUARDED
    }
    without: dict[str, Any] = {"actuators": {}, "notifiers": {}, "lease": None}
    return replace(ports, **cast(dict[str, Any], guarded), **without, evidence_folder=None)


def _bound(ports: Ports) -> Graph:
    """The compiled graph with these ports as its context, whatever context a caller sends."""

    class Bound(CompiledStateGraph[IncidentState, Ports, IncidentState, IncidentState]):
        def stream(self, *arguments: Any, **options: Any) -> Any:
            return super().stream(*arguments, **(options | {"context": ports}))

        def astream(self, *arguments: Any, **options: Any) -> Any:
            return super().astream(*arguments, **(options | {"context": ports}))

    return Bound(**vars(build_graph()))
