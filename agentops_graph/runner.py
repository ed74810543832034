"""Runs incidents: takes jobs under a lease, resumes the graph, and hands failures to a person."""

import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from agentops_graph.domain.effect import Lease
from agentops_graph.domain.incident import GRAPH_VERSION, Incident, TimelineEvent
from agentops_graph.domain.ledger import Job
from agentops_graph.errors import AgentOpsError, UnavailableError
from agentops_graph.handover import hand_to_person
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState
from agentops_graph.sweep import sweep

log = logging.getLogger(__name__)

# An incident passes ten nodes a plan; a loop that goes on longer than this is a fault.
STEPS_PER_RUN = 200
ATTEMPTS = 5
BEAT_S = 3.0

Graph = CompiledStateGraph[IncidentState, Ports, IncidentState, IncidentState]


class Runner:
    """One of any number of processes that carry incidents forward."""

    def __init__(
        self, ports: Ports, graph: Graph, *, kind: str, lease_s: float, public_url: str
    ) -> None:
        self.ports = ports
        self.graph = graph
        self.kind = kind
        self.runner_id = f"{kind}@{socket.gethostname()}:{os.getpid()}"
        self._lease_s = lease_s
        self._public_url = public_url

    def run(self, stop: threading.Event, *, every_s: float = 0.5) -> None:
        """Works until told to stop; a fault of one round is logged and the next one begins."""
        with self._beating():
            while not stop.is_set():
                try:
                    busy = self.run_once()
                except Exception:
                    log.exception("a round of the runner failed")
                    busy = 0
                if not busy:
                    stop.wait(every_s)

    def run_once(self, incident_id: str | None = None) -> int:
        """Timers, notices and every job that can be taken now; returns how much was done."""
        done = sweep(self.ports, self._public_url)
        for job in self.ports.jobs.waiting(self.ports.clock.now(), incident_id):
            done += self._take(job)
        return done + sweep(self.ports, self._public_url)

    def alive(self) -> Any:
        """Heartbeat for as long as the context lasts, for callers that run in the foreground."""
        return self._beating()

    def _take(self, job: Job) -> int:
        lease = self.ports.leases.acquire(job.incident_id, self.runner_id, self._lease_s)
        if lease is None:
            return 0
        is_done = False
        try:
            with self._renewing(lease):
                is_done = self._is_done_with(job, lease)
        finally:
            with self.ports.incidents.together():
                if is_done:
                    self.ports.jobs.finish(job.job_id)
                self.ports.leases.release(lease)
        return int(is_done)

    def _is_done_with(self, job: Job, lease: Lease) -> bool:
        """False when the job has to be taken again later."""
        try:
            self._advance(job, lease)
        except UnavailableError as error:
            self._put_off(job, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever fails, a person gets the incident
            self._give_up(job, error)
        return True

    def _advance(self, job: Job, lease: Lease) -> None:
        incident = self.ports.incidents.get(job.incident_id)
        if not incident.is_open:
            return
        if incident.graph_version != GRAPH_VERSION:
            hand_to_person(
                self.ports,
                job.incident_id,
                f"it was begun by version {incident.graph_version} of the graph and this is "
                f"{GRAPH_VERSION}; `agentops retry {job.incident_id}` plans it anew",
            )
            return
        config: RunnableConfig = {
            "configurable": {"thread_id": job.incident_id},
            "recursion_limit": STEPS_PER_RUN,
        }
        entry = self._entry(incident, job, config)
        if entry is not _NOTHING:
            ports = replace(self.ports, lease=lease)
            self.graph.invoke(entry, config, context=ports, durability="sync")
        self._track_if_ended(job.incident_id)

    def _entry(self, incident: Incident, job: Job, config: RunnableConfig) -> Any:
        """What to invoke the graph with: a start, a knock on the pause, or nothing new."""
        begin: IncidentState = {
            "incident_id": incident.incident_id,
            "plan_number": incident.plan_number,
        }
        snapshot = self.graph.get_state(config)
        behind = snapshot.values.get("plan_number", 0) < incident.plan_number
        if snapshot.created_at is None or behind:
            return begin
        if snapshot.interrupts:
            return Command(resume={pause.id: {"knock": job.why} for pause in snapshot.interrupts})
        # A process may have died between two nodes; then it goes on where it stopped.
        return None if snapshot.next else _NOTHING

    def _track_if_ended(self, incident_id: str) -> None:
        incident = self.ports.incidents.get(incident_id)
        if incident.status not in ("resolved", "escalated", "suppressed"):
            return
        timeline = self.ports.log.timeline(incident_id)
        if any(event.node == "track" for event in timeline):
            return
        documents = {
            f"{kind}.json": _json(self.ports.incidents.kept(incident_id, kind))
            for kind in ("diagnosis", "evidence", "resolution")
        }
        trace_id = self.ports.tracker.incident(incident, timeline, documents)
        if trace_id is not None:
            self.ports.incidents.update(
                incident_id,
                TimelineEvent(
                    incident_id=incident_id,
                    at=self.ports.clock.now(),
                    node="track",
                    kind="note",
                    text=f"trace {trace_id}",
                    fields={"trace_id": trace_id},
                ),
            )

    def _put_off(self, job: Job, error: UnavailableError) -> None:
        log.warning("%s is put off: %s", job.incident_id, error)
        if job.attempts + 1 >= ATTEMPTS:
            self._give_up(job, error)
            self.ports.jobs.finish(job.job_id)
            return
        until = self.ports.clock.now() + timedelta(seconds=2**job.attempts)
        self.ports.jobs.put_off(job.job_id, until, str(error))

    def _give_up(self, job: Job, error: Exception) -> None:
        """The agent failed; a person gets the incident with the reason."""
        if not isinstance(error, AgentOpsError):
            log.error("%s failed", job.incident_id, exc_info=error)
        why = f"the agent failed: {type(error).__name__}: {error}"
        self.ports.incidents.update(
            job.incident_id,
            TimelineEvent(
                incident_id=job.incident_id,
                at=self.ports.clock.now(),
                node="runner",
                kind="error",
                text=why[:1000],
            ),
        )
        hand_to_person(self.ports, job.incident_id, why[:1000])

    @contextmanager
    def _renewing(self, lease: Lease) -> Iterator[None]:
        """Renews the lease for as long as the block runs."""
        stop = threading.Event()

        def renew() -> None:
            while not stop.wait(self._lease_s / 3):
                try:
                    self.ports.leases.renew(lease, self._lease_s)
                except UnavailableError as error:  # unrenewed it runs out, and effects are refused
                    log.warning("the lease on %s was not renewed: %s", lease.incident_id, error)

        thread = threading.Thread(target=renew, name=f"lease-{lease.incident_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @contextmanager
    def _beating(self) -> Iterator[None]:
        stop = threading.Event()
        self.ports.leases.beat(self.runner_id, self.kind)

        def beat() -> None:
            while not stop.wait(BEAT_S):
                try:
                    self.ports.leases.beat(self.runner_id, self.kind)
                except UnavailableError as error:
                    log.warning("no heartbeat: %s", error)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.ports.leases.beat(self.runner_id, self.kind, stopped=True)


_NOTHING = object()


def _json(kept: list[Any]) -> str:
    return json.dumps([document for _, document in kept], indent=2)
