"""Runs incidents: takes jobs under a lease, resumes the graph, and hands failures to a person."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig

from agentops_graph.domain.effect import Lease
from agentops_graph.domain.incident import GRAPH_VERSION, TimelineEvent
from agentops_graph.domain.ledger import Job
from agentops_graph.entry import NOTHING, Graph, end_older, entry_of, is_guarded
from agentops_graph.errors import (
    AgentOpsError,
    BusyError,
    ConflictError,
    UnavailableError,
    WrongKeyError,
)
from agentops_graph.faults import fault
from agentops_graph.handover import hand_to_person
from agentops_graph.ports import Ports
from agentops_graph.sweep import Deed, sources
from agentops_graph.tenure import Tenure

log = logging.getLogger(__name__)
T = TypeVar("T")

# An incident passes ten nodes a plan; a loop that goes on longer than this is a fault.
STEPS_PER_RUN = 200
ATTEMPTS = 9  # about four minutes, with pauses that double
LONGEST_PAUSE_S = 60.0
BEAT_S = 3.0
SWEEP_S = 2.0  # so long jobs wait for notices and looks, which wait for services outside


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
        self.refusal: WrongKeyError | None = None  # of the ledger, which got another key

    def run(self, stop: threading.Event, *, every_s: float = 0.5) -> None:
        """Works until told to stop, or until the ledger refuses what it writes; a fault of one
        round is logged and the next one begins."""
        with self._beating():
            while not stop.is_set() and self.refusal is None:
                try:
                    busy = self.run_once()
                except Exception:
                    log.exception("a round of the runner failed")
                    busy = 0
                if not busy:
                    stop.wait(every_s)

    def run_once(self, incident_id: str | None = None) -> int:
        """Timers, notices and every job that can be taken now; returns how much was done."""
        done = self._sweep(incident_id) + self._take_all(incident_id)
        return done + self._sweep(incident_id)

    def _take_all(self, incident_id: str | None) -> int:
        jobs = self.ports.jobs.waiting(self.ports.clock.now(), incident_id)
        return sum(_tried(partial(self._take, job), 0) for job in jobs)

    def _sweep(self, incident_id: str | None) -> int:
        """Everything due, and the jobs in between when that takes long."""
        done, since = 0, time.monotonic()
        for source in sources(self.ports, self._public_url):
            nothing: list[Deed] = []
            for deed in _tried(source, nothing):
                done += _tried(deed, 0)
                if time.monotonic() - since >= SWEEP_S:
                    done += self._take_all(incident_id)
                    since = time.monotonic()
        return done

    def alive(self) -> Any:
        """Heartbeat for as long as the context lasts, for callers that run in the foreground."""
        return self._beating()

    def _take(self, job: Job) -> int:
        lease = self.ports.leases.acquire(job.incident_id, self.runner_id, self._lease_s)
        if lease is None:
            return 0
        fault("lease.acquired")
        is_done = False
        try:
            if self._still_waits(job):
                tenure = Tenure(self.ports.leases, lease, self._lease_s)
                with tenure.renewed():
                    is_done = self._is_done_with(job, tenure)
        except Exception as error:
            log.exception("%s failed, and so did handing it to a person", job.incident_id)
            self._hold_back(job, lease, error)
        finally:
            fault("lease.before_release")
            self._let_go(job, lease, is_done=is_done)
        return int(is_done)

    def _hold_back(self, job: Job, lease: Lease, error: Exception) -> None:
        """Tried again at a pace, for as long as it takes: nobody else knows of it."""
        now = self.ports.clock.now()
        with suppress(ConflictError), self.ports.leases.fenced(lease):
            self.ports.jobs.put_off(job.job_id, now + _pause(job), str(error)[:1000], at=now)

    def _let_go(self, job: Job, lease: Lease, *, is_done: bool) -> None:
        """Unless another runner was given the lease, and with it the job."""
        with (
            suppress(ConflictError),
            self.ports.leases.fenced(lease),
            self.ports.incidents.together(),
        ):
            if is_done:
                self.ports.jobs.finish(job.job_id)
            self.ports.leases.release(lease)

    def _still_waits(self, job: Job) -> bool:
        """False when another runner did it between the list of jobs and the lease."""
        now = self.ports.clock.now()
        return any(j.job_id == job.job_id for j in self.ports.jobs.waiting(now, job.incident_id))

    def _is_done_with(self, job: Job, tenure: Tenure) -> bool:
        """False when the job has to be taken again later. Nothing that is written on the way lands
        once another runner was given the lease."""
        with self.ports.leases.fenced(tenure.lease):
            try:
                self._advance(job, tenure)
            except Exception as error:  # noqa: BLE001 - whatever fails, a person gets the incident
                return self._is_settled(job, tenure.lease, error)
        return True

    def _is_settled(self, job: Job, lease: Lease, error: Exception) -> bool:
        """What becomes of a job that failed; False when it has to be taken again later."""
        if self.ports.leases.holds(lease):
            with suppress(ConflictError):  # it went to another runner since that was asked
                if isinstance(error, UnavailableError):
                    self._put_off(job, error)
                    return False
                self._give_up(job, error)
                return True
        log.warning("%s is another runner's now: %s", job.incident_id, error)
        return False

    def _advance(self, job: Job, tenure: Tenure) -> None:
        incident = self.ports.incidents.get(job.incident_id)
        if not incident.is_open or incident.status == "escalated":
            # It ended, or a person owns it; a crash may have come before it was tracked.
            self._track_if_ended(job.incident_id)
            return
        ports = replace(self.ports, lease=tenure.lease, is_lost=tenure.is_lost)
        if incident.graph_version != GRAPH_VERSION:
            end_older(ports, incident)
            self._track_if_ended(job.incident_id)
            return
        config: RunnableConfig = {
            "configurable": {"thread_id": job.incident_id},
            "recursion_limit": STEPS_PER_RUN,
        }
        entry = entry_of(self.ports, self.graph, incident, job.why)
        if entry is NOTHING:  # else it would be adopted as an orphan again and again
            unknown = "the graph is at its end or at a node that it no longer has"
            hand_to_person(self.ports, job.incident_id, f"{unknown}, and the incident is not")
        else:
            self.graph.invoke(entry, config, context=ports, durability="sync")
        self._track_if_ended(job.incident_id)

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
        fault("tracking.before")
        trace_id = self.ports.tracker.incident(incident, timeline, documents)
        fault("tracking.after")
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
        if job.attempts + 1 >= ATTEMPTS and not self._must_go_on(job, error):
            self._give_up(job, error)
            self.ports.jobs.finish(job.job_id)
            return
        now = self.ports.clock.now()
        self.ports.jobs.put_off(job.job_id, now + _pause(job), str(error), at=now)

    def _must_go_on(self, job: Job, error: UnavailableError) -> bool:
        """A call that another runner is at ends by itself, and an open guard is not given up while
        it may still have something to undo."""
        incident = self.ports.incidents.get(job.incident_id)
        return isinstance(error, BusyError) or is_guarded(self.ports, incident)

    def _give_up(self, job: Job, error: Exception) -> None:
        """The agent failed; a person gets the incident with the reason."""
        if not self.ports.incidents.get(job.incident_id).is_open:
            log.error("%s has ended, and then this failed", job.incident_id, exc_info=error)
            return
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
            **self._doubt(job.incident_id),
        )
        hand_to_person(self.ports, job.incident_id, why[:1000])

    def _doubt(self, incident_id: str) -> dict[str, object]:
        """An adapter that failed in an unforeseen way may still have done something."""
        effects = self.ports.effect_log.listed(incident_id)
        is_unknown = any(effect.state == "unknown" for effect in effects)
        return {"needs_reconcile": True} if is_unknown else {}

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
                except WrongKeyError as error:
                    log.error("%s stops: %s", self.runner_id, error)
                    self.refusal = error
                    return

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            with suppress(WrongKeyError):
                self.ports.leases.beat(self.runner_id, self.kind, stopped=True)


def _pause(job: Job) -> timedelta:
    """Doubles with each attempt."""
    return timedelta(seconds=min(LONGEST_PAUSE_S, 2.0 ** min(job.attempts, ATTEMPTS)))


def _tried(deed: Callable[[], T], otherwise: T) -> T:
    """Each on its own: what fails must not stop the others."""
    try:
        return deed()
    except Exception:
        log.exception("a timer, a notice or a job failed")
        return otherwise


def _json(kept: list[Any]) -> str:
    return json.dumps([document for _, document in kept], indent=2)
