"""`python -m agentops_graph.jobs KEY`: does one piece of detached work and writes its result."""

import importlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.action import RerunPipeline, ScaleInfrastructure
from agentops_graph.domain.component import Component
from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.ledger import Work
from agentops_graph.domain.standing import name_of
from agentops_graph.errors import InputError, UnavailableError
from agentops_graph.jobs.order import OutOfSightError, WorkOrder, WorkResult
from agentops_graph.log_lines import clear_log_lines
from agentops_graph.ports import DetachedWork

log = logging.getLogger(__name__)
BEAT_S = 5.0
LEDGER_AWAY_S = 3600.0  # how long a ledger that can't be written is waited for


def main(key: str) -> int:
    """Claims the work, runs its entry point, writes result or error; 0 when it was done."""
    workshop = Workshop(tends_knowledge=False)
    work = workshop.ports.work.claim(key)
    if work is None:
        log.warning("%s is claimed by another process, or was never opened", key)
        return 0
    try:
        with _beating(workshop.ports.work, key):
            result = _entry_point(work.entry_point)(_order(workshop, work))
    except OutOfSightError as error:
        log.exception("%s can't be followed any more", key)
        _lose(workshop, key, why=f"{name_of(work)}: {error}")
        return 1
    except Exception as error:
        log.exception("%s failed", key)
        _finish(workshop, key, error=f"{type(error).__name__}: {error}", result={})
        return 1
    _finish(workshop, key, error=None, result=result.model_dump(mode="json"))
    return 0


@contextmanager
def _beating(work: DetachedWork, key: str) -> Iterator[None]:
    """A heartbeat for as long as the work is done, also while it is deep in somebody's library."""
    stop, began = threading.Event(), _clock()

    def beat() -> None:
        while not stop.wait(BEAT_S):
            try:
                work.beat(key, _clock() - began)
            except UnavailableError as error:
                log.warning("no heartbeat: %s", error)

    # A daemon, so that a heart that beats on never keeps a process that wants to end.
    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _clock() -> float:
    # Goes on while the machine sleeps, and nobody can set it.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


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
        follows=lambda where: ports.work.progress(work.key, 0.0, f"done by {where}", done_by=where),
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
    """Writes what came of it, as soon as the ledger can take it: hours of training hang on this."""
    import stamina

    for attempt in stamina.retry_context(
        on=UnavailableError, attempts=None, timeout=LEDGER_AWAY_S, wait_max=30
    ):
        with attempt:
            _write_end(workshop, key, error, result)


def _write_end(workshop: Workshop, key: str, error: str | None, result: dict[str, object]) -> None:
    ports, at = workshop.ports, datetime.now(UTC)
    with ports.incidents.together():
        work = ports.work.finish(key, error=error, result=result, at=at)
        if work.late is not None:
            text = f"{name_of(work)} was given up and has ended after all: {work.late}"
            log.warning("%s; its result overwrites nothing", text)
            ports.incidents.update(work.incident_id, _late(work, text, at))


def _late(work: Work, text: str, at: datetime) -> TimelineEvent:
    return TimelineEvent(
        incident_id=work.incident_id, at=at, node="work", kind="note", text=text[:1000]
    )


def _lose(workshop: Workshop, key: str, *, why: str) -> None:
    held = workshop.ports.work.find(key)
    if held is not None:
        workshop.ports.work.lose(held, why=why, at=datetime.now(UTC))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    clear_log_lines()
    sys.exit(main(sys.argv[1]))
