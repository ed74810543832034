"""Timers, jobs and detached work, in memory."""

from datetime import datetime, timedelta

from agentops_graph.adapters.memory.ledger import MemoryLedger, this_process
from agentops_graph.domain.action import Action
from agentops_graph.domain.ledger import Job, Timer, Work
from agentops_graph.errors import NotFoundError

# A detached process that has not claimed its work by then never started.
START_WITHIN = timedelta(seconds=120)


class MemoryTimers:
    """Implements `Timers`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def set(self, timer: Timer) -> None:
        with self._ledger.lock:
            self._ledger.set_timer(timer)

    def due(self, at: datetime) -> list[Timer]:
        ledger = self._ledger
        with ledger.lock:
            waiting = [t for t in ledger.timers.values() if t.timer_id not in ledger.timers_done]
        return sorted((t for t in waiting if t.due_at <= at), key=lambda t: t.due_at)

    def done(self, timer_id: str) -> None:
        with self._ledger.lock:
            self._ledger.timers_done.add(timer_id)


class MemoryJobs:
    """Implements `Jobs`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def enqueue(self, incident_id: str, why: str, *, at: datetime) -> None:
        with self._ledger.lock:
            self._ledger.enqueue(incident_id, why, at)

    def waiting(self, at: datetime, incident_id: str | None = None) -> list[Job]:
        with self._ledger.lock:
            rows = [q for q in self._ledger.jobs.values() if not q.is_done]
        # One that was never tried is due, also when the clock was put back since.
        due = [q.job for q in rows if q.not_before <= at or not q.job.attempts]
        return [job for job in due if incident_id in (None, job.incident_id)][:100]

    def finish(self, job_id: int) -> None:
        with self._ledger.lock:
            self._ledger.jobs[job_id].is_done = True

    def put_off(self, job_id: int, until: datetime, error: str) -> None:
        with self._ledger.lock:
            queued = self._ledger.jobs[job_id]
            queued.job = queued.job.model_copy(update={"attempts": queued.job.attempts + 1})
            queued.not_before, queued.error = until, error

    def adopt_orphans(self, at: datetime) -> int:
        ledger = self._ledger
        with ledger.lock:
            self._end_work_never_started(at)
            busy = {q.job.incident_id for q in ledger.jobs.values() if not q.is_done}
            busy |= {
                a.proposal.incident_id for a in ledger.approvals.values() if a.status == "pending"
            }
            busy |= {
                t.incident_id
                for t in ledger.timers.values()
                if t.timer_id not in ledger.timers_done
            }
            busy |= {w.incident_id for w in ledger.work.values() if w.state in ("open", "running")}
            orphans = [
                i.incident_id
                for i in ledger.incidents.values()
                if i.is_open and i.status != "escalated" and i.incident_id not in busy
            ]
            for incident_id in orphans:
                ledger.enqueue(incident_id, "orphan", at)
            return len(orphans)

    def _end_work_never_started(self, at: datetime) -> None:
        for key, work in self._ledger.work.items():
            if work.state == "open" and work.opened_at <= at - START_WITHIN:
                ended = {"state": "failed", "error": "its process never started", "ended_at": at}
                self._ledger.work[key] = work.model_copy(update=ended)
                self._ledger.enqueue(work.incident_id, f"work {key}", at)


class MemoryWork:
    """Implements `DetachedWork` for work done by threads of this process."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def open(
        self, key: str, action: Action, incident_id: str, entry_point: str, *, at: datetime
    ) -> Work:
        opened = Work(
            key=key,
            action=action,
            incident_id=incident_id,
            entry_point=entry_point,
            state="open",
            opened_at=at,
        )
        with self._ledger.lock:
            return self._ledger.work.setdefault(key, opened)

    def claim(self, key: str) -> Work | None:
        with self._ledger.lock:
            held = self.find(key)
            if held is None or held.state != "open":
                return None
            return self._changed(held, state="running", writer=this_process())

    def progress(self, key: str, share: float, text: str) -> None:
        with self._ledger.lock:
            held = self.find(key)
            if held is not None:
                self._changed(held, share=share, progress=text[:500])

    def finish(
        self, key: str, *, error: str | None, result: dict[str, object], at: datetime
    ) -> None:
        state = "failed" if error else "done"
        with self._ledger.lock:
            held = self.find(key)
            if held is None:
                raise NotFoundError(f"there is no work {key!r}")
            if held.state == "running":
                self._changed(held, state=state, error=error, result=result, share=1.0, ended_at=at)
                self._ledger.enqueue(held.incident_id, f"work {key}", at)

    def find(self, key: str) -> Work | None:
        return self._ledger.work.get(key)

    def _changed(self, held: Work, **changes: object) -> Work:
        changed = held.model_copy(update=changes)
        self._ledger.work[held.key] = changed
        return changed
