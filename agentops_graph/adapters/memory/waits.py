"""Timers, jobs and detached work, in memory."""

from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger, seconds_now, this_process
from agentops_graph.domain.action import Action
from agentops_graph.domain.ledger import Job, Timer, Work
from agentops_graph.errors import NotFoundError

# A detached process that has not claimed its work by then never started.
START_WITHIN_S = 120.0


class MemoryTimers:
    """Implements `Timers`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def set(self, timer: Timer) -> bool:
        with self._ledger.lock:
            self._ledger.set_timer(timer)
            return timer.timer_id not in self._ledger.timers_done

    def due(self, at: datetime) -> list[Timer]:
        ledger = self._ledger
        with ledger.lock:
            waiting = [t for t in ledger.timers.values() if self._is_free(t.timer_id, at)]
            seen = {t.timer_id: t.seen(at) for t in waiting}
            ledger.timers.update(seen)
        return sorted((t for t in seen.values() if t.is_due(at)), key=lambda t: t.due_at)

    def claim(self, timer_id: str, *, until: datetime, at: datetime) -> bool:
        with self._ledger.lock:
            if timer_id not in self._ledger.timers or not self._is_free(timer_id, at):
                return False
            self._ledger.timers_claimed[timer_id] = (at, until)
            return True

    def _is_free(self, timer_id: str, at: datetime) -> bool:
        """Neither done nor claimed; a claim from what is now the future has lapsed."""
        if timer_id in self._ledger.timers_done:
            return False
        since, until = self._ledger.timers_claimed.get(timer_id, (at, at))
        return not since <= at < until

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
        # One that was never tried is due, also when the clock was put back since; so is one that
        # was put off in what is now the future.
        due = [
            q.job
            for q in rows
            if q.not_before <= at or not q.job.attempts or (q.put_off_at and q.put_off_at > at)
        ]
        return [job for job in due if incident_id in (None, job.incident_id)][:100]

    def finish(self, job_id: int) -> None:
        with self._ledger.lock:
            self._ledger.jobs[job_id].is_done = True

    def put_off(self, job_id: int, until: datetime, error: str, *, at: datetime) -> None:
        with self._ledger.lock:
            queued = self._ledger.jobs[job_id]
            queued.job = queued.job.model_copy(update={"attempts": queued.job.attempts + 1})
            queued.not_before, queued.put_off_at, queued.error = until, at, error

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
                if t.timer_id not in ledger.timers_done and t.kind != "again"
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
            waited_s = seconds_now() - (work.beat or 0.0)  # the wall clock may be put back
            if work.state == "open" and waited_s >= START_WITHIN_S:
                ended = {"state": "failed", "error": "its process never started", "ended_at": at}
                self._ledger.work[key] = work.model_copy(update=ended)
                self._ledger.enqueue(work.incident_id, f"work {key}", at)


class MemoryWork:
    """Implements `DetachedWork` for work done by threads of this process."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def open(
        self,
        key: str,
        action: Action,
        incident_id: str,
        entry_point: str,
        *,
        at: datetime,
        longest_s: float | None = None,
    ) -> Work:
        opened = Work(
            longest_s=longest_s,
            key=key,
            action=action,
            incident_id=incident_id,
            entry_point=entry_point,
            state="open",
            beat=seconds_now(),
            opened_at=at,
        )
        with self._ledger.lock:
            return self._ledger.work.setdefault(key, opened)

    def claim(self, key: str) -> Work | None:
        with self._ledger.lock:
            held = self.find(key)
            if held is None or held.state != "open":
                return None
            self._changed(held, state="running", writer=this_process(), beat=seconds_now())
            return self.find(key)

    def progress(self, key: str, share: float, text: str, *, done_by: str | None = None) -> None:
        with self._ledger.lock:
            held = self.find(key)
            if held is not None:
                by = done_by or held.done_by
                self._changed(held, share=share, progress=text[:500], done_by=by)

    def beat(self, key: str, ran_s: float | None = None) -> None:
        with self._ledger.lock:
            held = self.find(key)
            if held is not None and held.state == "running":
                ran_s = held.ran_s if ran_s is None else ran_s
                self._changed(held, beat=seconds_now(), ran_s=ran_s)

    def underway(self) -> list[Work]:
        with self._ledger.lock:
            return [_seen(w) for w in self._ledger.work.values() if w.state == "running"]

    def lose(self, work: Work, *, why: str, at: datetime) -> bool:
        with self._ledger.lock:
            held = self._ledger.work[work.key]
            if held.state != "running" or held.beat != work.beat:
                return False
            self._changed(held, state="lost", error=why)
            self._doubt(held, why, at)
            self._ledger.enqueue(held.incident_id, f"work {held.key}", at)
            self._write_down("work.lost", held, at, why=why)
            return True

    def _doubt(self, work: Work, why: str, at: datetime) -> None:
        """What the effect began may be going on: until a person says, nothing else starts there."""
        effects = self._ledger.effects
        begun = effects.get(work.key)
        if begun is None or begun.state != "done":
            return
        if any(
            e.target == begun.target and e.state in ("intent", "unknown") for e in effects.values()
        ):
            return
        effects[work.key] = begun.model_copy(update={"state": "unknown", "error": why})
        incident = self._ledger.incidents[work.incident_id]
        doubted = incident.model_copy(update={"needs_reconcile": True})
        self._ledger.incidents[work.incident_id] = doubted
        self._write_down("effect.unknown", work, at, error=why)

    def tell_to_end(self, work: Work, *, why: str, at: datetime) -> bool:
        """Never: a thread can't be made to end."""
        return False

    def finish(
        self, key: str, *, error: str | None, result: dict[str, object], at: datetime
    ) -> Work:
        state = "failed" if error else "done"
        with self._ledger.lock:
            held = self.find(key)
            if held is None:
                raise NotFoundError(f"there is no work {key!r}")
            if held.state == "running":
                self._changed(held, state=state, error=error, result=result, share=1.0, ended_at=at)
                self._ledger.enqueue(held.incident_id, f"work {key}", at)
            elif held.state == "lost" and held.late is None:
                said = error or str(result.get("summary", "no summary"))
                self._changed(held, late=f"{state}: {said}"[:1000])
                self._write_down("work.late_result", held, at, state=state, said=said[:1000])
            return self._ledger.work[key]

    def find(self, key: str) -> Work | None:
        held = self._ledger.work.get(key)
        return None if held is None else _seen(held)

    def _write_down(self, what: str, work: Work, at: datetime, **fields: str) -> None:
        of = {"incident_id": work.incident_id, "key": work.key}
        self._ledger.write_down(what, actor="runner", via="runner", at=at, **of, **fields)

    def _changed(self, held: Work, **changes: object) -> Work:
        changed = held.model_copy(update=changes)
        self._ledger.work[held.key] = changed
        return changed


def _seen(work: Work) -> Work:
    """The work as it is now: how long it has been silent, and where its writer is."""
    if work.state != "running" or work.beat is None:
        return work
    where = "here" if work.writer == this_process() else "out_of_reach"
    silent_s = max(0.0, seconds_now() - work.beat)
    return work.model_copy(update={"silent_s": silent_s, "whereabouts": where})
