"""Starts a team's entry point as a process of its own; implements `Actuator` for long work."""

import logging
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from agentops_graph.domain.action import Action, RerunPipeline, ScaleInfrastructure
from agentops_graph.domain.component import Component
from agentops_graph.domain.effect import Happened, Receipt
from agentops_graph.errors import DidNotHappenError, NotFoundError, PortError, UnavailableError
from agentops_graph.faults import fault
from agentops_graph.ports import DetachedWork

log = logging.getLogger(__name__)


class SubprocessActuator:
    """Retraining, pipeline reruns and the like, by `python -m agentops_graph.jobs KEY`.

    The work's row is opened first; the process claims it and only one process ever can, so
    starting a second one for the same key does nothing: the target enforces the key. The process
    has a session of its own, so that stopping the service does not stop the training.
    """

    def __init__(
        self,
        work: DetachedWork,
        *,
        components: Mapping[str, Component],
        home: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._work = work
        self._components = components
        self._environment = dict(environment)
        self._home = home
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def enforces_key(self) -> bool:
        return True

    def offers(self, action: str, component: Component) -> bool:
        return action in component.entry_points

    def carry_out(self, action: Action, *, key: str, incident_id: str) -> Receipt:
        name = _component_of(action)
        component = self._components.get(name)
        entry_point = component.entry_points.get(action.action) if component else None
        if entry_point is None:
            raise DidNotHappenError(
                f"{name} has no entry point for {action.action}; name one in components.yaml, "
                f"`entry_points: {{{action.action}: module:function}}`"
            )
        try:
            row = self._work.open(
                key,
                action,
                incident_id,
                entry_point,
                at=datetime.now(UTC),
                longest_s=component.work_deadline_s if component else None,
            )
        except PortError as error:
            raise DidNotHappenError(f"the work was not started: {error}") from error
        fault("actuator.inside")
        if row.state == "open":
            self._start(key)
        return Receipt(reference=key, details={"entry_point": row.entry_point})

    def probe(self, action: Action, *, key: str) -> Happened:
        """An open row that nobody claimed is `did_not`: another start is safe, because whichever
        process claims it first is the only one that works. Of lost work nobody can say."""
        try:
            row = self._work.find(key)
        except NotFoundError:
            return "did_not"
        except PortError:
            return "unknown"
        if row is None or row.state == "open":
            return "did_not"
        return "unknown" if row.state == "lost" else "happened"

    def _start(self, key: str) -> None:
        """Raises UnavailableError when no process could be made; the row stays open for a retry."""
        self._started = [child for child in self._started if child.poll() is None]  # reaps
        log_file = self._home / "jobs" / f"{key.replace(':', '-').replace('/', '-')}.log"
        log_file.parent.mkdir(parents=True, exist_ok=True)
        environment = {**self._environment, "AGENTOPS_HOME": str(self._home)}
        try:
            with log_file.open("ab") as output:
                child = subprocess.Popen(
                    [sys.executable, "-m", "agentops_graph.jobs", key],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise UnavailableError(f"the process for {key} did not start: {error}") from error
        self._started.append(child)
        log.info("started process %s for %s, output in %s", child.pid, key, log_file)


def _component_of(action: Action) -> str:
    if isinstance(action, RerunPipeline):
        return action.pipeline
    return action.component if isinstance(action, ScaleInfrastructure) else action.model
