"""Whether the service can do its work, part by part."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Literal

from agentops_graph.access import Access
from agentops_graph.chat.talk import as_told
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import SeriesTable
from agentops_graph.domain.record import Record
from agentops_graph.errors import AgentOpsError, NotEnoughDataError, PortError, WrongKeyError
from agentops_graph.gathering.output_look import has_spoken
from agentops_graph.ports import Ports
from agentops_graph.service import NO_RUNNER

RECENTLY = timedelta(days=7)


class Part(Record):
    """One thing the service rests on."""

    status: Literal["ok", "degraded", "failed"]
    detail: str = ""


class Readiness(Record):
    """`failed` when nothing can be decided or read; `degraded` names its parts."""

    status: Literal["ok", "degraded", "failed"]
    degraded: tuple[str, ...]
    parts: dict[str, Part]


def readiness_of(access: Access, ports: Ports) -> Readiness:
    """As far as it concerns whoever asks: components and approvals of other tenants are not told
    of."""
    own = {name: ports.components[name] for name in access.components}
    ports = replace(ports, components=own)
    checks: dict[str, Callable[[Ports], Part]] = {
        "ledger": partial(_ledger, access),
        "audit": _audit,
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
    except (PortError, WrongKeyError) as error:
        return Part(status="failed", detail=as_told(error))
    except AgentOpsError as error:
        return Part(status="degraded", detail=as_told(error))


def _ledger(access: Access, ports: Ports) -> Part:
    ports.log.listed(limit=1)  # approvals may be none: words of it can be read, or it raises
    return Part(status="ok", detail=f"{len(access.approvals())} approvals pending")


def _audit(ports: Ports) -> Part:
    """Its anchor only: the whole chain is walked by `agentops audit verify`."""
    anchor = ports.audit.anchored()
    if anchor is None or anchor.row is None:
        return Part(status="ok", detail="no anchor yet")
    if anchor.fault is not None:
        return _degraded(f"{anchor.fault}; `agentops audit verify` says more")
    return Part(status="ok", detail=f"row {anchor.row} is anchored")


def _runner(ports: Ports) -> Part:
    alive = ports.leases.runners_alive()
    return Part(status="ok", detail=", ".join(alive)) if alive else _degraded(NO_RUNNER)


def _actions(ports: Ports) -> Part:
    paused = ports.switches.paused()
    if paused is None:
        return Part(status="ok")
    return _degraded(f"paused ({paused}); `agentops resume-actions` ends it")


def _warehouse(ports: Ports) -> Part:
    """Degraded only when it holds nothing of any component; optional tables may be missing."""
    silent, down = list[str](), list[PortError]()
    for component in ports.components.values():
        try:
            if _is_recorded(ports, component):
                return Part(status="ok")
            silent.append(f"no rows of {component.name}")
        except NotEnoughDataError as error:
            silent.append(as_told(error))
        except PortError as error:  # of one source perhaps, which is not all that there is
            silent.append(as_told(error))
            down.append(error)
    if down and len(down) == len(silent):
        raise down[0]
    if not silent:
        ports.warehouse.reference("any", "any")  # it answers, or it raises
    return _degraded("; ".join(dict.fromkeys(silent))) if silent else Part(status="ok")


def _is_recorded(ports: Ports, component: Component) -> bool:
    now = ports.clock.now()
    if component.speaks and has_spoken(ports.warehouse, component, now - RECENTLY, now):
        return True
    if component.kind == "model":
        return ports.warehouse.latest(component.name) is not None
    table: SeriesTable = "data_quality" if component.kind == "pipeline" else "agent_metrics"
    return len(ports.warehouse.series(table, component.name, now - RECENTLY, now)) > 0


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
