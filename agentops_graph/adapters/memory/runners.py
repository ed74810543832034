"""Leases, heartbeats and the kill switch, in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from agentops_graph.adapters.memory.ledger import FENCE, Held, MemoryLedger, seconds_now
from agentops_graph.domain.effect import Lease
from agentops_graph.domain.ledger import Silence
from agentops_graph.errors import NotFoundError

ALIVE_S = 15.0


class MemoryLeases:
    """Implements `Leases` for the threads of this process."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def acquire(self, incident_id: str, holder: str, seconds: float) -> Lease | None:
        with self._ledger.lock:
            held, now = self._ledger.leases.get(incident_id), seconds_now()
            if held is not None and held.until > now:
                return None
            token = held.lease.token + 1 if held else 1
            lease = Lease(incident_id=incident_id, token=token, holder=holder)
            self._ledger.leases[incident_id] = Held(lease, until=now + seconds)
            return lease

    def renew(self, lease: Lease, seconds: float) -> bool:
        return self._set_end(lease, seconds_now() + seconds)

    def holds(self, lease: Lease) -> bool:
        with self._ledger.lock:
            held = self._ledger.leases.get(lease.incident_id)
            return held is not None and held.lease == lease and held.until > seconds_now()

    @contextmanager
    def fenced(self, lease: Lease) -> Iterator[None]:
        before = FENCE.set(lease)
        try:
            yield
        finally:
            FENCE.reset(before)

    def release(self, lease: Lease) -> None:
        self._set_end(lease, 0.0)

    def _set_end(self, lease: Lease, until: float) -> bool:
        with self._ledger.lock:
            held = self._ledger.leases.get(lease.incident_id)
            if held is None or held.lease.token != lease.token:
                return False
            held.until = until
            return True

    def beat(self, runner_id: str, kind: str, *, stopped: bool = False) -> None:
        with self._ledger.lock:
            if stopped:
                self._ledger.beats.pop(runner_id, None)
            else:
                self._ledger.beats[runner_id] = seconds_now()

    def runners_alive(self) -> list[str]:
        oldest = seconds_now() - ALIVE_S
        with self._ledger.lock:
            return [runner for runner, beat in self._ledger.beats.items() if beat > oldest]


class MemorySwitches:
    """Implements `Switches`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def pause_actions(self, *, everything: bool, by: str, at: datetime) -> None:
        with self._ledger.lock:
            self._ledger.pause = "all" if everything else "actions"
            self._ledger.write_down("actions.paused", actor=by, via="cli", at=at)

    def resume_actions(self, *, by: str, at: datetime) -> None:
        with self._ledger.lock:
            self._ledger.pause = None
            self._ledger.write_down("actions.resumed", actor=by, via="cli", at=at)

    def paused(self) -> str | None:
        return self._ledger.pause


class MemorySilences:
    """Implements `Silences`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def add(self, silence: Silence) -> Silence:
        with self._ledger.lock:
            number = f"S-{len(self._ledger.silences) + 1}"
            numbered = silence.model_copy(update={"silence_id": number})
            self._ledger.silences[number] = numbered
            self._write_down(f"{numbered.kind}.added", numbered, numbered.by, numbered.starts_at)
            return numbered

    def end(self, silence_id: str, *, by: str, at: datetime) -> Silence:
        with self._ledger.lock:
            held = self._ledger.silences.get(silence_id)
            if held is None:
                raise NotFoundError(f"no silence {silence_id!r}")
            if held.ends_at <= at:
                return held
            ended = held.model_copy(update={"ends_at": at})
            self._ledger.silences[silence_id] = ended
            self._write_down(f"{held.kind}.ended", held, by, at)
            return ended

    def _write_down(self, what: str, silence: Silence, by: str, at: datetime) -> None:
        self._ledger.write_down(what, actor=by, via="cli", at=at, silence_id=silence.silence_id)

    def active(self, at: datetime) -> list[Silence]:
        return [s for s in self._ledger.silences.values() if at < s.ends_at]
