"""`python -m agentops_graph.jobs KEY`: does one piece of detached work and writes its result."""

import importlib
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.action import RerunPipeline, ScaleInfrastructure
from agentops_graph.domain.component import Component
from agentops_graph.domain.ledger import Work
from agentops_graph.errors import InputError
from agentops_graph.jobs.order import WorkOrder, WorkResult

log = logging.getLogger(__name__)


def main(key: str) -> int:
    """Claims the work, runs its entry point, writes result or error; 0 when it was done."""
    workshop = Workshop(tends_knowledge=False)
    work = workshop.ports.work.claim(key)
    if work is None:
        log.warning("%s is claimed by another process, or was never opened", key)
        return 0
    try:
        result = _entry_point(work.entry_point)(_order(workshop, work))
    except Exception as error:
        log.exception("%s failed", key)
        _finish(workshop, key, error=f"{type(error).__name__}: {error}", result={})
        return 1
    _finish(workshop, key, error=None, result=result.model_dump(mode="json"))
    return 0


def _order(workshop: Workshop, work: Work) -> WorkOrder:
    ports = workshop.ports
    return WorkOrder(
        key=work.key,
        action=work.action,
        incident_id=work.incident_id,
        component=_component(workshop, work),
        warehouse=ports.warehouse,
        history=ports.history,
        home=workshop.places.home,
        tracking_uri=workshop.store.uri,
        report=lambda share, text: ports.work.progress(work.key, share, text),
    )


def _component(workshop: Workshop, work: Work) -> Component:
    action = work.action
    if isinstance(action, RerunPipeline):
        name = action.pipeline
    else:
        name = action.component if isinstance(action, ScaleInfrastructure) else action.model
    return workshop.components.get(name) or Component(name=name)


def _entry_point(path: str) -> Callable[[WorkOrder], WorkResult]:
    module, _, function = path.partition(":")
    found = getattr(importlib.import_module(module), function, None)
    if not callable(found):
        raise InputError(f"{path!r} names no function", field="entry_points")
    entry: Callable[[WorkOrder], WorkResult] = found
    return entry


def _finish(workshop: Workshop, key: str, *, error: str | None, result: dict[str, object]) -> None:
    workshop.ports.work.finish(key, error=error, result=result, at=datetime.now(UTC))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    sys.exit(main(sys.argv[1]))
