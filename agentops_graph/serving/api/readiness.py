"""Whether the service can do its work, part by part."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from agentops_graph.bootstrap import Workshop
from agentops_graph.chat.talk import as_told
from agentops_graph.domain.record import Record
from agentops_graph.errors import AgentOpsError, NotEnoughDataError, PortError
from agentops_graph.ports import Ports
from agentops_graph.service import NO_RUNNER


class Part(Record):
    """One thing the service rests on."""

    status: Literal["ok", "degraded", "failed"]
    detail: str = ""


class Readiness(Record):
    """`failed` when nothing can be decided or read; `degraded` names its parts."""

    status: Literal["ok", "degraded", "failed"]
    degraded: tuple[str, ...]
    parts: dict[str, Part]


def readiness_of(workshop: Workshop) -> Readiness:
    ports = workshop.ports
    checks: dict[str, Callable[[Ports], Part]] = {
        "ledger": _ledger,
        "runner": _runner,
        "actions": _actions,
        "warehouse": _warehouse,
        "knowledge": _knowledge,
        "components": _components,
    }
    parts = {name: _looked(check, ports) for name, check in checks.items()}
    degraded = tuple(name for name, part in parts.items() if part.status != "ok")
    if parts["ledger"].status == "failed":
        return Readiness(status="failed", degraded=degraded, parts=parts)
    return Readiness(status="degraded" if degraded else "ok", degraded=degraded, parts=parts)


def _looked(check: Callable[[Ports], Part], ports: Ports) -> Part:
    try:
        return check(ports)
    except PortError as error:
        return Part(status="failed", detail=as_told(error))
    except AgentOpsError as error:
        return Part(status="degraded", detail=as_told(error))


def _ledger(ports: Ports) -> Part:
    waiting = ports.approval_log.listed(status="pending")
    return Part(status="ok", detail=f"{len(waiting)} approvals pending")


def _runner(ports: Ports) -> Part:
    alive = ports.leases.runners_alive()
    return Part(status="ok", detail=", ".join(alive)) if alive else _degraded(NO_RUNNER)


def _actions(ports: Ports) -> Part:
    paused = ports.switches.paused()
    if paused is None:
        return Part(status="ok")
    return _degraded(f"paused ({paused}); `agentops resume-actions` ends it")


def _warehouse(ports: Ports) -> Part:
    now = ports.clock.now()
    name = next(iter(ports.components), "any")
    try:
        ports.warehouse.changes([name], now - timedelta(seconds=1), now)
    except NotEnoughDataError as error:
        return _degraded(as_told(error))
    return Part(status="ok")


def _knowledge(ports: Ports) -> Part:
    condition = ports.shelf.condition()
    refused = condition.get("refused")
    detail = ", ".join(f"{k} {v}" for k, v in condition.items() if k != "refused")
    return _degraded(f"refused: {refused}") if refused else Part(status="ok", detail=detail)


def _components(ports: Ports) -> Part:
    if not ports.components:
        return _degraded("none is under watch; describe them in components.yaml")
    return Part(status="ok", detail=", ".join(sorted(ports.components)))


def _degraded(detail: str) -> Part:
    return Part(status="degraded", detail=detail)
